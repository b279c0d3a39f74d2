import type Sqlite from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "#core/canonical-json.ts";
import type { Store } from "#core/catalog.ts";
import { SEALED_TABLES, type SealedTable } from "#core/records.ts";
import { writeRevision } from "#store/state-folder.ts";
import { RECORDS, key, keyId, putRecord } from "../conformance/sealed-records.ts";
import { readRecord, writes } from "../conformance/store-subject.ts";
import { createSqliteSubject, type SqliteSubject } from "../unit/store/sqlite-subject.ts";

type Row = { id: unknown; revision: unknown; record: unknown; seal: unknown; root_version: unknown };

/** What somebody with the file does to the rows of a table; `older` is a row of the first record that was valid once. */
type Attack = {
  readonly name: string;
  readonly run: (database: Sqlite.Database, table: SealedTable, older: Row) => void;
  /** The records (by number) whose rows are then bad. */
  readonly bad: readonly number[];
  readonly fault?: string;
};

const rowId = (table: SealedTable, n: number): string => putRecord(table, RECORDS[table](n), 0).id;

const ATTACKS: readonly Attack[] = [
  {
    name: "edited",
    run: (database, table) => {
      const text = canonicalJson(RECORDS[table](1, 9));
      database.prepare(`update ${table} set record = ? where id = ?`).run(text, rowId(table, 1));
    },
    bad: [1],
    fault: "unsealed",
  },
  {
    name: "swapped with another",
    run: (database, table) => {
      const move = database.prepare(`update ${table} set id = ? where id = ?`);
      move.run("aside", rowId(table, 1));
      move.run(rowId(table, 1), rowId(table, 2));
      move.run(rowId(table, 2), "aside");
    },
    bad: [1, 2],
  },
  {
    name: "deleted",
    run: (database, table) => database.prepare(`delete from ${table} where id = ?`).run(rowId(table, 1)),
    bad: [1],
    fault: "missing",
  },
  {
    name: "duplicated under another id",
    run: (database, table) => {
      const columns = "revision, record, seal, root_version";
      const copy = `insert into ${table} (id, ${columns}) select ?, ${columns} from ${table} where id = ?`;
      database.prepare(copy).run(rowId(table, 3), rowId(table, 1));
    },
    bad: [3],
    fault: "unchained",
  },
  {
    name: "put back to one that was valid before",
    run: (database, table, older) => {
      const columns = "revision = @revision, record = @record, seal = @seal, root_version = @root_version";
      database.prepare(`update ${table} set ${columns} where id = @id`).run(older);
    },
    bad: [1],
    fault: "rolled-back",
  },
  {
    name: "said to be of another root version",
    run: (database, table) =>
      database.prepare(`update ${table} set root_version = 2 where id = ?`).run(rowId(table, 1)),
    bad: [1],
    fault: "unsealed",
  },
  {
    name: "planted",
    run: (database, table) => {
      const text = canonicalJson(RECORDS[table](3));
      database.prepare(`insert into ${table} values (?, 1, ?, ?, 1)`).run(rowId(table, 3), text, Buffer.alloc(32));
    },
    bad: [3],
    fault: "unsealed",
  },
  {
    name: "filled with values of other types",
    run: (database, table) => {
      database
        .prepare(`update ${table} set record = x'00', revision = 'one', seal = 1.5 where id = ?`)
        .run(rowId(table, 1));
    },
    bad: [1],
    fault: "unsealed",
  },
];

/** A store in which the first record of the table was written twice, the second once, and the key of each is there. */
async function fill(subject: SqliteSubject, table: SealedTable): Promise<{ store: Store; older: Row }> {
  const store = await subject.open();
  if (table === "versions") await store.change(writes(...[1, 2, 3].map((n) => putRecord("keys", key(n), 0))));
  await store.change(writes(putRecord(table, RECORDS[table](1, 0), 0), putRecord(table, RECORDS[table](2), 0)));
  const older = subject.attack((database) => {
    return database.prepare<unknown[], Row>(`select * from ${table} where id = ?`).get(rowId(table, 1));
  });
  if (older === undefined) throw new Error("the row was not written");
  await store.change((catalog) => {
    const revision = catalog.revisionOf(table, rowId(table, 1));
    return { mutations: [putRecord(table, RECORDS[table](1, 1), revision)], result: undefined };
  });
  return { store, older };
}

