import type { RowFault } from "#core/catalog.ts";
import { ROW_IDS, type SealedTable, type SealedTables } from "#core/records.ts";
import { type Chain, latin1 } from "./chain.ts";
import { toInteger } from "./schema.ts";
import type { Sealer } from "./seals.ts";

export type AnyRecord = SealedTables[SealedTable];

/** A row of a sealed table as the database gives it: nothing in it is trusted. */
export type RawRow = {
  readonly id: unknown;
  readonly revision: unknown;
  readonly record: unknown;
  readonly seal: unknown;
  readonly root_version: unknown;
};

/**
 * Finds what keeps a row from counting: its seal is wrong, or it is not the row that the chain names last for its id; undefined if it counts.
 * Then its record is one of this table and of this id, since we linked and sealed no other.
 */
export function findFault(
  table: SealedTable,
  row: RawRow,
  { chain, sealer }: { chain: Chain; sealer: Sealer },
): RowFault["fault"] | undefined {
  const revision = toInteger(row.revision);
  const rootVersion = toInteger(row.root_version);
  const { id, record: text, seal } = row;
  if (typeof id !== "string" || typeof text !== "string" || !(seal instanceof Uint8Array)) return "unsealed";
  if (revision === undefined || rootVersion === undefined) return "unsealed";
  if (!sealer.sealFits({ table, revision, text, rootVersion }, seal)) return "unsealed";
  const named = chain.named(table, id);
  if (named === undefined) return "unchained";
  if (revision !== named.revision) return revision < named.revision ? "rolled-back" : "unchained";
  return latin1(seal) === named.seal ? undefined : "unsealed";
}

/** The record of a row in which {@link findFault} found nothing. */
export function recordOf(row: RawRow): AnyRecord {
  return JSON.parse(row.record as string) as AnyRecord;
}

/** The id that a record's row must have. */
export function rowIdOf(table: SealedTable, record: AnyRecord): string {
  return (ROW_IDS[table] as (record: AnyRecord) => string)(record);
}

/** What an unverified text says, for a human's eyes only; undefined if it is no JSON object. */
export function readUnverified(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
