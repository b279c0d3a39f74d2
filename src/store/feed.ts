import type { Kysely } from "kysely";
import type { SealedTable } from "#core/records.ts";
import { type FeedChange, isSealBytes, parseChange } from "./chain.ts";
import type { RawRow } from "./judge.ts";
import { type Schema, sealedTable, toInteger } from "./schema.ts";

const CHANGES_PER_READ = 1000;
const ROWS_PER_READ = 500;

/** Where the database says that the feed ends. */
export type Head = { readonly revision: number; readonly link: Uint8Array };

/** What one transaction saw of the feed after a revision; nothing in it is verified. */
export type FeedRead = {
  readonly head: Head | undefined;
  /** In order; the list ends with undefined where a row could not even be parsed. */
  readonly changes: readonly (FeedChange | undefined)[];
  /** The rows that the changes name, as they are now. */
  readonly rows: ReadonlyMap<SealedTable, ReadonlyMap<string, RawRow>>;
};

/** The one row of `head`; undefined if it is missing or unreadable. */
export async function readHead(db: Kysely<Schema>): Promise<Head | undefined> {
  const row = await db.selectFrom("head").select(["revision", "link"]).where("id", "=", 1).executeTakeFirst();
  const revision = toInteger(row?.revision);
  return revision === undefined || !isSealBytes(row?.link) ? undefined : { revision, link: row.link };
}

/** Reads what follows a revision. Runs in a transaction, so that feed and rows are of one moment. */
export async function readFeed(db: Kysely<Schema>, after: number): Promise<FeedRead> {
  const head = await readHead(db);
  const changes: (FeedChange | undefined)[] = [];
  for await (const page of eachChanges(db, after)) for (const change of page) changes.push(change);
  return { head, changes, rows: await readNamedRows(db, changes) };
}

/** The changes after a revision, in order, some at a time; the last one is undefined if it cannot be parsed. */
export async function* eachChanges(
  db: Kysely<Schema>,
  after: number,
): AsyncIterable<readonly (FeedChange | undefined)[]> {
  for (let last = after; ;) {
    const page = await db
      .selectFrom("changes")
      .selectAll()
      .where("revision", ">", last)
      .orderBy("revision")
      .limit(CHANGES_PER_READ)
      .execute();
    const changes = page.map((row) => parseChange(row));
    const bad = changes.indexOf(undefined);
    yield bad === -1 ? changes : changes.slice(0, bad + 1);
    last = changes.at(-1)?.revision ?? last;
    if (bad !== -1 || page.length < CHANGES_PER_READ) return;
  }
}

async function readNamedRows(
  db: Kysely<Schema>,
  changes: readonly (FeedChange | undefined)[],
): Promise<FeedRead["rows"]> {
  const ids = new Map<SealedTable, Set<string>>();
  for (const change of changes) {
    if (change === undefined) continue;
    const known = ids.get(change.table) ?? new Set();
    ids.set(change.table, known.add(change.id));
  }
  const rows = new Map<SealedTable, ReadonlyMap<string, RawRow>>();
  for (const [table, wanted] of ids) rows.set(table, await readRows(db, table, [...wanted]));
  return rows;
}

/** Rows of one table by their ids. */
export async function readRows(
  db: Kysely<Schema>,
  table: SealedTable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RawRow>> {
  const found = new Map<string, RawRow>();
  for (let at = 0; at < ids.length; at += ROWS_PER_READ) {
    const wanted = ids.slice(at, at + ROWS_PER_READ);
    const page = await db.selectFrom(sealedTable(table)).selectAll().where("id", "in", wanted).execute();
    for (const row of page) if (typeof row.id === "string") found.set(row.id, row);
  }
  return found;
}