async function expectRefused(store: Store, table: SealedTable, { bad, fault }: Attack): Promise<void> {
  for (const n of bad) {
    const expected = { table, id: rowId(table, n), ...(fault === undefined ? {} : { fault }) };
    expect(store.catalog.faults).toContainEqual(expect.objectContaining(expected));
    if (table === "keys" || table === "versions") {
      expect(store.catalog.key(keyId(n))?.hold?.class).toBe("unsealed");
      // a copy claims the name of its original, which verifies and keeps it
      const named = fault === "unchained" && table === "keys" ? undefined : "unsealed";
      expect(store.catalog.keyByName("default", `key-${String(n)}`)?.hold?.class).toBe(named);
    }
    if (table === "keys") expect(store.catalog.key(keyId(n))?.description).not.toBe("variant 9");
    else if (table === "drains") expect(store.catalog.drain(`provider-${String(n)}`)?.drained ?? true).toBe(true);
    else expect(await readRecord(store, table, n)).toBeUndefined();
  }
}

async function expectServed(store: Store, table: SealedTable, { bad }: Attack): Promise<void> {
  if (!bad.includes(1)) expect(await readRecord(store, table, 1)).toEqual(RECORDS[table](1, 1));
  if (!bad.includes(2)) expect(await readRecord(store, table, 2)).toEqual(RECORDS[table](2));
  expect(store.catalog.faults).toHaveLength(bad.length);
}

