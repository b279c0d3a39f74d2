import { describe, expect, it } from "vitest";
import type { Heartbeat, IdempotencyEntry } from "#core/catalog.ts";
import type { InventoryEntry, InventoryPage } from "#core/inventory.ts";
import { kmsError } from "./kms-error.ts";
import { RECORDS, keyId, putRecord } from "./sealed-records.ts";
import { type StoreHarness, writes } from "./store-subject.ts";

const HOUR_MS = 3_600_000;
const LAST_USE_WRITE_MS = 5000;

/** The tables that nobody follows: what they keep, and that they are no part of the feed. */
export function storeUnsealedSuite({ create }: StoreHarness): void {
  describe("idempotency", () => {
    it("keeps an answer with its change, for every process, for 24 hours", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const answer = entry(subject.time.now);
      await one.change(() => ({
        mutations: [putRecord("drains", RECORDS.drains(1), 0)],
        idempotency: answer,
        result: 1,
      }));
      expect(await other.findIdempotency("crd_1", "once")).toEqual(answer);
      expect(await other.findIdempotency("crd_2", "once")).toBeUndefined();
      subject.time.advance(24 * HOUR_MS);
      expect(await other.findIdempotency("crd_1", "once")).toBeUndefined();
    });

    it("lets only one of two changes with one key be made", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const idempotency = entry(subject.time.now);
      await one.change(() => ({ mutations: [putRecord("drains", RECORDS.drains(1), 0)], idempotency, result: 1 }));
      const second = other.change(() => ({
        mutations: [putRecord("drains", RECORDS.drains(2), 0)],
        idempotency,
        result: 2,
      }));
      await expect(second).rejects.toEqual(kmsError("IDEMPOTENCY_KEY_IN_USE"));
      await one.refresh();
      expect(one.catalog.drain("provider-2")).toBeUndefined();
      expect(other.catalog.drain("provider-2")).toBeUndefined();
    });

    it("lets a key be used again after 24 hours", async () => {
      await using subject = await create();
      const store = await subject.open();
      const keep = (): Promise<number> =>
        store.change(() => ({ mutations: [], idempotency: entry(subject.time.now), result: subject.time.now }));
      await keep();
      await expect(keep()).rejects.toEqual(kmsError("IDEMPOTENCY_KEY_IN_USE"));
      subject.time.advance(24 * HOUR_MS);
      await keep();
      expect((await store.findIdempotency("crd_1", "once"))?.time).toBe(subject.time.now);
    });
  });

  describe("leases", () => {
    it("are held by one process until they end or are given back", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      expect(await one.lease("leader", "one", 1000)).toBe(true);
      expect(await other.lease("leader", "other", 1000)).toBe(false);
      expect(await one.lease("leader", "one", 2000)).toBe(true);
      subject.time.advance(1999);
      expect(await other.lease("leader", "other", 1000)).toBe(false);
      subject.time.advance(1);
      expect(await other.lease("leader", "other", 1000)).toBe(true);
      expect(await one.lease("leader", "one", 1000)).toBe(false);
      expect(await other.lease("leader", "other", 0)).toBe(true);
      expect(await one.lease("leader", "one", 1000)).toBe(true);
    });
  });

  describe("inventory", () => {
    it("keeps the id of a key that is seen again, and shows every process the newest of it", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      await one.noteInventory([seen(1), seen(2)]);
      await other.noteInventory([{ ...seen(3), nativeRef: "ref-1", observed: "disabled", lastSeenTime: 9 }]);
      const [first, ...rest] = await one.inventory({ limit: 10 });
      expect(first).toEqual({ ...seen(3), id: seen(1).id, nativeRef: "ref-1", observed: "disabled", lastSeenTime: 9 });
      expect(rest).toEqual([seen(2)]);
      expect(await other.findInventory(seen(2).id)).toEqual(seen(2));
      expect(await other.findInventory(seen(3).id)).toBeUndefined();
    });

    it("gives pages, of one provider, of keys with a marker and without", async () => {
      await using subject = await create();
      const store = await subject.open();
      const entries = [1, 2, 3, 4, 5].map((n) => ({
        ...seen(n),
        providerUid: n < 4 ? "one" : "other",
        marker: n % 2 ? "m" : null,
      }));
      await store.noteInventory(entries);
      const ids = async (page: InventoryPage): Promise<readonly string[]> =>
        (await store.inventory(page)).map(({ nativeRef }) => nativeRef);
      expect(await ids({ limit: 2 })).toEqual(["ref-1", "ref-2"]);
      expect(await ids({ limit: 2, after: seen(2).id })).toEqual(["ref-3", "ref-4"]);
      expect(await ids({ limit: 9, providerUid: "other" })).toEqual(["ref-4", "ref-5"]);
      expect(await ids({ limit: 9, marked: true })).toEqual(["ref-1", "ref-3", "ref-5"]);
      expect(await ids({ limit: 9, marked: false, providerUid: "one" })).toEqual(["ref-2"]);
    });

    it("forgets what a sweep has not seen, of that provider alone", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store.noteInventory([seen(1), { ...seen(2), lastSeenTime: 20 }, { ...seen(3), providerUid: "other" }]);
      await store.forgetUnseen("uid", 10);
      expect((await store.inventory({ limit: 9 })).map(({ nativeRef }) => nativeRef)).toEqual(["ref-2", "ref-3"]);
    });

    it("is no part of the feed", async () => {
      await using subject = await create();
      const store = await subject.open();
      const { revision } = store.catalog;
      await store.noteInventory([seen(1)]);
      await store.refresh();
      expect(store.catalog.revision).toBe(revision);
    });
  });

  describe("heartbeats", () => {
    it("are seen by every process, the newest of each, until they are dropped", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      await one.beat(heartbeat("one", 1));
      await other.beat(heartbeat("other", 1));
      await one.beat(heartbeat("one", 2));
      expect(await other.heartbeats()).toEqual([heartbeat("one", 2), heartbeat("other", 1)]);
      await other.dropHeartbeat("one");
      expect(await one.heartbeats()).toEqual([heartbeat("other", 1)]);
    });
  });

  describe("last use", () => {
    it("is known by the hour, and to other processes after a while", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const hour = Math.floor(subject.time.now / HOUR_MS) * HOUR_MS;
      one.noteUse(keyId(1), hour + 1234);
      one.noteUse(keyId(1), hour - 1);
      expect(one.lastUse(keyId(1))).toBe(hour);
      expect(other.lastUse(keyId(1))).toBeUndefined();
      subject.time.advance(LAST_USE_WRITE_MS);
      await expect
        .poll(() => {
          subject.time.advance(LAST_USE_WRITE_MS);
          return other.lastUse(keyId(1));
        })
        .toBe(hour);
      expect((await subject.open()).lastUse(keyId(1))).toBe(hour);
    });

    it("is told of credentials as of keys", async () => {
      await using subject = await create();
      const store = await subject.open();
      store.noteUse("crd_1", 7 * HOUR_MS + 1);
      await store[Symbol.asyncDispose]();
      const next = await subject.open();
      expect([next.lastUse("crd_1"), next.lastUse("crd_2")]).toEqual([7 * HOUR_MS, undefined]);
    });

    it("is written when the store closes", async () => {
      await using subject = await create();
      const store = await subject.open();
      store.noteUse(keyId(1), 7 * HOUR_MS);
      await store[Symbol.asyncDispose]();
      expect((await subject.open()).lastUse(keyId(1))).toBe(7 * HOUR_MS);
    });
  });

  describe("what a key version has protected", () => {
    it("adds up over processes, and over closing and opening again", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      one.noteProtected("key_1/1", 10);
      one.noteProtected("key_1/1", 5);
      other.noteProtected("key_1/1", 1);
      other.noteProtected("key_1/2", 7);
      expect([one, other].map((store) => store.protectedAmount("key_1/1"))).toEqual([
        { messages: 2, bytes: 15 },
        { messages: 1, bytes: 1 },
      ]);
      await expect
        .poll(() => {
          subject.time.advance(LAST_USE_WRITE_MS);
          return [one, other].map((store) => store.protectedAmount("key_1/1"));
        })
        .toEqual([
          { messages: 3, bytes: 16 },
          { messages: 3, bytes: 16 },
        ]);
      one.noteProtected("key_1/1", 4);
      await one[Symbol.asyncDispose]();
      const next = await subject.open();
      expect(["key_1/1", "key_1/2", "key_2/1"].map((id) => next.protectedAmount(id))).toEqual([
        { messages: 4, bytes: 20 },
        { messages: 1, bytes: 7 },
        { messages: 0, bytes: 0 },
      ]);
    });
  });

  it("puts nothing into the feed for a million uses, heartbeats and leases", async () => {
    await using subject = await create();
    const [one, other] = [await subject.open(), await subject.open()];
    await one.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
    await other.refresh();
    const { revision } = one.catalog;
    const keys = Array.from({ length: 1000 }, (_, n) => keyId(n));
    for (let at = 0; at < 1000; at += 1) for (const used of keys) one.noteUse(used, at * 1_000_000);
    subject.time.advance(LAST_USE_WRITE_MS);
    await one.beat(heartbeat("one", 1));
    await one.lease("leader", "one", 1000);
    expect(await other.refresh()).toBe(false);
    expect(await one.refresh()).toBe(false);
    expect([one.catalog.revision, other.catalog.revision]).toEqual([revision, revision]);
  });
}

function entry(time: number): IdempotencyEntry {
  return {
    credential: "crd_1",
    key: "once",
    method: "POST",
    path: "/v1/keys",
    bodyDigest: "",
    status: 201,
    resource: "/v1/keys/key_1",
    time,
  };
}

function heartbeat(process: string, time: number): Heartbeat {
  return { process, gateway: "g", appliedRevision: time, policyHash: "", time, report: "{}" };
}

function seen(n: number): InventoryEntry {
  return {
    id: `inv_0193b3a0-0000-7000-8000-00000000000${n}`,
    providerUid: "uid",
    nativeRef: `ref-${n}`,
    algorithm: "ED25519",
    observed: "enabled",
    nativeState: "Enabled",
    marker: null,
    createTime: 1,
    destroyTime: null,
    lastSeenTime: n,
  };
}
