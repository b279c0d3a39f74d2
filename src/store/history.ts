import type { Kysely } from "kysely";
import type { KeyId } from "#core/ids.ts";
import type { HistoryRecord } from "#core/records.ts";
import { type AnyRecord, type Verdict, type RawRow } from "./judge.ts";
import type { Schema } from "./schema.ts";

/** The history of a key, oldest first: the rows of which `judgeRow` says that they count. */
export async function readHistory(
  db: Kysely<Schema>,
  key: KeyId,
  judgeRow: (row: RawRow) => Verdict,
): Promise<readonly HistoryRecord[]> {
  const rows = await db
    .selectFrom("history")
    .selectAll()
    .where("id", ">", `${key}/`)
    .where("id", "<", `${key}0`) // the character after "/"
    .execute();
  return rows
    .map((row) => judgeRow(row))
    .flatMap((verdict) => (verdict.kind === "good" ? [asHistory(verdict.record)] : []))
    .toSorted((a, b) => a.generation - b.generation);
}

function asHistory(record: AnyRecord): HistoryRecord {
  return record as HistoryRecord; // the chain names it in this table
}