describe("a row of the database", () => {
  const cases = ATTACKS.flatMap((attack) => SEALED_TABLES.map((table) => ({ attack, table, name: attack.name })));

  it.for(cases)(
    "of $table that was $name is named and not served, now and at the next start",
    async ({ attack, table }) => {
      await using subject = await createSqliteSubject();
      const { store, older } = await fill(subject, table);
      subject.attack((database) => attack.run(database, table, older));
      const told = await store.verify();
      expect(told).toEqual(store.catalog.faults);
      expect(subject.faults).toEqual(store.catalog.faults);
      await expectRefused(store, table, attack);
      await expectServed(store, table, attack);
      await store[Symbol.asyncDispose]();
      const next = await subject.open();
      await expectRefused(next, table, attack);
      await expectServed(next, table, attack);
    },
  );

  it("that was edited is found by polling and a sweep, without being asked for", async () => {
    await using subject = await createSqliteSubject();
    const { store } = await fill(subject, "clients");
    subject.attack((database) => database.exec("update clients set record = replace(record, 'user', 'admin')"));
    const sweeps = (): number => {
      subject.time.advance(50);
      return store.catalog.faults.length;
    };
    await expect.poll(sweeps, { interval: 1 }).toBe(2);
    expect(await readRecord(store, "clients", 1)).toBeUndefined();
  });

  it("that is mended counts again", async () => {
    await using subject = await createSqliteSubject();
    const { store } = await fill(subject, "keys");
    const flip = (from: string, to: string): void => {
      subject.attack((database) => database.prepare("update keys set record = replace(record, ?, ?)").run(from, to));
    };
    flip("AES-256-GCM", "AES-128-GCM");
    await store.verify();
    expect(store.catalog.key(keyId(2))?.hold?.class).toBe("unsealed");
    flip("AES-128-GCM", "AES-256-GCM");
    expect(await store.verify()).toEqual([]);
    expect(store.catalog.key(keyId(2))).toEqual(RECORDS.keys(2));
    expect(store.catalog.keyByName("default", "key-2")).toEqual(RECORDS.keys(2));
  });

  it("that tells another name than the key had is refused under the old one too", async () => {
    await using subject = await createSqliteSubject();
    const { store } = await fill(subject, "keys");
    await store[Symbol.asyncDispose]();
    subject.attack((database) => database.exec("update keys set record = replace(record, '\"key-1\"', '\"mine\"')"));
    const next = await subject.open();
    expect(next.catalog.keyByName("default", "key-1")?.hold?.class).toBe("unsealed");
    expect(next.catalog.keyByName("default", "mine")?.hold?.class).toBe("unsealed");
    expect(next.catalog.keyByName("default", "key-2")).toEqual(RECORDS.keys(2));
  });

  it("that does not verify lends nothing to a record that is written next", async () => {
    await using subject = await createSqliteSubject();
    const { store } = await fill(subject, "keys");
    subject.attack((database) => database.exec("update keys set record = replace(record, 'AES-256', 'AES-128')"));
    await store.verify();
    const laundered = store.change((catalog) => {
      const record = catalog.key(keyId(1)) ?? key(1);
      return { mutations: [putRecord("keys", record, catalog.revisionOf("keys", record.id))], result: undefined };
    });
    await expect(laundered).rejects.toMatchObject({ code: "KEY_HELD" });
  });

  it("of a namespace that does not verify holds its keys, and none is written in its place", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    const namespace = { ...RECORDS.namespaces(1), name: "default", dualControl: true };
    await store.change(writes(putRecord("namespaces", namespace, 0), putRecord("keys", key(1), 0)));
    const flip = (from: string, to: string): void => {
      subject.attack((database) =>
        database.prepare("update namespaces set record = replace(record, ?, ?)").run(from, to),
      );
    };
    flip('"dualControl":true', '"dualControl":false');
    await store.verify();
    expect(store.catalog.key(keyId(1))?.hold?.class).toBe("unsealed");
    expect(store.catalog.keyByName("default", "key-1")?.hold?.class).toBe("unsealed");
    const revision = store.catalog.revisionOf("keys", keyId(1));
    const unheld = store.change(writes(putRecord("keys", key(1, { description: "x" }), revision)));
    await expect(unheld).rejects.toMatchObject({ code: "KEY_HELD" });
    const anew = store.change(writes(putRecord("namespaces", namespace, 0)));
    await expect(anew).rejects.toMatchObject({ code: "INTEGRITY_FAILURE" });
    flip('"dualControl":false', '"dualControl":true');
    expect(await store.verify()).toEqual([]);
    expect(store.catalog.key(keyId(1))).toEqual(key(1));
  });

  it("of a drain that does not verify drains, and can be written anew", async () => {
    await using subject = await createSqliteSubject();
    const { store } = await fill(subject, "drains");
    subject.attack((database) => database.exec("update drains set record = replace(record, 'true', 'false')"));
    await store.verify();
    // somebody drained it, and nobody has restored it
    expect(store.catalog.drain("provider-1")).toMatchObject({ drained: true, time: subject.time.now });
    await store.change((catalog) => {
      const revision = catalog.revisionOf("drains", "provider-1");
      return { mutations: [putRecord("drains", RECORDS.drains(1, 5), revision)], result: undefined };
    });
    expect(store.catalog.drain("provider-1")).toEqual(RECORDS.drains(1, 5));
    expect(await store.verify()).toEqual([expect.objectContaining({ id: "provider-2" })]);
  });

  it("whose removal was undone is not served", async () => {
    await using subject = await createSqliteSubject();
    const { store, older } = await fill(subject, "credentials");
    const { id } = putRecord("credentials", RECORDS.credentials(1), 0);
    const ifRevision = store.catalog.revisionOf("credentials", id);
    await store.change(writes({ table: "credentials", id, record: null, ifRevision }));
    subject.attack((database) => {
      database.prepare("insert into credentials values (@id, @revision, @record, @seal, @root_version)").run(older);
    });
    expect(await store.verify()).toEqual([{ table: "credentials", id, fault: "unchained" }]);
    await store[Symbol.asyncDispose]();
    const next = await subject.open();
    expect(next.catalog.faults).toEqual([{ table: "credentials", id, fault: "rolled-back" }]);
    expect(next.catalog.credentialByDigest("digest-1")).toBeUndefined();
  });

  it("of the same revision from a copy of the database that went another way is refused", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await store.change(writes(putRecord("clients", RECORDS.clients(1), 0)));
    const copy = `${subject.file}.copy`;
    subject.attack((database) => database.exec(`vacuum into '${copy}'`));
    const { id } = putRecord("clients", RECORDS.clients(1), 0);
    await store.change(writes(putRecord("clients", RECORDS.clients(1, 1), 1)));
    const stateFolder = `${subject.stateFolder}.fork`;
    await writeRevision(stateFolder, 0, false);
    await using fork = await subject.open({ file: copy, stateFolder });
    await fork.change(writes(putRecord("clients", RECORDS.clients(1, 2), 1)));
    subject.attack((database) => {
      database.prepare("attach ? as fork").run(copy);
      database.prepare("delete from main.clients where id = ?").run(id);
      database.prepare("insert into main.clients select * from fork.clients where id = ?").run(id);
    });
    expect(await store.verify()).toEqual([{ table: "clients", id, fault: "unsealed" }]);
    expect(await readRecord(store, "clients", 1)).toBeUndefined();
  });

  it("that a trigger changes as it is written is held by whoever reads it", async () => {
    await using subject = await createSqliteSubject();
    const [store, other] = [await subject.open(), await subject.open()];
    subject.attack((database) => {
      const body = "update clients set record = replace(record, 'user', 'admin') where id = new.id";
      database.exec(`create trigger t after insert on clients begin ${body}; end`);
    });
    await store.change(writes(putRecord("clients", RECORDS.clients(1), 0)));
    await other.refresh();
    expect(await readRecord(other, "clients", 1)).toBeUndefined();
    expect(other.catalog.faults).toEqual([expect.objectContaining({ table: "clients", fault: "unsealed" })]);
  });
});

