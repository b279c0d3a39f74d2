import type { ColumnType } from "kysely";
import type { SealedTable } from "#core/records.ts";

/** Whatever is read from the database is unknown until it is parsed or verified: who writes the file must not own the keys. */
type Text = ColumnType<unknown, string, string>;
type Integer = ColumnType<unknown, number, number>;
type Bytes = ColumnType<unknown, Uint8Array, Uint8Array>;

/** The one shape of every sealed table. `record` is the RFC 8785 text that `seal` covers. */
export type SealedRowColumns = { id: Text; revision: Integer; record: Text; seal: Bytes; root_version: Integer };

type UnsealedTables = {
  /** Which key a name or alias stands for; kept from the key records, in the transaction that writes them. */
  names: { namespace: Text; name: Text; key_id: Text };
  /** The feed: one row per change of one sealed row. */
  changes: { revision: Integer; tbl: Text; row_id: Text; seal: Bytes; link: Bytes; root_version: Integer };
  /** One row: the newest revision and its link; locking it orders the writers. */
  head: { id: Integer; revision: Integer; link: Bytes };
  /** What the chain names at a revision, in parts. */
  snapshots: {
    revision: Integer;
    part: Integer;
    parts: Integer;
    entries: Bytes;
    link: Bytes;
    seal: Bytes;
    root_version: Integer;
  };
  idempotency: { credential: Text; key: Text; entry: Text; time: Integer };
  /** The tables of `live` are not part of the truth; they stand apart, so that writing them wakes nobody who follows the feed. */
  "live.last_use": { key_id: Text; hour: Integer };
  "live.protected": { version_id: Text; messages: Integer; bytes: Integer };
  "live.heartbeats": { process: Text; body: Text; time: Integer };
  "live.leases": { name: Text; process: Text; expires: Integer };
  "live.inventory": { id: Text; provider_uid: Text; native_ref: Text; marked: Integer; body: Text; seen: Integer };
};

export type Schema = { [T in SealedTable]: SealedRowColumns } & UnsealedTables;

/** A sealed table under a name that the query builder can type; all of them have one shape. */
export function sealedTable(table: SealedTable): "keys" {
  return table as "keys";
}

/** An integer column as a number; undefined for what is no safe integer. Drivers give numbers, bigints or decimal strings. */
export function toInteger(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === "bigint" || (typeof value === "string" && /^-?\d{1,16}$/u.test(value))) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  return undefined;
}
