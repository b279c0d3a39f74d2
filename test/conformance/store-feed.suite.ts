import { describe, expect, it } from "vitest";
import { RECORDS, key, keyId, putRecord } from "./sealed-records.ts";
import { type StoreHarness, applied, writes } from "./store-subject.ts";

const POLL_MS = 50;

/** How processes on one database follow each other, and what a process finds when it starts. */
export function storeFeedSuite({ create }: StoreHarness): void {
  describe("feed", () => {
    it("brings a change to another process within one poll", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const mutation = putRecord("keys", key(1), 0);
      await one.change(writes(mutation));
      expect(other.catalog.key(keyId(1))).toBeUndefined();
      const told = applied(other);
      subject.time.advance(POLL_MS);
      expect(await told).toEqual({ mutations: [mutation], own: false });
      expect(other.catalog.keyByName("default", "key-1")).toEqual(key(1));
      expect(other.catalog.revision).toBe(one.catalog.revision);
    });

    it("tells of a changed and of a removed row with the revision that they had", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      await one.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
      await other.refresh();
      const before = one.catalog.revision;
      const told = applied(other);
      await one.change(writes({ table: "drains", id: "provider-1", record: null, ifRevision: before }));
      await other.refresh();
      const removal = { table: "drains", id: "provider-1", record: null, ifRevision: before };
      expect(await told).toEqual({ mutations: [removal], own: false });
      expect(other.catalog.drain("provider-1")).toBeUndefined();
    });

    it("is read at once by refresh, which says whether anything was new", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      expect(await other.refresh()).toBe(false);
      await one.change(writes(putRecord("keys", key(1), 0)));
      expect(await Promise.all([other.refresh(), other.refresh()])).toEqual([true, true]);
      expect(other.catalog.key(keyId(1))).toEqual(key(1));
      expect(await other.refresh()).toBe(false);
    });

    it("dates the catalog by the last reading, be there something new or not", async () => {
      await using subject = await create();
      const store = await subject.open();
      const opened = store.catalog.freshAtMs;
      subject.time.advance(10);
      await store.refresh();
      expect(store.catalog.freshAtMs).toBe(opened + 10);
    });

    it("shows a row that was written, removed and written again between two readings as it is in the end", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const revisionOf = (): number => one.catalog.revisionOf("drains", "provider-1");
      await one.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
      await one.change(writes({ table: "drains", id: "provider-1", record: null, ifRevision: revisionOf() }));
      await one.change(writes(putRecord("drains", RECORDS.drains(1, 7), 0)));
      await other.refresh();
      expect(other.catalog.drain("provider-1")).toEqual(RECORDS.drains(1, 7));
      expect(other.catalog.revisionOf("drains", "provider-1")).toBe(revisionOf());
      expect(other.catalog.faults).toEqual([]);
    });
  });

  describe("opening", () => {
    it("finds everything that a process wrote that was killed before it could close", async () => {
      await using subject = await create();
      const killed = await subject.open();
      await killed.change(writes(putRecord("keys", key(1), 0), putRecord("drains", RECORDS.drains(1), 0)));
      await killed.change(
        writes({ table: "drains", id: "provider-1", record: null, ifRevision: killed.catalog.revision }),
      );
      const next = await subject.open();
      expect(next.catalog.key(keyId(1))).toEqual(key(1));
      expect(next.catalog.drain("provider-1")).toBeUndefined();
      expect(next.catalog.revision).toBe(killed.catalog.revision);
      expect(next.catalog.faults).toEqual([]);
    });

    it("starts two processes at once on an empty database", async () => {
      await using subject = await create();
      const [one, other] = await Promise.all([subject.open(), subject.open()]);
      await one.change(writes(putRecord("keys", key(1), 0)));
      await other.refresh();
      expect(other.catalog.key(keyId(1))).toEqual(key(1));
    });

    it("finds nothing to complain of in a sweep over what it wrote", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      await one.change(writes(putRecord("keys", key(1), 0), putRecord("history", RECORDS.history(1), 0)));
      const [swept] = await Promise.all([other.verify(), one.change(writes(putRecord("keys", key(2), 0)))]);
      expect(swept).toEqual([]);
      expect(await one.verify()).toEqual([]);
    });
  });

  describe("snapshots", () => {
    it("bound what is read at the start and lose nothing", async () => {
      await using subject = await create();
      const store = await subject.open({ snapshotEvery: 10 });
      for (let n = 1; n <= 35; n += 1) await store.change(writes(putRecord("drains", RECORDS.drains(n), 0)));
      await store.change(writes({ table: "drains", id: "provider-1", record: null, ifRevision: 1 }));
      await store.refresh();
      const next = await subject.open({ snapshotEvery: 10 });
      expect(next.catalog.revision).toBe(36);
      expect(next.catalog.drain("provider-1")).toBeUndefined();
      expect(next.catalog.drain("provider-35")).toEqual(RECORDS.drains(35));
      expect(next.catalog.faults).toEqual([]);
      expect(await next.verify()).toEqual([]);
      await next.change(writes(putRecord("drains", RECORDS.drains(36), 0)));
      await store.refresh();
      expect(store.catalog.drain("provider-36")).toEqual(RECORDS.drains(36));
    });

    it("let a process that lagged behind the dropped changes catch up, and tell what became of the rows", async () => {
      await using subject = await create();
      const [one, slow] = [await subject.open({ snapshotEvery: 10 }), await subject.open({ snapshotEvery: 10 })];
      await one.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
      await slow.refresh();
      await one.change(writes({ table: "drains", id: "provider-1", record: null, ifRevision: 1 }));
      for (let n = 2; n <= 35; n += 1) await one.change(writes(putRecord("drains", RECORDS.drains(n), 0)));
      await one.refresh();
      const told = applied(slow);
      expect(await slow.refresh()).toBe(true);
      const { mutations } = await told;
      expect(mutations).toHaveLength(35);
      expect(mutations[0]).toMatchObject({ id: "provider-1", record: null });
      expect(slow.catalog.drain("provider-1")).toBeUndefined();
      expect(slow.catalog.drain("provider-35")).toEqual(RECORDS.drains(35));
      expect(slow.catalog.faults).toEqual([]);
    });
  });
}