describe("a table that is not sealed", () => {
  it("that says which key has a name decides nothing", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    await store.change(writes(putRecord("keys", key(1), 0), putRecord("keys", key(2), 0)));
    subject.attack((database) =>
      database.exec("update names set name = 'x' where name = 'key-1'; delete from names where name = 'key-2'"),
    );
    await store[Symbol.asyncDispose]();
    const next = await subject.open();
    expect(next.catalog.keyByName("default", "key-1")?.id).toBe(keyId(1));
    expect(next.catalog.keyByName("default", "x")).toBeUndefined();
    const twin = next.change(writes(putRecord("keys", key(3, { name: "key-2" }), 0)));
    await expect(twin).rejects.toMatchObject({ code: "NAME_TAKEN" });
  });

  it("holds nothing that stops the store when its values are of other types", async () => {
    await using subject = await createSqliteSubject();
    const store = await subject.open();
    store.noteUse(keyId(1), subject.time.now);
    await store.beat({
      process: "one",
      gateway: "g",
      appliedRevision: 1,
      policyHash: "",
      time: subject.time.now,
      report: "",
    });
    await store.lease("leader", "one", 1000);
    await store[Symbol.asyncDispose]();
    subject.attack((database) => {
      database.prepare("attach ? as live").run(`${subject.file}-live`);
      database.exec("update live.heartbeats set body = '{\"process\":1}'; update live.last_use set hour = x'00'");
      database.exec("update live.leases set expires = 'never'");
      database.exec("insert into idempotency values ('crd_1', 'once', '[]', 9e15)");
    });
    const next = await subject.open();
    expect(await next.heartbeats()).toEqual([]);
    expect(next.lastUse(keyId(1))).toBeUndefined();
    expect(await next.findIdempotency("crd_1", "once")).toBeUndefined();
    expect(next.catalog.faults).toEqual([]);
  });
});
