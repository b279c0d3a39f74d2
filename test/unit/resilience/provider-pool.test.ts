import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ProviderFault } from "#core/failures.ts";
import { Deadline } from "#resilience/deadline.ts";
import {
  type CallOptions,
  type CallReport,
  createProviderPool,
  POOL_DEFAULTS,
  type ProviderPool,
  type Run,
} from "#resilience/provider-pool.ts";
import { answering, ending, failing, fakeSources, hanging, pass, stubProvider, useFakeTime } from "./time.ts";

useFakeTime();

function create(settings = POOL_DEFAULTS) {
  const reports: CallReport[] = [];
  const events: string[] = [];
  const provider = stubProvider();
  const pool = createProviderPool({
    sources: fakeSources(),
    settings,
    onCall: (report) => reports.push(report),
    onBreaker: (name, plane, { from, to }) => events.push(`${name} ${plane}: ${from} > ${to}`),
  });
  pool.put("p", provider);
  onTestFinished(() => {
    pool[Symbol.dispose]();
  });
  return { pool, reports, events, provider };
}

type Asked<T> = Partial<CallOptions<T>> & { readonly budgetMs?: number; readonly plane?: "data" | "control" };

async function call<T>(pool: ProviderPool, run: Run<T>, asked: Asked<T> = {}): Promise<T> {
  const { budgetMs = 60_000, plane = "data", ...options } = asked;
  const deadline = new Deadline(budgetMs, fakeSources());
  return await pool.call("p", plane, "unwrap", run, { deadline, requestId: "req_1", ...options });
}

/** How a call ends, and when. */
async function timed<T>(pool: ProviderPool, run: Run<T>, asked: Asked<T> = {}): Promise<string> {
  const from = performance.now();
  const took: number[] = [];
  const end = ending(call(pool, run, asked)).finally(() => {
    took.push(performance.now() - from);
  });
  while (took.length === 0) await pass(50);
  return `${await end} at ${took[0]}`;
}

/** Enough calls for a budget of some repetitions. */
async function warm(pool: ProviderPool): Promise<void> {
  for (let i = 0; i < 100; i++) await call(pool, answering("ok"));
}

/** Ends one after another, then answers; how many calls arrived. */
function script(...faults: readonly Partial<ProviderFault>[]) {
  const left = [...faults];
  const counted = {
    calls: 0,
    run: async (): Promise<string> => {
      counted.calls += 1;
      const fault = left.shift();
      return fault === undefined ? "ok" : await failing(fault)();
    },
  };
  return counted;
}

const state = (pool: ProviderPool) => pool.health("p").data.state;
const breaksOff = { failure: "OUTAGE", answered: false } as const;

describe("a call", () => {
  it("gets the signal and the request id, and gives its value", async () => {
    const { pool } = create();
    const seen = await call(pool, async ({ signal, requestId }) => [signal.aborted, requestId]);
    expect(seen).toEqual([false, "req_1"]);
  });

  it("is told with the provider's request id and its latency", async () => {
    const { pool, reports } = create();
    const attempts: unknown[] = [];
    const run = call(pool, answering({ value: 1, requestId: "aws-7" }, 30), { onAttempt: (one) => attempts.push(one) });
    await pass(30);
    await run;
    const told = { provider: "p", operation: "unwrap", outcome: "ok", requestId: "aws-7", latencyMs: 30 };
    expect(attempts).toEqual([told]);
    expect(reports).toEqual([{ ...told, plane: "data", lastResort: false }]);
  });

  it("that throws what only the provider knows is named by the provider", async () => {
    const { pool, reports } = create();
    const run: Run<string> = () => {
      throw new Error("odd");
    };
    await expect(call(pool, run)).rejects.toMatchObject({
      fault: { failure: "INTERNAL", detail: "Error: odd" },
      cause: { message: "odd" },
    });
    expect(reports).toMatchObject([{ outcome: "INTERNAL", requestId: null }]);
  });

  it("to a provider that is not open is LOCAL", async () => {
    const { pool } = create();
    const deadline = new Deadline(1000, fakeSources());
    expect(await ending(pool.call("q", "data", "unwrap", answering(1), { deadline, requestId: "r" }))).toBe("LOCAL");
    expect(pool.health("q").data).toMatchObject({ state: "closed", calls: 0 });
  });
});

