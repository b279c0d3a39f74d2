import { copyFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Store } from "#core/catalog.ts";
import { writeRevision } from "#store/state-folder.ts";
import { kmsError } from "../conformance/kms-error.ts";
import { RECORDS, key, keyId, putRecord } from "../conformance/sealed-records.ts";
import { writes } from "../conformance/store-subject.ts";
import { createSqliteSubject, type SqliteSubject } from "../unit/store/sqlite-subject.ts";

/** Revisions 1..6: three keys, and then a drain that is written three times. */
async function fill(store: Store): Promise<void> {
  for (const n of [1, 2, 3]) await store.change(writes(putRecord("keys", key(n), 0)));
  for (const variant of [0, 1, 2]) await store.change(drain(variant));
}

function drain(variant: number): Parameters<Store["change"]>[0] {
  return (catalog) => {
    const revision = catalog.revisionOf("drains", "provider-1");
    return { mutations: [putRecord("drains", RECORDS.drains(1, variant), revision)], result: undefined };
  };
}

const FEED_ATTACKS = [
  { name: "a seal is edited", sql: "update changes set seal = zeroblob(32) where revision = 3", at: "3" },
  { name: "a link is edited", sql: "update changes set link = zeroblob(32) where revision = 3", at: "3" },
  { name: "a row id is edited", sql: "update changes set row_id = 'x' where revision = 3", at: "3" },
  { name: "a table is no table", sql: "update changes set tbl = 'sqlite_master' where revision = 3", at: "3" },
  { name: "a change is deleted", sql: "delete from changes where revision = 3", at: "3" },
  {
    name: "two changes are exchanged",
    sql: `update changes set revision = 99 where revision = 3; update changes set revision = 3 where revision = 4;
      update changes set revision = 4 where revision = 99`,
    at: "3",
  },
  { name: "the end is cut off", sql: "delete from changes where revision > 2", at: "3" },
] as const;

function execute(subject: SqliteSubject, sql: string): void {
  subject.attack((database) => database.exec(sql));
}

function expectAllHeld(store: Store): void {
  expect(store.catalog.faults).toContainEqual({ table: "feed", id: "head", fault: "rolled-back" });
  expect([...store.catalog.keys("default")].map((record) => record.hold?.class)).toEqual(
    Array.from({ length: store.catalog.keyCount() }, () => "unsealed"),
  );
  expect(store.catalog.keyByName("default", "key-1")?.hold?.class).toBe("unsealed");
  expect(store.catalog.key(keyId(1))?.hold?.class).toBe("unsealed");
}

