import { describe, expect, it } from "vitest";
import { listInventory } from "#broker/inventory.ts";
import type { BrokerParts } from "#broker/parts.ts";
import type { Caller } from "#broker/caller.ts";
import { InventorySweep } from "#broker/sweep-inventory.ts";
import type { InventoryEntry } from "#core/inventory.ts";
import type { CallContext, Observation } from "#core/provider.ts";
import { ManualTime } from "../../conformance/manual-time.ts";

const HOUR_MS = 3_600_000;

describe("the sweep through what providers hold", () => {
  it("notes every key, page by page, and forgets the ones that it did not see", async () => {
    const estate = new Estate(60);
    const sweep = new InventorySweep(estate.parts);
    await sweep.turn();
    expect(estate.noted.map(({ nativeRef }) => nativeRef)).toEqual(estate.refs);
    expect(estate.forgotten).toEqual([["uid", estate.time.now]]);
  });

  it("asks again after an hour, and not before", async () => {
    const estate = new Estate(1);
    const sweep = new InventorySweep(estate.parts);
    await sweep.turn();
    estate.time.advance(HOUR_MS - 1);
    await sweep.turn();
    expect(estate.noted).toHaveLength(1);
    estate.time.advance(1);
    await sweep.turn();
    expect(estate.noted).toHaveLength(2);
  });

  it("goes no faster than the service allows", async () => {
    const estate = new Estate(50, { listedPerSecond: 5 });
    const turn = new InventorySweep(estate.parts).turn();
    await estate.settle();
    expect(estate.noted).toHaveLength(25);
    estate.time.advance(4999);
    await estate.settle();
    expect(estate.noted).toHaveLength(25);
    estate.time.advance(1);
    await estate.settle();
    expect(estate.noted).toHaveLength(50);
    estate.time.advance(5000);
    await turn;
  });

  it("forgets nothing when the list breaks off, also where the call is repeated", async () => {
    const estate = new Estate(60, { breaksAt: 30 });
    await expect(new InventorySweep(estate.parts).turn()).rejects.toThrow("gone");
    expect(estate.noted).toHaveLength(25);
    expect(estate.forgotten).toEqual([]);
  });
});

describe("the inventory", () => {
  it("tells what a key is to the gateway", async () => {
    const estate = new Estate(4);
    await new InventorySweep(estate.parts).turn();
    const views = await listInventory(estate.parts, ADMIN, {}, { limit: 10 });
    expect(views.map(({ use, provider, keyVersion }) => ({ use, provider, keyVersion }))).toEqual([
      { use: "canary", provider: "cloud", keyVersion: null },
      { use: "recipient", provider: "cloud", keyVersion: null },
      { use: "key", provider: "cloud", keyVersion: 3 },
      { use: "none", provider: "cloud", keyVersion: null },
    ]);
  });

  it("is of nobody's keys for a provider that is not there", async () => {
    const estate = new Estate(2);
    await new InventorySweep(estate.parts).turn();
    expect(await listInventory(estate.parts, ADMIN, { provider: "elsewhere" }, { limit: 10 })).toEqual([]);
  });

  it("is refused to those who use keys alone", async () => {
    const user = { principal: { client: { role: "user" } } } as unknown as Caller;
    await expect(listInventory(new Estate(1).parts, user, {}, { limit: 1 })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
  });
});

const ADMIN = { principal: { client: { role: "admin" } } } as unknown as Caller;

/** A gateway with one provider, and keys in it: the canary, a recipient, a key, and keys of others. */
class Estate {
  readonly time = new ManualTime();
  readonly noted: InventoryEntry[] = [];
  readonly forgotten: [string, number][] = [];
  readonly refs: readonly string[];
  readonly parts: BrokerParts;

  constructor(
    count: number,
    { breaksAt, ...capabilities }: { readonly breaksAt?: number; readonly listedPerSecond?: number } = {},
  ) {
    this.refs = Array.from({ length: count }, (_, n) => `ref-${n}`);
    const { refs } = this;
    async function* list(): AsyncGenerator<Observation> {
      for (const [n, ref] of refs.entries()) {
        await Promise.resolve();
        if (n === breaksAt) throw new Error("gone");
        yield {
          ref,
          observed: "enabled",
          nativeState: "Enabled",
          algorithm: null,
          marker: null,
          createTime: null,
          destroyTime: null,
          requestId: null,
        };
      }
    }
    const member = {
      name: "cloud",
      uid: "uid",
      canary: "ref-0",
      provider: { list, capabilities },
      misconfigured: undefined,
    };
    const call = async (
      _: string,
      __: string,
      ___: string,
      run: (context: CallContext) => Promise<unknown>,
    ): Promise<unknown> => {
      const context = { signal: new AbortController().signal, requestId: "req" };
      return await run(context).catch(async () => await run(context)); // as the pool repeats what an outage broke
    };
    this.parts = {
      sources: this.time.sources,
      pool: { call },
      fleet: {
        members: () => [member],
        member: (name: string) => (name === "cloud" ? member : undefined),
        memberByUid: () => member,
      },
      catalog: {
        drain: () => undefined,
        provider: () => undefined,
        recipients: () => [{ providerUid: "uid", nativeRef: "ref-1" }],
        bindingOf: (_: string, ref: string) => (ref === "ref-2" ? { key: "key_1", version: 3 } : undefined),
        key: () => undefined,
      },
      store: {
        noteInventory: async (entries: readonly InventoryEntry[]) => {
          this.noted.push(...entries);
          await Promise.resolve();
        },
        forgetUnseen: async (uid: string, time: number) => {
          this.forgotten.push([uid, time]);
          await Promise.resolve();
        },
        inventory: async () => await Promise.resolve(this.noted),
      },
    } as unknown as BrokerParts;
  }

  /** Lets everything run that waits for nothing but its turn. */
  async settle(): Promise<void> {
    for (let n = 0; n < 500; n += 1) await Promise.resolve();
  }
}