describe("the same provider is asked again", () => {
  it("once when the connection broke without an answer", async () => {
    const { pool } = create();
    await warm(pool);
    const [one, two] = [script(breaksOff), script(breaksOff, breaksOff)];
    expect([await ending(call(pool, one.run)), one.calls]).toEqual(["ok", 2]);
    expect([await ending(call(pool, two.run)), two.calls]).toEqual(["OUTAGE", 2]);
  });

  it("once more, a little later, when nobody comes after it", async () => {
    const { pool } = create();
    await warm(pool);
    const last = script(breaksOff, breaksOff);
    expect([await timed(pool, last.run, { last: true }), last.calls]).toEqual(["ok at 10", 3]);
  });

  it("and a repetition that the deadline cuts off does not hide the outage before it", async () => {
    const { pool } = create();
    expect(await timed(pool, hanging, { last: true, budgetMs: 2000 })).toBe("OUTAGE at 1900");
  });

  it("never for a change, for an answered outage or a verdict with others to come", async () => {
    const { pool } = create();
    const change = script(breaksOff);
    expect([await ending(call(pool, change.run, { mutation: true })), change.calls]).toEqual(["OUTAGE", 1]);
    const answered = script({ failure: "OUTAGE", answered: true });
    expect([await ending(call(pool, answered.run)), answered.calls]).toEqual(["OUTAGE", 1]);
    const invalid = script({ failure: "INVALID" });
    expect([await ending(call(pool, invalid.run, { last: true })), invalid.calls]).toEqual(["INVALID", 1]);
  });

  it("after the wait it asks for, when nobody comes after it", async () => {
    const { pool } = create();
    const throttled = { failure: "THROTTLED", retryAfterMs: 400 } as const;
    expect(await timed(pool, script(throttled).run, { last: true })).toBe("ok at 400");
    expect(await timed(pool, script(throttled).run)).toBe("THROTTLED at 0");
    expect(await timed(pool, script(throttled).run, { last: true, budgetMs: 1_600 })).toBe("THROTTLED at 0");
  });

  it("within a budget: no storm of repetitions", async () => {
    const { pool } = create({
      ...POOL_DEFAULTS,
      breaker: { ...POOL_DEFAULTS.breaker, consecutiveOutages: 10_000, minimumCalls: 10_000 },
    });
    let arrived = 0;
    const run = async (): Promise<never> => {
      arrived += 1;
      return await failing(breaksOff)();
    };
    for (let i = 0; i < 200; i++) await ending(call(pool, run));
    expect(arrived).toBe(220);
  });
});

