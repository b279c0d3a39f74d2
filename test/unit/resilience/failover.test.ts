import { describe, expect, it } from "vitest";
import { type ErrorCode, KmsError } from "#core/errors.ts";
import { type Failure, FAILURES, ProviderError, type ProviderFault } from "#core/failures.ts";
import { Deadline } from "#resilience/deadline.ts";
import { runPlan, toKmsError } from "#resilience/failover.ts";
import { fakeSources, pass, useFakeTime } from "./time.ts";

useFakeTime();

const attempts = ["a", "b", "c"].map((provider) => ({ provider, timeoutMs: 100 }));
type Script = Readonly<Record<string, Partial<ProviderFault> | Error | undefined>>;

/** Runs the plan a, b, c; providers without a script answer. */
async function run(script: Script, { budgetMs = 2_000, eachMs = 0, of = attempts } = {}) {
  const asked: string[] = [];
  const told: string[] = [];
  const work = runPlan({
    attempts: of,
    deadline: new Deadline(budgetMs, fakeSources()),
    run: async ({ provider }, last) => {
      asked.push(last ? `${provider}!` : provider);
      if (eachMs > 0) await pass(eachMs);
      const end = script[provider];
      if (end instanceof Error) throw end;
      if (end !== undefined) throw new ProviderError({ failure: "OUTAGE", detail: "planned", ...end });
      return `from ${provider}`;
    },
    onFault: ({ attempt, fault }) => told.push(`${attempt.provider}: ${fault.failure}`),
  });
  const end = await work.catch((error: unknown) => (error instanceof KmsError ? error.code : String(error)));
  return { end, asked, told };
}

const all = (fault: Partial<ProviderFault>): Script => ({ a: fault, b: fault, c: fault });

describe("a plan", () => {
  it("ends with the first answer", async () => {
    expect(await run({})).toEqual({ end: "from a", asked: ["a"], told: [] });
    expect(await run({ a: {}, b: { failure: "THROTTLED" } })).toEqual({
      end: "from c",
      asked: ["a", "b", "c!"],
      told: ["a: OUTAGE", "b: THROTTLED"],
    });
  });

  it.for(Object.keys(FAILURES) as Failure[])("after %s goes on as the failure table says", async (failure) => {
    const { asked } = await run({ a: { failure } });
    const stops: readonly Failure[] = ["INVALID", "UNKNOWN_OUTCOME", "CANCELLED"];
    expect(asked).toEqual(stops.includes(failure) ? ["a"] : ["a", "b"]);
  });

  it("without attempts has nobody to ask", async () => {
    expect(await run({}, { of: [] })).toMatchObject({ end: "NO_PROVIDER", asked: [] });
  });

  it("lets an error of ours through as it is", async () => {
    const error = new KmsError("INTEGRITY_FAILURE", "odd");
    expect(await run({ a: error })).toMatchObject({ end: "INTEGRITY_FAILURE", asked: ["a"], told: [] });
  });

  it("takes what is no fault for INTERNAL, and goes on", async () => {
    expect(await run({ a: new Error("bug") })).toMatchObject({ end: "from b", told: ["a: INTERNAL"] });
  });

  it("begins no attempt that would end after the deadline, and says what it met", async () => {
    expect(await run(all({}), { eachMs: 950 })).toMatchObject({ end: "NO_PROVIDER", asked: ["a", "b"] });
  });

  it("whose deadline is over asks nobody", async () => {
    expect(await run({}, { budgetMs: 0 })).toMatchObject({ end: "DEADLINE_EXCEEDED", asked: [] });
  });
});

describe("what a caller is told", () => {
  it.for<{ faults: Script; code: ErrorCode; name: string }>([
    { name: "outages", faults: all({}), code: "NO_PROVIDER" },
    { name: "throttling", faults: all({ failure: "THROTTLED" }), code: "PROVIDER_THROTTLED" },
    { name: "our standing with a cloud", faults: all({ failure: "DENIED" }), code: "NO_PROVIDER" },
    { name: "bad wraps alone", faults: all({ failure: "BAD_WRAP" }), code: "INTEGRITY_FAILURE" },
    { name: "a bad wrap beside an outage", faults: { a: { failure: "BAD_WRAP" }, b: {}, c: {} }, code: "NO_PROVIDER" },
    { name: "a verdict on the bytes", faults: { a: {}, b: { failure: "INVALID" } }, code: "CIPHERTEXT_INVALID" },
    { name: "an unknown outcome", faults: { a: { failure: "UNKNOWN_OUTCOME" } }, code: "UNKNOWN_OUTCOME" },
    { name: "the end of the deadline", faults: { a: { failure: "CANCELLED" } }, code: "DEADLINE_EXCEEDED" },
    {
      name: "the end of the deadline after an outage",
      faults: { a: {}, b: { failure: "CANCELLED" } },
      code: "NO_PROVIDER",
    },
    { name: "faults of ours", faults: all({ failure: "INTERNAL" }), code: "INTERNAL" },
  ])("of $name is $code", async ({ faults, code }) => {
    expect((await run(faults)).end).toBe(code);
  });

  it("has a meaning for every failure", () => {
    for (const failure of Object.keys(FAILURES) as Failure[]) {
      const error = toKmsError([{ failure, detail: "secret detail" }]);
      expect(error.publicMessage).not.toContain("secret detail");
      expect(error.cause).toMatchObject({ fault: { failure } });
      expect(error.retryAfterSeconds === undefined).toBe(
        !["NO_PROVIDER", "PROVIDER_THROTTLED", "DEADLINE_EXCEEDED"].includes(error.code),
      );
    }
  });

  it("rounds up how long to wait", () => {
    expect(toKmsError([{ failure: "THROTTLED", detail: "", retryAfterMs: 1_200 }]).retryAfterSeconds).toBe(2);
    expect(toKmsError([]).retryAfterSeconds).toBe(1);
  });
});
