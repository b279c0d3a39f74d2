import { chmod, stat, truncate, writeFile, readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import type { Mutation } from "#core/catalog.ts";
import { SEALED_TABLES } from "#core/records.ts";
import type { Unlocked } from "#store/open-store.ts";
import type { SystemRows } from "#store/system-rows.ts";
import { RECORDS, key, keyId, putRecord, uuid } from "../../conformance/sealed-records.ts";
import { kmsError } from "../../conformance/kms-error.ts";
import { writes } from "../../conformance/store-subject.ts";
import { createSqliteSubject } from "./sqlite-subject.ts";

const FIRST = Buffer.alloc(32, 7);
const SECOND = Buffer.alloc(32, 8);

const ROOT = key(1, { namespace: "system", name: "root", latestVersion: 2 });
/** The rows of namespace `system` in these tests, and some of another. */
const SYSTEM: readonly Mutation[] = [
  putRecord("namespaces", { ...RECORDS.namespaces(1), name: "system" }, 0),
  putRecord("namespaces", { ...RECORDS.namespaces(2), name: "default" }, 0),
  putRecord("keys", ROOT, 0),
  putRecord("keys", key(2), 0),
  putRecord("versions", RECORDS.versions(1), 0),
  putRecord("versions", { ...RECORDS.versions(1), version: 2 }, 0),
  putRecord("versions", RECORDS.versions(2), 0),
  putRecord("branches", { ...RECORDS.branches(1), namespace: "system" }, 0),
  putRecord("branches", RECORDS.branches(2), 0),
  putRecord("branch_versions", RECORDS.branch_versions(1), 0),
  putRecord("branch_versions", RECORDS.branch_versions(2), 0),
  putRecord("wraps", RECORDS.wraps(1), 0),
  putRecord("wraps", RECORDS.wraps(2), 0),
  putRecord("recipients", { ...RECORDS.recipients(1), namespace: "system" }, 0),
  putRecord("recipients", RECORDS.recipients(2), 0),
  putRecord("providers", RECORDS.providers(1), 0),
];

/** An unlock that notes what it was asked with. */
function noting(unlocked: Unlocked): { asked: (SystemRows | undefined)[]; unlock: () => Promise<Unlocked> } {
  const asked: (SystemRows | undefined)[] = [];
  const unlock = async (rows?: SystemRows): Promise<Unlocked> => {
    asked.push(rows);
    return unlocked;
  };
  return { asked, unlock };
}

describe("opening a store", () => {
  it("asks with nothing for an empty database, and writes the first rows", async () => {
    await using subject = await createSqliteSubject();
    const { asked, unlock } = noting({ rowKeys: new Map([[1, FIRST]]), current: 1, initial: SYSTEM });
    const store = await subject.open({ unlock });
    expect(asked).toEqual([undefined]);
    expect(store.catalog.revision).toBe(SYSTEM.length);
    expect(store.catalog.keyByName("system", "root")).toEqual(ROOT);
  });

  it("asks with the rows of namespace system, and no others, for a database that has rows", async () => {
    await using subject = await createSqliteSubject();
    const { asked, unlock } = noting({ rowKeys: new Map([[1, FIRST]]), current: 1, initial: SYSTEM });
    await subject.open({ unlock });
    const store = await subject.open({ unlock });
    expect(asked[1]).toEqual({
      namespace: { ...RECORDS.namespaces(1), name: "system" },
      keys: [ROOT],
      versions: [1, 2].map((version) => ({ ...RECORDS.versions(1), version })),
      branches: [{ ...RECORDS.branches(1), namespace: "system" }],
      branchVersions: [RECORDS.branch_versions(1)],
      recipients: [{ ...RECORDS.recipients(1), namespace: "system" }],
      wraps: [RECORDS.wraps(1)],
      providers: [RECORDS.providers(1)],
    });
    expect(store.catalog.revision).toBe(SYSTEM.length);
  });

  it("leaves out rows of namespace system that are no records before it asks", async () => {
    await using subject = await createSqliteSubject();
    const { asked, unlock } = noting({ rowKeys: new Map([[1, FIRST]]), current: 1, initial: SYSTEM });
    await (await subject.open({ unlock }))[Symbol.asyncDispose]();
    subject.attack((database) => database.exec("update wraps set record = 'x'; update branches set id = id || 'x'"));
    const store = await subject.open({ unlock });
    expect(asked[1]).toMatchObject({ wraps: [], branches: [], keys: [ROOT] });
    expect(store.catalog.branch(uuid(1))).toBeUndefined();
  });

  it("asks with no key of another namespace, whatever the names say", async () => {
    await using subject = await createSqliteSubject();
    const { asked, unlock } = noting({ rowKeys: new Map([[1, FIRST]]), current: 1, initial: SYSTEM });
    await (await subject.open({ unlock }))[Symbol.asyncDispose]();
    subject.attack((database) => database.prepare("insert into names values ('system', 'mine', ?)").run(keyId(2)));
    await subject.open({ unlock });
    expect(asked[1]?.keys).toEqual([ROOT]);
  });

  it("asks again when another process has filled the empty database meanwhile", async () => {
    await using subject = await createSqliteSubject();
    const asked: (SystemRows | undefined)[] = [];
    const store = await subject.open({
      unlock: async (rows) => {
        asked.push(rows);
        const initial = SYSTEM;
        if (rows !== undefined) return { rowKeys: new Map([[1, FIRST]]), current: 1 };
        await subject.open({ unlock: async () => ({ rowKeys: new Map([[1, FIRST]]), current: 1, initial }) });
        return { rowKeys: new Map([[1, SECOND]]), current: 1, initial };
      },
    });
    expect(asked).toHaveLength(2);
    expect(asked[1]?.keys).toEqual([ROOT]);
    expect(store.catalog.faults).toEqual([]);
  });

  it("verifies the rows of every root version, and seals with the current one", async () => {
    await using subject = await createSqliteSubject();
    const before = await subject.open({ unlock: async () => ({ rowKeys: new Map([[1, FIRST]]), current: 1 }) });
    await before.change(writes(putRecord("keys", key(1), 0)));
    await before[Symbol.asyncDispose]();
    const rowKeys = new Map([
      [1, FIRST],
      [2, SECOND],
    ]);
    const after = await subject.open({ unlock: async () => ({ rowKeys, current: 2 }) });
    await after.change(writes(putRecord("keys", key(2), 0)));
    const next = await subject.open({ unlock: async () => ({ rowKeys, current: 2 }) });
    expect(next.catalog.faults).toEqual([]);
    expect([...next.catalog.keys("default")]).toEqual([key(1), key(2)]);
    await after[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
    const old = subject.open({ unlock: async () => ({ rowKeys: new Map([[1, FIRST]]), current: 1 }) });
    await expect(old).rejects.toEqual(kmsError("SEALED", /verifies up to revision 1/u));
  });

  it("gives what unlock throws to the caller, and leaves the database free", async () => {
    await using subject = await createSqliteSubject();
    const sealed = new Error("no recipient opens the root key");
    await expect(subject.open({ unlock: () => Promise.reject(sealed) })).rejects.toBe(sealed);
    await subject.open();
  });

  it("makes files that only their owner can read", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await store.change(writes(putRecord("keys", key(1), 0)));
    const folder = dirname(subject.file);
    const files = (await readdir(folder)).filter((name) => name.startsWith("claviger.db"));
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const name of files) expect((await stat(`${folder}/${name}`)).mode & 0o777).toBe(0o600);
    await chmod(subject.file, 0o644);
    await subject.open();
    expect((await stat(subject.file)).mode & 0o777).toBe(0o600);
  });

  it("has a table for every sealed table, and no other shape", async () => {
    await using subject = await createSqliteSubject();
    await subject.open();
    const columns = subject.attack((database) =>
      SEALED_TABLES.map((table) => database.pragma(`table_info(${table})`) as { name: string }[]),
    );
    for (const names of columns.map((table) => table.map((column) => column.name))) {
      expect(names).toEqual(["id", "revision", "record", "seal", "root_version"]);
    }
  });
});

