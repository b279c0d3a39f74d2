import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { parseUuid, type Uuid } from "#core/ids.ts";
import { createBranchKeys, type BranchKeyResult, type LoadedBranchKey } from "#envelope/branch-keys.ts";
import { BRANCH, countingKey, OTHER_ID, RECIPIENT } from "./fixtures.ts";

const REFRESH_MS = 300_000;
const HARD_TTL_MS = 3_600_000;
const OTHER_RECIPIENT = parseUuid("01890a5d-ac96-774b-bcce-b302099a80fe");
const THIRD = parseUuid("01890a5d-ac96-774b-bcce-b302099a80fd");

type Call = {
  readonly branch: Uuid;
  answer(recipient?: Uuid, key?: Buffer): Promise<void>;
  fail(error: Error): Promise<void>;
};

/** A cache on a clock that only the test moves, with loads that only the test answers. Without jitter unless `jitter` says so. */
function harness({ jitter = 0x7fff }: { readonly jitter?: number } = {}) {
  let nowMs = 0;
  const calls: Call[] = [];
  const results: BranchKeyResult[] = [];
  const load = (branch: Uuid): Promise<LoadedBranchKey> => {
    const { promise, resolve, reject } = Promise.withResolvers<LoadedBranchKey>();
    calls.push({
      branch,
      answer: async (recipient = RECIPIENT, key = countingKey(1)) => {
        resolve({ key, recipient });
        await settle();
      },
      fail: async (error) => {
        reject(error);
        await settle();
      },
    });
    return promise;
  };
  const two = (): Buffer => Buffer.of(jitter >>> 8, jitter & 0xff);
  const keys = createBranchKeys({
    clock: { now: () => 1_700_000_000_000 + nowMs, monotonicMs: () => 50 + nowMs },
    random: { bytes: two, kernelBytes: two },
    refreshMs: REFRESH_MS,
    hardTtlMs: HARD_TTL_MS,
    load,
    onResult: (result) => results.push(result),
  });
  /** The call of the newest load. */
  const last = (): Call => {
    const call = calls.at(-1);
    if (call === undefined) throw new Error("nothing was loaded");
    return call;
  };
  const warm = async (branch = BRANCH, recipient = RECIPIENT, key = countingKey(1)): Promise<Buffer> => {
    const flight = keys.get(branch, 1);
    await last().answer(recipient, key);
    return await flight;
  };
  const read = async (branch = BRANCH, version = 1): Promise<Buffer> => await keys.get(branch, version);
  return { keys, calls, results, last, warm, read, pass: (ms: number) => void (nowMs += ms) };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe("a cold branch key", () => {
  it("is loaded once for a thousand readers", async () => {
    const { read, calls, last, results } = harness();
    const readers = Array.from({ length: 1_000 }, () => read());
    await last().answer();
    const got = await Promise.all(readers);
    expect(calls.length).toBe(1);
    expect(new Set(got).size).toBe(1);
    expect(got[0]).toEqual(countingKey(1));
    expect(results).toEqual(["load"]);
  });

  it("is loaded for each branch version by itself", async () => {
    const { read, calls } = harness();
    const flights = [read(BRANCH, 1), read(BRANCH, 2), read(OTHER_ID, 1)];
    await Promise.all(calls.map((call, index) => call.answer(RECIPIENT, countingKey(index))));
    expect(await Promise.all(flights)).toEqual([countingKey(0), countingKey(1), countingKey(2)]);
  });

  it("answers a failure to all who wait, and remembers it for 250 ms", async () => {
    const { keys, read, calls, last, pass, results } = harness();
    const readers = Array.from({ length: 3 }, () => read());
    const failure = new KmsError("NO_PROVIDER", "no recipient answers");
    const outcomes = Promise.allSettled(readers);
    await last().fail(failure);
    expect(await outcomes).toEqual(Array.from({ length: 3 }, () => ({ status: "rejected", reason: failure })));
    pass(249);
    await expect(keys.get(BRANCH, 1)).rejects.toBe(failure);
    expect([calls.length, results]).toEqual([1, ["failure"]]);
    pass(2);
    const again = keys.get(BRANCH, 1);
    await last().answer();
    expect([calls.length, await again]).toEqual([2, countingKey(1)]);
  });

  it.each([
    { jitter: 0, ms: 200 },
    { jitter: 0xffff, ms: 300 },
  ])("spreads the memory of a failure: $ms ms for the random number $jitter", async ({ jitter, ms }) => {
    const { keys, calls, last, pass } = harness({ jitter });
    const reader = Promise.allSettled([keys.get(BRANCH, 1)]);
    await last().fail(new Error("down"));
    await reader;
    pass(ms - 1);
    await expect(keys.get(BRANCH, 1)).rejects.toThrow("down");
    pass(2);
    const again = keys.get(BRANCH, 1);
    expect(calls.length).toBe(2);
    await last().answer();
    await again;
  });

  it("goes on loading when its caller has left", async () => {
    const { keys, last } = harness();
    await Promise.race([keys.get(BRANCH, 1), Promise.resolve("gone")]);
    await last().answer();
    expect(keys.get(BRANCH, 1)).toEqual(countingKey(1));
  });

  it("is refused if the load gives no key", async () => {
    const { keys, last } = harness();
    const reader = keys.get(BRANCH, 1);
    const refused = expect(reader).rejects.toThrow("INTERNAL");
    await last().answer(RECIPIENT, Buffer.alloc(32));
    await refused;
    expect(keys.state(BRANCH, 1)).toBeUndefined();
  });

  it("is for nobody if it is evicted while it is loaded", async () => {
    const { keys, calls, last } = harness();
    const reader = Promise.allSettled([keys.get(BRANCH, 1)]);
    const first = last();
    keys.evict(BRANCH, 1);
    const second = keys.get(BRANCH, 1);
    const key = countingKey(1);
    await first.answer(RECIPIENT, key);
    expect(await reader).toMatchObject([{ status: "rejected", reason: { code: "NO_PROVIDER" } }]);
    expect(key).toEqual(Buffer.alloc(32));
    await last().answer();
    expect([await second, calls.length]).toEqual([countingKey(1), 2]);
    expect(keys.get(BRANCH, 1)).toBe(await second);
  });
});

it("the failure of a load that was evicted is not remembered", async () => {
  const { keys, read, calls, last } = harness();
  const reader = Promise.allSettled([read()]);
  const first = last();
  keys.evict(BRANCH, 1);
  await first.fail(new Error("down"));
  await reader;
  const again = read();
  await last().answer();
  expect([await again, calls.length]).toEqual([countingKey(1), 2]);
});

describe("a warm branch key", () => {
  it("is answered at once, without a load", async () => {
    const { keys, calls, warm, results } = harness();
    const key = await warm();
    expect(keys.get(BRANCH, 1)).toBe(key);
    expect([calls.length, results]).toEqual([1, ["load", "hit"]]);
  });

  it("tells since when and until when it is here, and by whom", async () => {
    const { keys, warm, pass } = harness();
    pass(1_000);
    await warm();
    pass(5_000);
    expect(keys.state(BRANCH, 1)).toEqual({
      loadedAt: 1_700_000_001_000,
      expiresAt: 1_700_000_001_000 + HARD_TTL_MS,
      recipient: RECIPIENT,
    });
    expect(keys.state(OTHER_ID, 1)).toBeUndefined();
  });

  it("is refreshed on use behind the back of its readers, once", async () => {
    const { keys, calls, last, warm, pass, results } = harness();
    const key = await warm();
    pass(REFRESH_MS - 5);
    void keys.get(BRANCH, 1);
    expect(calls.length).toBe(1);
    pass(10);
    expect([keys.get(BRANCH, 1), keys.get(BRANCH, 1)]).toEqual([key, key]);
    expect(calls.length).toBe(2);
    const opened = countingKey(1);
    await last().answer(RECIPIENT, opened);
    expect(opened).toEqual(Buffer.alloc(32));
    expect(keys.get(BRANCH, 1)).toBe(key);
    expect([calls.length, results.filter((result) => result === "refresh").length]).toEqual([2, 1]);
    expect(keys.state(BRANCH, 1)?.expiresAt).toBe(1_700_000_000_000 + REFRESH_MS + 5 + HARD_TTL_MS);
  });

  it("is renewed by an unwrap of another branch under the same wrapping key", async () => {
    const { keys, calls, last, warm, pass } = harness();
    await warm(BRANCH);
    await warm(OTHER_ID);
    pass(REFRESH_MS + 5);
    void keys.get(OTHER_ID, 1);
    await last().answer();
    void keys.get(BRANCH, 1);
    expect(calls.map(({ branch }) => branch)).toEqual([BRANCH, OTHER_ID, OTHER_ID]);
    pass(HARD_TTL_MS - 5);
    expect(keys.get(BRANCH, 1)).toEqual(countingKey(1));
  });

  it("is not renewed by an unwrap under another wrapping key", async () => {
    const { keys, last, warm, pass } = harness();
    await warm(BRANCH);
    pass(HARD_TTL_MS - 1);
    await warm(OTHER_ID, OTHER_RECIPIENT);
    pass(1);
    const cold = keys.get(BRANCH, 1);
    expect(cold).toBeInstanceOf(Promise);
    await last().answer();
    await cold;
  });

  it("moves under the recipient that answered its refresh", async () => {
    const { keys, last, warm, pass } = harness();
    await warm();
    pass(REFRESH_MS + 5);
    void keys.get(BRANCH, 1);
    await last().answer(OTHER_RECIPIENT);
    expect(keys.state(BRANCH, 1)).toMatchObject({ recipient: OTHER_RECIPIENT });
    pass(HARD_TTL_MS - 1);
    expect(keys.get(BRANCH, 1)).toEqual(countingKey(1));
  });

  it("is served through failing refreshes, which come less often, until its hard limit", async () => {
    const { keys, calls, last, warm, pass, results } = harness();
    const key = await warm();
    pass(REFRESH_MS + 5);
    for (let spent = REFRESH_MS + 5; spent < HARD_TTL_MS; spent += 1_000) {
      expect(keys.get(BRANCH, 1)).toBe(key);
      if (calls.length > results.filter((result) => result !== "hit").length) await last().fail(new Error("down"));
      pass(1_000);
    }
    expect(calls.length).toBe(1 + Math.ceil((HARD_TTL_MS - REFRESH_MS) / 30_000));
    const cold = keys.get(BRANCH, 1);
    expect(cold).toBeInstanceOf(Promise);
    expect(key).toEqual(Buffer.alloc(32));
    await last().answer();
    await cold;
  });

  it("stays as it was if a refresh opens to other bytes", async () => {
    const { keys, last, warm, pass, results } = harness();
    const key = await warm();
    pass(REFRESH_MS + 5);
    void keys.get(BRANCH, 1);
    await last().answer(RECIPIENT, countingKey(9));
    expect(keys.get(BRANCH, 1)).toEqual(countingKey(1));
    expect(key).toEqual(countingKey(1));
    expect(results.filter((result) => result === "failure").length).toBe(1);
    expect(keys.state(BRANCH, 1)?.expiresAt).toBe(1_700_000_000_000 + HARD_TTL_MS);
  });

  it("does not come back from a refresh that ends after it was dropped", async () => {
    const { keys, last, warm, pass } = harness();
    await warm();
    pass(REFRESH_MS + 5);
    void keys.get(BRANCH, 1);
    const refresh = last();
    keys.evict(BRANCH, 1);
    const opened = countingKey(1);
    await refresh.answer(RECIPIENT, opened);
    expect([keys.state(BRANCH, 1), opened]).toEqual([undefined, Buffer.alloc(32)]);
  });
});

describe("a dropped branch key", () => {
  it("is zeroed, and then told", async () => {
    const { keys, warm } = harness();
    const key = await warm();
    const told: unknown[] = [];
    using _ = keys.onDrop((branch, version) => told.push([branch, version, key.every((byte) => byte === 0)]));
    keys.evict(BRANCH, 1);
    keys.evict(BRANCH, 1);
    expect(told).toEqual([[BRANCH, 1, true]]);
  });

  it("is told to nobody who has stopped listening", async () => {
    const { keys, warm } = harness();
    await warm();
    let told = 0;
    keys.onDrop(() => (told += 1))[Symbol.dispose]();
    keys.clear();
    expect(told).toBe(0);
  });

  it("goes with all others when the cache is cleared", async () => {
    const { keys, warm } = harness();
    const held = [await warm(BRANCH), await warm(OTHER_ID, OTHER_RECIPIENT)];
    keys.clear();
    expect(held).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);
    expect(keys.state(BRANCH, 1)).toBeUndefined();
  });

  it("goes at its hard limit even if nobody asks, when the cache is swept", async () => {
    const { keys, warm, pass } = harness();
    const key = await warm(BRANCH);
    pass(1);
    const younger = await warm(OTHER_ID, OTHER_RECIPIENT);
    pass(HARD_TTL_MS - 1);
    keys.sweep();
    expect([key, younger]).toEqual([Buffer.alloc(32), countingKey(1)]);
  });

  it("is not brought back by a load under its wrapping key after its hard limit", async () => {
    const { keys, warm, pass } = harness();
    const key = await warm(BRANCH);
    pass(HARD_TTL_MS);
    await warm(THIRD);
    expect(keys.state(BRANCH, 1)).toBeUndefined();
    expect(key).toEqual(Buffer.alloc(32));
  });
});