describe("the change feed", () => {
  it.for(FEED_ATTACKS)("in which $name is named by a sweep, and the next start is refused", async ({ sql, at }) => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    execute(subject, sql);
    expect(await store.verify()).toEqual([expect.objectContaining({ table: "feed", id: at })]);
    expect(subject.faults).toHaveLength(1);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
    await store[Symbol.asyncDispose]();
    const refused = kmsError("SEALED", /up to revision 2, and this gateway has seen 6; only restore/u);
    await expect(subject.open()).rejects.toEqual(refused);
  });

  it.for(FEED_ATTACKS)(
    "in which $name gives no row to who had seen less: it is named, and nothing is written",
    async ({ sql, at }) => {
      await using subject = await createSqliteSubject();
      const store = await subject.open();
      await fill(store);
      await store[Symbol.asyncDispose]();
      await writeRevision(subject.stateFolder, 1, false);
      execute(subject, sql);
      const next = await subject.open();
      expect(next.catalog.faults).toContainEqual(expect.objectContaining({ table: "feed", id: at }));
      expect(next.catalog.faults).toContainEqual({ table: "drains", id: "provider-1", fault: "unchained" });
      expect(next.catalog.drain("provider-1")).toBeUndefined();
      expect(next.catalog.key(keyId(2))).toEqual(key(2));
      expect(next.catalog.key(keyId(3))?.hold?.class).toBe("unsealed");
      await expect(next.change(drain(9))).rejects.toEqual(kmsError("INTERNAL", /feed does not verify/u));
    },
  );

  it.for(FEED_ATTACKS)("in which $name ahead of a process stops it, until it is mended", async ({ sql, at }) => {
    await using subject = await createSqliteSubject();
    const [store, slow] = [await subject.open(), await subject.open()];
    await store.change(writes(putRecord("keys", key(1), 0)));
    await store.change(writes(putRecord("keys", key(2), 0)));
    await slow.refresh();
    await store.change(writes(putRecord("keys", key(3), 0)));
    await store.change(drain(0));
    subject.attack((database) =>
      database.exec("create table kept as select * from changes; create table kept_head as select * from head"),
    );
    execute(subject, sql);
    subject.time.advance(49);
    await slow.refresh();
    expect(slow.catalog.faults).toContainEqual(expect.objectContaining({ table: "feed", id: at }));
    expect(slow.catalog.key(keyId(2))).toEqual(key(2));
    expect(slow.catalog.key(keyId(3))?.hold?.class ?? "unknown").toMatch(/unsealed|unknown/u);
    expect(slow.catalog.freshAtMs).toBeLessThan(subject.time.now);
    await expect(slow.change(drain(9))).rejects.toEqual(kmsError("INTERNAL", /feed does not verify/u));
    execute(subject, "delete from changes; insert into changes select * from kept");
    expect(await slow.refresh()).toBe(true);
    expect(slow.catalog.faults).toEqual([]);
    expect(slow.catalog.key(keyId(3))).toEqual(key(3));
    expect(slow.catalog.freshAtMs).toBe(subject.time.now);
  });

  it.for([
    { name: "is put back", sql: "update head set revision = 3" },
    { name: "has another link", sql: "update head set link = zeroblob(32)" },
    { name: "is deleted", sql: "delete from head" },
    { name: "is no number", sql: "update head set revision = 'six'" },
  ])("whose head $name holds every key until it is right again", async ({ sql }) => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    execute(subject, "create table kept as select * from head");
    execute(subject, sql);
    await store.refresh();
    expectAllHeld(store);
    await expect(store.change(drain(9))).rejects.toEqual(kmsError("INTERNAL", /rolled-back/u));
    await store[Symbol.asyncDispose]();
    const next = await subject.open();
    expectAllHeld(next);
    execute(subject, "delete from head; insert into head select * from kept");
    await next.refresh();
    expect(next.catalog.faults).toEqual([]);
    expect(next.catalog.key(keyId(1))).toEqual(key(1));
    await next.change(drain(9));
  });

  it("to which somebody appends a change without the row key is refused from there on", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    execute(
      subject,
      `insert into changes values (7, 'clients', 'cli_x', zeroblob(32), zeroblob(32), 1);
       update head set revision = 7, link = zeroblob(32)`,
    );
    await store.refresh();
    expect(store.catalog.faults).toEqual([{ table: "feed", id: "7", fault: "unchained" }]);
    expect(store.catalog.revision).toBe(6);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
  });
});

describe("changes that were taken away", () => {
  it("before a process could read them leave it where it is", async () => {
    await using subject = await createSqliteSubject();
    const [store, slow] = [await subject.open(), await subject.open()];
    await store.change(writes(putRecord("keys", key(1), 0), putRecord("keys", key(2), 0)));
    await slow.refresh();
    await store.change(drain(0));
    execute(subject, "delete from changes");
    await slow.refresh();
    expect(slow.catalog.faults).toEqual([{ table: "feed", id: "3", fault: "missing" }]);
    expect(slow.catalog.revision).toBe(2);
    expect(slow.catalog.key(keyId(1))).toEqual(key(1));
    await expect(slow.change(drain(1))).rejects.toEqual(kmsError("INTERNAL", /feed does not verify/u));
  });
});

describe("a snapshot", () => {
  it.for([
    { name: "edited", sql: "update snapshots set entries = zeroblob(100)" },
    { name: "moved to another revision", sql: "update snapshots set revision = revision + 1" },
    { name: "cut", sql: "delete from snapshots" },
  ])("that was $name is named by a sweep, and the next start is refused", async ({ sql }) => {
    await using subject = await createSqliteSubject();
    const store = await subject.open({ snapshotEvery: 10 });
    await store.change(writes(putRecord("keys", key(1), 0)));
    for (let n = 0; n < 24; n += 1) await store.change(drain(n));
    await store.refresh();
    execute(subject, sql);
    expect(await store.verify()).toEqual([expect.objectContaining({ table: "feed" })]);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
    await store[Symbol.asyncDispose]();
    await expect(subject.open()).rejects.toEqual(kmsError("SEALED", /only restore goes back/u));
  });

  it("over which a process has to read everything again brings back a row that was mended meanwhile", async () => {
    await using subject = await createSqliteSubject();
    const [store, slow] = [await subject.open({ snapshotEvery: 10 }), await subject.open({ snapshotEvery: 10 })];
    await fill(store);
    const client = RECORDS.clients(1);
    await store.change(writes(putRecord("clients", client, 0)));
    await slow.refresh();
    execute(subject, "update clients set record = replace(record, 'user', 'admin')");
    expect(await slow.verify()).toHaveLength(1);
    expect(slow.catalog.client(client.id)).toBeUndefined();
    for (let n = 0; n < 30; n += 1) await store.change(drain(n));
    await store.refresh();
    execute(subject, "update clients set record = replace(record, 'admin', 'user')");
    await slow.refresh();
    expect(slow.catalog.faults).toEqual([]);
    expect(slow.catalog.client(client.id)).toEqual(client);
    expect(slow.catalog.drain("provider-1")).toEqual(RECORDS.drains(1, 29));
  });

  it("heals a feed that was damaged before it while the process that knows better runs", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open({ snapshotEvery: 10 });
    await fill(store);
    execute(subject, "update changes set seal = zeroblob(32) where revision = 3");
    for (let n = 0; n < 5; n += 1) await store.change(drain(n));
    await store.refresh();
    expect(await store.verify()).toEqual([]);
    await store[Symbol.asyncDispose]();
    expect((await subject.open()).catalog.faults).toEqual([]);
  });
});

