import type { Kysely } from "kysely";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import type { InventoryEntry, InventoryId, InventoryPage } from "#core/inventory.ts";
import { OBSERVED_CLASSES } from "#core/states.ts";
import { readUnverified } from "./judge.ts";
import type { Schema } from "./schema.ts";

const ROWS_PER_WRITE = 200;

/** Notes what was seen; an entry that is there keeps its id. */
export async function writeInventory(db: Kysely<Schema>, entries: readonly InventoryEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += ROWS_PER_WRITE) {
    const rows = entries.slice(start, start + ROWS_PER_WRITE).map((entry) => ({
      id: entry.id,
      provider_uid: entry.providerUid,
      native_ref: entry.nativeRef,
      marked: entry.marker === null ? 0 : 1,
      body: JSON.stringify(entry),
      seen: entry.lastSeenTime,
    }));
    await db
      .insertInto("live.inventory")
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(["provider_uid", "native_ref"]).doUpdateSet((eb) => ({
          marked: eb.ref("excluded.marked"),
          body: eb.ref("excluded.body"),
          seen: eb.ref("excluded.seen"),
        })),
      )
      .execute();
  }
}

/** What a sweep that began at `time` did not see is there no more. */
export async function forgetUnseen(db: Kysely<Schema>, providerUid: string, time: number): Promise<void> {
  await db.deleteFrom("live.inventory").where("provider_uid", "=", providerUid).where("seen", "<", time).execute();
}

export async function readInventory(db: Kysely<Schema>, page: InventoryPage): Promise<readonly InventoryEntry[]> {
  const { limit, after, providerUid, marked } = page;
  let query = db.selectFrom("live.inventory").select(["id", "body"]).orderBy("id").limit(limit);
  if (after !== undefined) query = query.where("id", ">", after);
  if (providerUid !== undefined) query = query.where("provider_uid", "=", providerUid);
  if (marked !== undefined) query = query.where("marked", "=", marked ? 1 : 0);
  const rows = await query.execute();
  return rows.flatMap(({ id, body }) => entryOf(id, body));
}

export async function findInventory(db: Kysely<Schema>, id: InventoryId): Promise<InventoryEntry | undefined> {
  const row = await db.selectFrom("live.inventory").select(["id", "body"]).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : entryOf(row.id, row.body)[0];
}

/** A row as it was written; none for one that somebody else wrote. */
function entryOf(id: unknown, body: unknown): readonly InventoryEntry[] {
  const entry = readUnverified(body);
  if (typeof id !== "string" || entry === undefined || !isEntry(entry)) return [];
  return [{ ...entry, id: id as InventoryId }];
}

function isEntry(value: Readonly<Record<string, unknown>>): value is InventoryEntry {
  const { algorithm, observed, marker } = value;
  return (
    ["providerUid", "nativeRef", "nativeState"].every((name) => typeof value[name] === "string") &&
    (algorithm === null || (ALGORITHM_NAMES as readonly unknown[]).includes(algorithm)) &&
    (OBSERVED_CLASSES as readonly unknown[]).includes(observed) &&
    (marker === null || typeof marker === "string") &&
    ["createTime", "destroyTime"].every((name) => value[name] === null || isTime(value[name])) &&
    isTime(value["lastSeenTime"])
  );
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && !Number.isNaN(new Date(value).getTime());
}
