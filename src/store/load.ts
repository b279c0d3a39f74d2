import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { Mutation, RowFault } from "#core/catalog.ts";
import { SEALED_TABLES, type SealedTable } from "#core/records.ts";
import { Chain, isRemoval } from "./chain.ts";
import { type Head, eachChanges, readHead } from "./feed.ts";
import { type RawRow, findFault, readUnverified, recordOf } from "./judge.ts";
import { type Schema, sealedTable } from "./schema.ts";
import type { Sealer } from "./seals.ts";
import { readSnapshot, startAtSnapshot } from "./snapshots.ts";

const ROWS_PER_READ = 1000;

export type BadRow = { readonly fault: RowFault; readonly unverified?: Readonly<Record<string, unknown>> | undefined };

/** Everything in the database at one moment, verified: what counts, and what does not. */
export type Loaded = {
  readonly chain: Chain;
  readonly head: Head | undefined;
  /** As if each were new. */
  readonly good: readonly Mutation[];
  readonly bad: readonly BadRow[];
};

/** Reads and verifies the whole chain, from the newest snapshot, and then every row. Runs in a transaction; others get their turns. */
export async function loadAll(db: Kysely<Schema>, sealer: Sealer): Promise<Loaded> {
  const chain = new Chain();
  const bad = await followAll(db, chain, sealer);
  const good: Mutation[] = [];
  for (const table of SEALED_TABLES) await loadTable(db, table, { chain, sealer, good, bad });
  return { chain, head: await readHead(db), good, bad };
}

type Tools = { readonly chain: Chain; readonly sealer: Sealer; readonly good: Mutation[]; readonly bad: BadRow[] };

async function loadTable(db: Kysely<Schema>, table: SealedTable, { chain, sealer, good, bad }: Tools): Promise<void> {
  let found = 0;
  for await (const page of eachPage(db, table, ROWS_PER_READ)) {
    for (const row of page) {
      const fault = findFault(table, row, { chain, sealer });
      const id = rowLabel(row);
      if (fault === undefined || chain.named(table, id) !== undefined) found += 1;
      if (fault !== undefined) bad.push(await describe(db, badRow({ table, id, fault }, row)));
      else if (table !== "history") good.push({ table, id, record: recordOf(row), ifRevision: 0 } as Mutation);
    }
    await setImmediate();
  }
  if (found === chain.rows(table).size) return;
  for (const id of await findAbsent(db, table, chain)) {
    const named = chain.named(table, id);
    if (named !== undefined && isRemoval(table, named, sealer)) chain.drop(table, id);
    else bad.push(await describe(db, { fault: { table, id, fault: "missing" } }));
  }
}

/** Follows the feed as far as its links are right; what follows the first wrong one is unchained. */
async function followAll(db: Kysely<Schema>, chain: Chain, sealer: Sealer): Promise<BadRow[]> {
  const bad: BadRow[] = [];
  const snapshot = await readSnapshot(db, sealer);
  if (snapshot === "damaged") bad.push({ fault: { table: "feed", id: "snapshot", fault: "unsealed" } });
  else if (snapshot !== undefined) startAtSnapshot(chain, snapshot);
  for await (const changes of eachChanges(db, chain.revision)) {
    if (changes.every((change) => change !== undefined && chain.follow(change, sealer))) {
      await setImmediate();
      continue;
    }
    bad.push({ fault: { table: "feed", id: String(chain.revision + 1), fault: "unchained" } });
    break;
  }
  return bad;
}

/** The ids that the chain names and the table does not have. */
async function findAbsent(db: Kysely<Schema>, table: SealedTable, chain: Chain): Promise<readonly string[]> {
  const rows = await db.selectFrom(sealedTable(table)).select("id").execute();
  const present = new Set(rows.map((row) => row.id));
  return [...chain.rows(table).keys()].filter((id) => !present.has(id));
}

/** All rows of a table, in the order of their ids. */
export async function* eachRow(db: Kysely<Schema>, table: SealedTable): AsyncIterable<RawRow> {
  for await (const page of eachPage(db, table, ROWS_PER_READ)) yield* page;
}

/** All rows of a table, in the order of their ids, some at a time. */
export async function* eachPage(
  db: Kysely<Schema>,
  table: SealedTable,
  rowsPerPage: number,
): AsyncIterable<readonly RawRow[]> {
  for (let last: unknown = ""; ;) {
    const page: readonly RawRow[] = await db
      .selectFrom(sealedTable(table))
      .selectAll()
      .where("id", ">", last)
      .orderBy("id")
      .limit(rowsPerPage)
      .execute();
    yield page;
    last = page.at(-1)?.id;
    if (page.length < rowsPerPage) return;
  }
}

/** The id of a row; for one that is no text, something to name it by. */
export function rowLabel(row: RawRow): string {
  return typeof row.id === "string" ? row.id : "(not a text)";
}

export function badRow(fault: RowFault, row: RawRow | undefined): BadRow {
  return { fault, unverified: fault.table === "keys" ? readUnverified(row?.record) : undefined };
}

/** Adds the names that a key had, so that it is refused by name though its row is gone or tells another name. */
async function describe(db: Kysely<Schema>, bad: BadRow): Promise<BadRow> {
  if (bad.fault.table !== "keys") return bad;
  const rows = await db.selectFrom("names").select(["namespace", "name"]).where("key_id", "=", bad.fault.id).execute();
  const [first] = rows;
  if (first === undefined) return bad;
  const { namespace, name } = first;
  const told = bad.unverified?.["name"] ?? name;
  return { ...bad, unverified: { ...bad.unverified, namespace, name: told, aliases: rows.map((row) => row.name) } };
}
