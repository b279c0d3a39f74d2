import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { SEALED_TABLES } from "#core/records.ts";
import { kmsError } from "./kms-error.ts";
import { RECORDS, history, key, keyId, putRecord, uuid } from "./sealed-records.ts";
import { type StoreHarness, applied, readRecord, writes } from "./store-subject.ts";
import { storeFeedSuite } from "./store-feed.suite.ts";
import { storeNamesSuite } from "./store-names.suite.ts";
import { storeUnsealedSuite } from "./store-unsealed.suite.ts";

/** What every store promises behind the port in core/catalog.ts, whatever the database. */
export function storeSuite(harness: StoreHarness): void {
  describe(`store on ${harness.name}`, () => {
    changeSuite(harness);
    storeNamesSuite(harness);
    storeFeedSuite(harness);
    storeUnsealedSuite(harness);
  });
}

function changeSuite({ create }: StoreHarness): void {
  describe("change", () => {
    it.for(SEALED_TABLES)("writes, replaces and removes a row of %s", async (table) => {
      await using subject = await create();
      const store = await subject.open();
      for (const variant of [0, 1]) {
        const record = RECORDS[table](1, variant);
        await store.change((catalog) => {
          const mutation = putRecord(table, record, catalog.revisionOf(table, putRecord(table, record, 0).id));
          return { mutations: [mutation], result: undefined };
        });
        expect(await readRecord(store, table, 1)).toEqual(record);
      }
      const { id } = putRecord(table, RECORDS[table](1), 0);
      expect(store.catalog.revisionOf(table, id)).toBe(store.catalog.revision);
      await store.change(writes({ table, id, record: null, ifRevision: store.catalog.revision }));
      expect(await readRecord(store, table, 1)).toBeUndefined();
      expect(store.catalog.revisionOf(table, id)).toBe(0);
    });

    it("gives every row of a change a revision of its own and answers with the result", async () => {
      await using subject = await create();
      const store = await subject.open();
      const first = store.catalog.revision;
      const mutations = [putRecord("drains", RECORDS.drains(1), 0), putRecord("drains", RECORDS.drains(2), 0)];
      expect(await store.change(() => ({ mutations, result: "done" }))).toBe("done");
      expect(store.catalog.revision).toBe(first + 2);
      expect(store.catalog.revisionOf("drains", "provider-1")).toBe(first + 1);
      expect(store.catalog.revisionOf("drains", "provider-2")).toBe(first + 2);
    });

    it("writes nothing when the decision is a refusal", async () => {
      await using subject = await create();
      const store = await subject.open();
      const { revision } = store.catalog;
      const refusal = new KmsError("PERMISSION_DENIED", "not today");
      await expect(
        store.change(() => {
          throw refusal;
        }),
      ).rejects.toBe(refusal);
      expect(store.catalog.revision).toBe(revision);
      await store.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
      expect(store.catalog.drain("provider-1")).toEqual(RECORDS.drains(1));
    });

    it("refuses a row that has another revision than the change was decided on, and writes none of the rest", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store.change(writes(putRecord("drains", RECORDS.drains(1), 0)));
      const stale = [putRecord("drains", RECORDS.drains(2), 0), putRecord("drains", RECORDS.drains(1, 1), 0)];
      await expect(store.change(writes(...stale))).rejects.toEqual(kmsError("PLAN_STALE"));
      expect(store.catalog.drain("provider-2")).toBeUndefined();
    });

    it("refuses a record under an id that is not its own, and one row twice", async () => {
      await using subject = await create();
      const store = await subject.open();
      const moved = { ...putRecord("drains", RECORDS.drains(1), 0), id: "provider-2" };
      await expect(store.change(writes(moved))).rejects.toEqual(kmsError("INTERNAL"));
      const put = putRecord("drains", RECORDS.drains(1), 0);
      await expect(store.change(writes(put, put))).rejects.toEqual(kmsError("INTERNAL"));
    });

    it("loses no update of two processes that write one row", async () => {
      await using subject = await create();
      const [one, other] = [await subject.open(), await subject.open()];
      const increments = Array.from({ length: 20 }, (_, at) => {
        return (at % 2 === 0 ? one : other).change((catalog) => {
          const time = (catalog.drain("provider-1")?.time ?? 0) + 1;
          const revision = catalog.revisionOf("drains", "provider-1");
          return { mutations: [putRecord("drains", RECORDS.drains(1, time), revision)], result: time };
        });
      });
      const results = (await Promise.all(increments)).toSorted((a, b) => a - b);
      expect(results).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    });

    it("keeps the records apart from the objects that it was given", async () => {
      await using subject = await create();
      const store = await subject.open();
      const record = { ...RECORDS.drains(1) };
      await store.change(writes(putRecord("drains", record, 0)));
      Object.assign(record, { drained: false });
      expect(store.catalog.drain("provider-1")?.drained).toBe(true);
    });

    it("is refused once the store is closed", async () => {
      await using subject = await create();
      const store = await subject.open();
      await store[Symbol.asyncDispose]();
      await expect(store.change(writes())).rejects.toEqual(kmsError("SHUTTING_DOWN"));
    });
  });

  describe("catalog", () => {
    it("finds credentials by what their certificates say, and API keys under nothing", async () => {
      await using subject = await create();
      const store = await subject.open();
      const common = { kind: "mtls", digest: null, subject: "CN=a" } as const;
      const [one, two] = [
        { ...RECORDS.credentials(1), ...common, state: "revoked" as const },
        { ...RECORDS.credentials(2), ...common },
      ];
      const apiKey = RECORDS.credentials(3);
      await store.change(writes(...[one, two, apiKey].map((record) => putRecord("credentials", record, 0))));
      expect(store.catalog.credentialsBySubject("CN=a")).toEqual([one, two]);
      expect(store.catalog.credentialsBySubject("")).toEqual([]);
      expect(store.catalog.credentialByDigest("")).toBeUndefined();
      const ifRevision = store.catalog.revisionOf("credentials", one.id);
      await store.change(writes({ table: "credentials", id: one.id, record: null, ifRevision }));
      expect(store.catalog.credentialsBySubject("CN=a")).toEqual([two]);
      expect((await subject.open()).catalog.credentialsBySubject("CN=a")).toEqual([two]);
    });

    it("lists keys in the order of their creation, and counts them", async () => {
      await using subject = await create();
      const store = await subject.open();
      for (const n of [1, 2, 3]) await store.change(writes(putRecord("keys", key(n), 0)));
      const revision = store.catalog.revisionOf("keys", keyId(1));
      await store.change(writes(putRecord("keys", key(1, { generation: 2 }), revision)));
      await store.change(writes(putRecord("keys", key(4, { namespace: "other" }), 0)));
      expect([...store.catalog.keys("default")].map((record) => record.name)).toEqual(["key-1", "key-2", "key-3"]);
      expect(store.catalog.keyCount()).toBe(4);
    });

    it("lists the versions of a key by number", async () => {
      await using subject = await create();
      const store = await subject.open();
      const versions = [10, 2, 1].map((version) => ({ ...RECORDS.versions(1), version }));
      await store.change(writes(...versions.map((record) => putRecord("versions", record, 0))));
      expect(store.catalog.versions(keyId(1)).map((record) => record.version)).toEqual([1, 2, 10]);
      const again = await subject.open();
      expect(again.catalog.versions(keyId(1)).map((record) => record.version)).toEqual([1, 2, 10]);
    });

    it("groups wraps by branch version and credentials by client", async () => {
      await using subject = await create();
      const store = await subject.open();
      const second = { ...RECORDS.wraps(2), branch: uuid(1) };
      const newer = { ...RECORDS.wraps(3), branch: uuid(1), branchVersion: 2 };
      const wraps = [RECORDS.wraps(1), second, newer];
      await store.change(writes(...wraps.map((record) => putRecord("wraps", record, 0))));
      await store.change(writes(putRecord("credentials", RECORDS.credentials(1), 0)));
      expect(store.catalog.wraps(uuid(1), 1)).toEqual([wraps[0], second]);
      expect(store.catalog.wraps(uuid(1), 2)).toEqual([newer]);
      expect(store.catalog.credentials(`cli_${uuid(1)}`)).toEqual([RECORDS.credentials(1)]);
    });

    it("answers the history of one key alone, oldest first", async () => {
      await using subject = await create();
      const store = await subject.open();
      const entries = [history(1, 10), history(1, 2), history(2, 1)];
      await store.change(writes(...entries.map((record) => putRecord("history", record, 0))));
      expect(await store.history(keyId(1))).toEqual([history(1, 2), history(1, 10)]);
    });

    it("tells a listener what was applied until it is disposed", async () => {
      await using subject = await create();
      const store = await subject.open();
      const mutation = putRecord("drains", RECORDS.drains(1), 0);
      const [told] = await Promise.all([applied(store), store.change(writes(mutation))]);
      expect(told).toEqual({ mutations: [mutation], own: true });
      let calls = 0;
      store.onApplied(() => (calls += 1))[Symbol.dispose]();
      await store.change(writes(putRecord("drains", RECORDS.drains(2), 0)));
      expect(calls).toBe(0);
    });
  });
}
