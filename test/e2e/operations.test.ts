import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { finishCreation, unfinishedKeys } from "#broker/finish-creation.ts";
import type { Observation, Provider } from "#core/provider.ts";
import { Estate } from "./estate.ts";

let estate: Estate;
beforeEach(async () => {
  estate = await Estate.create();
}, 60_000);
afterEach(async () => {
  vi.restoreAllMocks();
  await estate[Symbol.asyncDispose]();
}, 60_000);

/** Lets a provider take as long over its keys as the test says. */
function slow(): { state: "making" | "made" | "gone" } {
  const control: { state: "making" | "made" | "gone" } = { state: "making" };
  const provider: Provider = estate.gateway.parts.fleet.member("hsm-a")?.provider ?? expect.fail("it is not open");
  const create = provider.keys.create.bind(provider.keys);
  const describeKey = provider.describe.bind(provider);
  const shown = (seen: Observation): Observation =>
    control.state === "making"
      ? { ...seen, observed: "unavailable", nativeState: "PENDING_GENERATION" }
      : control.state === "gone"
        ? { ...seen, observed: "destroyed", nativeState: "GENERATION_FAILED" }
        : seen;
  vi.spyOn(provider.keys, "create").mockImplementation(async (spec, call) => shown(await create(spec, call)));
  vi.spyOn(provider, "describe").mockImplementation(async (ref, call) => shown(await describeKey(ref, call)));
  return control;
}

const body = { name: "slow", purpose: "sign", custody: { kind: "native", provider: "hsm-a" } };

/** A caller with so little time is not kept waiting for the provider. */
const HASTE = { "claviger-deadline-ms": "400" };

async function turn(): Promise<readonly boolean[]> {
  const { parts } = estate.gateway;
  return await Promise.all([...unfinishedKeys(parts)].map(async (key) => await finishCreation(parts, key)));
}

describe("a key that its provider takes long to make", () => {
  it("is answered with an operation that says how far it is, also after a restart, and then is usable", async () => {
    slow();
    const answer = await estate.ask("POST", "/v1/keys", body, HASTE);
    expect(answer).toMatchObject({
      status: 202,
      body: { kind: "create-key", state: "running", progress: { done: 0 }, result: null },
    });
    const path = `/v1/operations/${String(answer.body["id"])}`;
    expect(await estate.succeed("GET", "/v1/keys/slow")).toMatchObject({
      state: "generated",
      stateReason: "awaiting-material",
    });
    expect(await estate.ask("POST", "/v1/keys/slow/sign", { message: "" })).toMatchObject({ status: 409 });
    expect(await estate.ask("POST", "/v1/keys/slow/activate")).toMatchObject({
      status: 409,
      body: { code: "ILLEGAL_TRANSITION" },
    });
    await estate.close();
    await estate.open();
    const again = slow();
    expect(await turn()).toEqual([false]);
    expect(await estate.succeed("GET", path)).toMatchObject({ state: "running" });
    again.state = "made";
    expect(await turn()).toEqual([true]);
    const done = await estate.succeed("GET", path);
    expect(done).toMatchObject({ state: "done", progress: { done: 1, total: 1 }, error: null });
    expect(await estate.succeed("GET", (done["result"] as { location: string }).location)).toMatchObject({
      state: "active",
      primaryVersion: 1,
    });
    await estate.succeed("POST", "/v1/keys/slow/sign", { message: "" });
    expect(await turn()).toEqual([]);
  }, 30_000);

  it("fails where the provider gives up, and stays generated where it was not to begin", async () => {
    const control = slow();
    const failing = await estate.ask("POST", "/v1/keys", body, HASTE);
    const waiting = await estate.ask("POST", "/v1/keys", { ...body, name: "later", activate: false }, HASTE);
    expect([failing.status, waiting.status]).toEqual([202, 202]);
    control.state = "made";
    const { parts } = estate.gateway;
    const later = [...unfinishedKeys(parts)].find(({ name }) => name === "later") ?? expect.fail("it is not there");
    expect(await finishCreation(parts, later)).toBe(true);
    expect(await estate.succeed("GET", "/v1/keys/later")).toMatchObject({ state: "generated", stateReason: "created" });
    control.state = "gone";
    expect(await turn()).toEqual([true]);
    expect(await estate.succeed("GET", `/v1/operations/${String(failing.body["id"])}`)).toMatchObject({
      state: "failed",
      error: { code: "NO_PROVIDER" },
      result: null,
    });
    expect(await estate.ask("POST", "/v1/keys/slow/sign", { message: "" })).toMatchObject({ status: 410 });
  }, 30_000);

  it("is waited for a little: what is made meanwhile is answered as ever", async () => {
    const control = slow();
    setTimeout(() => {
      control.state = "made";
    }, 400);
    expect(await estate.ask("POST", "/v1/keys", body)).toMatchObject({ status: 201, body: { state: "active" } });
  });

  it("has no operation that others see, nor one for what is no id", async () => {
    for (const id of ["op_00000000-0000-7000-8000-000000000000", "op_x", "slow"])
      expect(await estate.ask("GET", `/v1/operations/${id}`)).toMatchObject({
        status: 404,
        body: { code: "NOT_FOUND" },
      });
  });
});
