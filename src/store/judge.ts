import type { RowFault } from "#core/catalog.ts";
import { ROW_IDS, type SealedTable, type SealedTables } from "#core/records.ts";
import { type Chain, latin1 } from "./chain.ts";
import { toInteger } from "./schema.ts";
import { type Sealer, sealsEqual } from "./seals.ts";

export type AnyRecord = SealedTables[SealedTable];

/** A row of a sealed table as the database gives it: nothing in it is trusted. */
export type RawRow = {
  readonly id: unknown;
  readonly revision: unknown;
  readonly record: unknown;
  readonly seal: unknown;
  readonly root_version: unknown;
};

export type Verdict =
  | { readonly kind: "good"; readonly record: AnyRecord }
  | { readonly kind: "bad"; readonly fault: RowFault["fault"] };

/** Decides whether a row counts: its seal is right, and it is the one that the chain names last for its id. */
export function judge(table: SealedTable, row: RawRow, { chain, sealer }: { chain: Chain; sealer: Sealer }): Verdict {
  const revision = toInteger(row.revision);
  const rootVersion = toInteger(row.root_version);
  const { id, record: text, seal } = row;
  if (typeof id !== "string" || typeof text !== "string") return bad("unsealed");
  if (revision === undefined || rootVersion === undefined || !(seal instanceof Uint8Array)) return bad("unsealed");
  const named = chain.named(table, id);
  if (!sealsEqual(sealer.seal({ table, revision, text, rootVersion }), seal)) return bad("unsealed");
  if (named === undefined) return bad("unchained");
  if (revision !== named.revision) return bad(revision < named.revision ? "rolled-back" : "unchained");
  if (latin1(seal) !== named.seal) return bad("unsealed");
  const record = JSON.parse(text) as AnyRecord; // sealed by us: it is a record of this table
  return rowIdOf(table, record) === id ? { kind: "good", record } : bad("unsealed");
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

function bad(fault: RowFault["fault"]): Verdict {
  return { kind: "bad", fault };
}