describe("the time of a call", () => {
  it("is the provider's own, after which it is an outage that counts and its signal fires", async () => {
    const { pool, reports } = create();
    let signal: AbortSignal | undefined;
    const run: Run<never> = async (context) => {
      ({ signal } = context);
      return await hanging();
    };
    expect(await timed(pool, run)).toBe("OUTAGE at 1500");
    expect(signal?.aborted).toBe(true);
    expect(reports).toMatchObject([{ outcome: "OUTAGE", latencyMs: 1500 }]);
    expect(pool.health("p").data).toMatchObject({ calls: 1, failures: 1, inFlight: 0 });
  });

  it("is three times the usual p99 of the operation", async () => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await timed(pool, answering("ok", 50));
    expect(await timed(pool, hanging)).toBe("OUTAGE at 150");
  });

  it("is never below 100 ms", async () => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await timed(pool, answering("ok", 5));
    expect(await timed(pool, hanging)).toBe("OUTAGE at 100");
  });

  it("shows in the health when it was used up", async () => {
    const { pool } = create();
    for (let i = 0; i < 19; i++) await timed(pool, answering("ok", 5));
    await timed(pool, hanging);
    expect(pool.health("p").data.p99Ms).toBe(1_500);
  });

  it("leaves no timer behind, however the call ends", async () => {
    const { pool } = create();
    const before = vi.getTimerCount();
    await timed(pool, answering("ok", 5));
    await timed(pool, answering("ok", 5), { timeoutMs: 300 });
    await timed(pool, failing({ failure: "INVALID" }));
    expect(vi.getTimerCount()).toBe(before);
  });

  it("grows again for a provider that has become slower", async () => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await timed(pool, answering("ok", 50));
    const slow = answering("ok", 400);
    const ends: string[] = [];
    for (let i = 0; i < 3; i++) ends.push(await timed(pool, slow));
    expect(ends).toEqual(["OUTAGE at 150", "ok at 400", "ok at 400"]);
  });

  it("cut by the plan is an outage for the plan, and the breaker hears the real end", async () => {
    const { pool, reports } = create();
    const cut = ending(call(pool, answering("ok", 700), { timeoutMs: 300 }));
    await pass(300);
    expect(await cut).toBe("OUTAGE");
    expect(pool.health("p").data).toMatchObject({ calls: 0, inFlight: 1 });
    await pass(400);
    expect(pool.health("p").data).toMatchObject({ calls: 1, failures: 0, inFlight: 0 });
    expect(reports).toMatchObject([{ outcome: "ok", latencyMs: 700 }]);
  });

  it("cut by the caller's deadline is CANCELLED and ends a little before it", async () => {
    const { pool } = create();
    expect(await timed(pool, hanging, { budgetMs: 1_000 })).toBe("CANCELLED at 900");
    expect(await timed(pool, hanging, { budgetMs: 10 })).toBe("CANCELLED at 9");
  });

  it("of a change that is cut leaves its outcome unknown", async () => {
    const { pool } = create();
    expect(await timed(pool, hanging, { budgetMs: 1_000, mutation: true })).toBe("UNKNOWN_OUTCOME at 900");
    expect(await timed(pool, hanging, { mutation: true, plane: "control" })).toBe("UNKNOWN_OUTCOME at 5000");
    expect(pool.health("p").control).toMatchObject({ calls: 1, failures: 1 });
  });

  it("can be fixed", async () => {
    const { pool } = create({ ...POOL_DEFAULTS, attemptTimeoutMs: 250 });
    expect(await timed(pool, hanging)).toBe("OUTAGE at 250");
  });

  it("hands over an answer that comes too late, to be discarded", async () => {
    const { pool } = create();
    const late: string[] = [];
    const discard = (value: string): void => void late.push(value);
    expect(await timed(pool, answering("left", 700), { timeoutMs: 300, discard })).toBe("OUTAGE at 300");
    expect(await timed(pool, answering("expired", 2_000), { discard })).toBe("OUTAGE at 1500");
    await pass(1_000);
    expect(await timed(pool, answering("in time", 10), { discard })).toBe("in time at 10");
    expect(late).toEqual(["left", "expired"]);
  });
});