describe("a database file that cannot be used", () => {
  it("is refused with a sentence when it is no database", async () => {
    await using subject = await createSqliteSubject();
    await writeFile(subject.file, "this is not a database, whatever its name says".repeat(100));
    await expect(subject.open()).rejects.toEqual(kmsError("INTERNAL", /claviger\.db is not a database/u));
  });

  it("is refused with a sentence when it is cut", async () => {
    await using subject = await createSqliteSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    await truncate(subject.file, 8192);
    await expect(subject.open()).rejects.toEqual(kmsError("INTERNAL", /claviger\.db is damaged/u));
  });

  it("is refused with a sentence when a table is gone", async () => {
    await using subject = await createSqliteSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    subject.attack((database) => database.exec("drop table changes"));
    await expect(subject.open()).rejects.toEqual(kmsError("INTERNAL", /does not have the tables of this version/u));
  });

  it("is refused with a sentence when a newer program has changed its schema", async () => {
    await using subject = await createSqliteSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    subject.attack((database) => database.exec("insert into kysely_migration values ('9999-later', '2030-01-01')"));
    await expect(subject.open()).rejects.toEqual(kmsError("INTERNAL", /schema of another version/u));
  });

  it("stops the catalog from being fresh when it breaks while it is open, and is told once", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await store.change(writes(putRecord("keys", key(1), 0)));
    subject.attack((database) => database.exec("drop table head"));
    const { freshAtMs } = store.catalog;
    for (const _ of [1, 2, 3]) {
      subject.time.advance(50);
      await expect(store.refresh()).rejects.toEqual(kmsError("INTERNAL"));
    }
    await expect.poll(() => subject.errors.length, { interval: 1 }).toBe(1);
    expect(store.catalog.freshAtMs).toBe(freshAtMs);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
  });
});