/** Puts an older copy aside, then suspends key 1 and writes more. */
async function copyThenSuspend(subject: SqliteSubject, store: Store): Promise<string> {
  const copy = `${subject.file}.copy`;
  await store.change(writes(putRecord("keys", key(1), 0)));
  execute(subject, `vacuum into '${copy}'`);
  const suspended = key(1, { state: "suspended", stateReason: "hold", processing: "deny" });
  await store.change(writes(putRecord("keys", suspended, store.catalog.revision)));
  return copy;
}

describe("a whole database", () => {
  it("that becomes an older copy of itself while it is open holds every key", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    const copy = await copyThenSuspend(subject, store);
    const older = new Sqlite(copy);
    await older.backup(subject.file);
    older.close();
    await store.refresh();
    expectAllHeld(store);
    await expect(store.change(drain(9))).rejects.toEqual(kmsError("INTERNAL", /rolled-back/u));
  });

  it.for([
    { name: "is renamed away", attack: (file: string) => rename(file, `${file}.away`) },
    { name: "is replaced by an older file", attack: (file: string) => rename(`${file}.copy`, file) },
    { name: "is deleted", attack: (file: string) => rm(file) },
  ])("that $name while it is open holds every key and takes no change", async ({ attack }) => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await copyThenSuspend(subject, store);
    await attack(subject.file);
    await expect(store.change(drain(9))).rejects.toEqual(kmsError("INTERNAL", /rolled-back/u));
    expectAllHeld(store);
    await store[Symbol.asyncDispose]();
    for (const rest of ["-wal", "-shm"]) await rm(`${subject.file}${rest}`, { force: true });
    await expect(subject.open()).rejects.toEqual(
      kmsError("SEALED", /this gateway has seen (?:revision )?2; only restore/u),
    );
  });

  it("that was renamed and is back under its name is served again", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    await rename(subject.file, `${subject.file}.away`);
    await store.refresh();
    expectAllHeld(store);
    await rename(`${subject.file}.away`, subject.file);
    await store.refresh();
    expect(store.catalog.faults).toEqual([]);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
    await store.change(drain(9));
  });

  it("that is replaced by an older copy between two starts is refused", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    const copy = await copyThenSuspend(subject, store);
    await store[Symbol.asyncDispose]();
    await copyFile(copy, subject.file);
    const refused = kmsError(
      "SEALED",
      /rolled back or damaged: it goes up to revision 1, and this gateway has seen 2/u,
    );
    await expect(subject.open()).rejects.toEqual(refused);
  });

  it("that is replaced by an older copy to which changes were made up is refused all the same", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    const copy = await copyThenSuspend(subject, store);
    await store[Symbol.asyncDispose]();
    await copyFile(copy, subject.file);
    execute(
      subject,
      `insert into changes select 2, tbl, row_id, seal, link, root_version from changes;
       update head set revision = 2`,
    );
    await expect(subject.open()).rejects.toEqual(kmsError("SEALED", /verifies up to revision 1/u));
  });

  it("that is emptied is refused", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    await store[Symbol.asyncDispose]();
    execute(subject, "delete from keys; delete from drains; delete from changes; delete from head; delete from names");
    await expect(subject.open()).rejects.toEqual(kmsError("SEALED", /is empty, but this gateway has seen revision 6/u));
  });
});

describe("the state folder", () => {
  it("that is deleted leaves no way to know how old the database is, so it is refused", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await fill(store);
    await store[Symbol.asyncDispose]();
    await rm(subject.stateFolder, { recursive: true });
    await expect(subject.open()).rejects.toEqual(kmsError("SEALED", /state folder does not say which revision/u));
  });

  it("with a damaged revision is refused", async () => {
    await using subject = await createSqliteSubject();
    await (await subject.open())[Symbol.asyncDispose]();
    await writeFile(join(subject.stateFolder, "revision"), "-1\n");
    await expect(subject.open()).rejects.toEqual(kmsError("SEALED", /is not a number/u));
  });
});