describe("the breaker", () => {
  it("is opened by nobody's tiny deadline: a thousand callers with 5 ms, others notice nothing", async () => {
    const { pool, events } = create();
    const run = answering("ok", 60);
    const callers = Array.from({ length: 1000 }, () => ending(call(pool, run, { budgetMs: 5 })));
    const other = ending(call(pool, run));
    await pass(60);
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["CANCELLED"]));
    expect(await other).toBe("ok");
    await pass(10_000);
    expect([state(pool), events]).toEqual(["closed", []]);
    expect(await timed(pool, run)).toBe("ok at 60");
  });

  it("hears of outages, makes a fresh client when it opens, and is one per plane", async () => {
    const { pool, events, provider } = create();
    for (let i = 0; i < 3; i++) await ending(call(pool, failing({ failure: "OUTAGE", answered: true })));
    expect(events).toEqual(["p data: closed > open"]);
    expect(provider.renewed()).toBe(1);
    expect(await ending(call(pool, answering("ok")))).toBe("LOCAL");
    expect(await ending(call(pool, answering("ok"), { plane: "control" }))).toBe("ok");
  });

  it.for([
    "THROTTLED",
    "EXHAUSTED",
    "DENIED",
    "STATE",
    "NOT_FOUND",
    "INVALID",
    "BAD_WRAP",
    "INTERNAL",
    "LOCAL",
    "CANCELLED",
  ] as const)("is not moved by %s", async (failure) => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await ending(call(pool, failing({ failure })));
    expect(state(pool)).toBe("closed");
    const silent = failure === "LOCAL" || failure === "CANCELLED";
    expect(pool.health("p").data).toMatchObject({ calls: silent ? 0 : 20, failures: 0, inFlight: 0 });
  });

  it.for(["OUTAGE", "CREDENTIALS", "CHECKSUM", "UNKNOWN_OUTCOME"] as const)("is opened by %s", async (failure) => {
    const { pool } = create();
    for (let i = 0; i < 3; i++) await ending(call(pool, failing({ failure })));
    expect(state(pool)).toBe("open");
  });

  it("is not moved by a conflict that the service answered", async () => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await ending(call(pool, failing({ failure: "UNKNOWN_OUTCOME", answered: true })));
    expect(state(pool)).toBe("closed");
  });

  async function opened() {
    const made = create();
    for (let i = 0; i < 3; i++) await ending(call(made.pool, failing({ failure: "OUTAGE", answered: true })));
    return made;
  }

  it.for(["lastResort", "last"] as const)(
    "lets eight calls at once through as %s, and the rest gets an answer at once",
    async (why) => {
      const { pool, reports } = await opened();
      const calls = Array.from({ length: 20 }, () => ending(call(pool, answering("ok", 50), { [why]: true })));
      await pass(50);
      const ends = await Promise.all(calls);
      expect([ends.filter((end) => end === "ok").length, ends.filter((end) => end === "LOCAL").length]).toEqual([
        8, 12,
      ]);
      const resorts = reports.filter(({ lastResort }) => lastResort);
      expect(resorts.map(({ outcome }) => outcome)).toEqual(Array<string>(8).fill("ok"));
    },
  );

  it("gives its probe the longest time, whatever the usual p99", async () => {
    const { pool } = create();
    for (let i = 0; i < 20; i++) await timed(pool, answering("ok", 5));
    for (let i = 0; i < 3; i++) await ending(call(pool, failing({ failure: "OUTAGE", answered: true })));
    await pass(5_000);
    expect(await timed(pool, answering("ok", 1_200))).toBe("ok at 1200");
    expect(state(pool)).toBe("closed");
  });

  it("runs its probe on the provider's time, not on the caller's", async () => {
    const { pool } = await opened();
    await pass(5_000);
    expect(await timed(pool, answering("ok", 200), { budgetMs: 50 })).toBe("CANCELLED at 45");
    expect(state(pool)).toBe("half-open");
    await pass(200);
    expect(state(pool)).toBe("closed");
  });
});

describe("the pool remembers", () => {
  it("the last call of the data plane, the last success and the last failure", async () => {
    const { pool } = create();
    expect([pool.lastCallMs("p"), pool.lastSuccess("p"), pool.lastFailure("p")]).toEqual([-Infinity, null, null]);
    await call(pool, answering(1), { plane: "control" });
    expect(pool.lastCallMs("p")).toBe(-Infinity);
    await pass(10);
    await ending(call(pool, failing({ failure: "STATE", detail: "disabled" })));
    expect(pool.lastCallMs("p")).toBe(performance.now());
    expect(pool.lastSuccess("p")).toBe(1_000_000);
    expect(pool.lastFailure("p")).toEqual({
      fault: { failure: "STATE", detail: "disabled" },
      operation: "unwrap",
      time: 1_000_010,
    });
  });

  it("nothing of a provider that was opened anew", async () => {
    const { pool } = create();
    for (let i = 0; i < 3; i++) await ending(call(pool, failing({ failure: "OUTAGE", answered: true })));
    const before = vi.getTimerCount();
    pool.put("p", stubProvider());
    expect(vi.getTimerCount()).toBeLessThanOrEqual(before);
    expect([state(pool), pool.lastFailure("p")]).toEqual(["closed", null]);
  });
});
