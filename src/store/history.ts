import type { Kysely } from "kysely";
import type { KeyId } from "#core/ids.ts";
import type { HistoryRecord } from "#core/records.ts";
import { type RawRow, recordOf } from "./judge.ts";
import type { Schema } from "./schema.ts";

/** The history of a key, oldest first: the rows of which `counts` says that they do. */
export async function readHistory(
  db: Kysely<Schema>,
  key: KeyId,
  counts: (row: RawRow) => boolean,
): Promise<readonly HistoryRecord[]> {
  const rows = await db
    .selectFrom("history")
    .selectAll()
    .where("id", ">", `${key}/`)
    .where("id", "<", `${key}0`) // the character after "/"
    .execute();
  return rows
    .filter((row) => counts(row))
    .map((row) => recordOf(row) as HistoryRecord)
    .toSorted((a, b) => a.generation - b.generation);
}
