import type { Kysely } from "kysely";
import {
  type BranchRecord,
  type BranchVersionRecord,
  type KeyRecord,
  type NamespaceRecord,
  type ProviderRecord,
  type RecipientRecord,
  type SealedTable,
  type SealedTables,
  type VersionRecord,
  type WrapRecord,
  versionRowId,
} from "#core/records.ts";
import { readRows } from "./feed.ts";
import { readUnverified, rowIdOf } from "./judge.ts";
import { eachRow } from "./load.ts";
import type { Schema } from "./schema.ts";

const SYSTEM = "system";

/**
 * What opens the root key: the rows of namespace `system`, read before anything can be verified.
 *
 * Nothing in them is trusted, not even that a member has its type: whoever uses them checks what comes out against the pin.
 */
export type SystemRows = {
  readonly namespace: NamespaceRecord | undefined;
  readonly keys: readonly KeyRecord[];
  readonly versions: readonly VersionRecord[];
  readonly branches: readonly BranchRecord[];
  readonly branchVersions: readonly BranchVersionRecord[];
  readonly recipients: readonly RecipientRecord[];
  readonly wraps: readonly WrapRecord[];
  readonly providers: readonly ProviderRecord[];
};

/** Reads the rows of namespace `system`, unverified. Records that are no JSON objects, or whose id is not that of their row, are left out. */
export async function readSystemRows(db: Kysely<Schema>): Promise<SystemRows> {
  const keys = await readSystemKeys(db);
  const branches = await readTable(db, "branches", (record) => record.namespace === SYSTEM);
  const ids = new Set(branches.map((branch) => branch.id));
  const [namespace] = await readTable(db, "namespaces", (record) => record.name === SYSTEM);
  return {
    namespace,
    keys,
    versions: await readVersions(db, keys),
    branches,
    branchVersions: await readTable(db, "branch_versions", (record) => ids.has(record.branch)),
    recipients: await readTable(db, "recipients", (record) => record.namespace === SYSTEM),
    wraps: await readTable(db, "wraps", (record) => ids.has(record.branch)),
    providers: await readTable(db, "providers", () => true),
  };
}

/** By way of the names, since the keys of all other namespaces stand in the same table. */
async function readSystemKeys(db: Kysely<Schema>): Promise<readonly KeyRecord[]> {
  const names = await db.selectFrom("names").select("key_id").distinct().where("namespace", "=", SYSTEM).execute();
  const ids = names.map((row) => row.key_id).filter((id) => typeof id === "string");
  const rows = [...(await readRows(db, "keys", ids)).values()];
  return rows
    .map((row) => parse("keys", row))
    .filter((record) => record !== undefined)
    .filter((record) => record.namespace === SYSTEM);
}

async function readVersions(db: Kysely<Schema>, keys: readonly KeyRecord[]): Promise<readonly VersionRecord[]> {
  const ids = keys.flatMap((key) => {
    const latest = Number.isSafeInteger(key.latestVersion) ? Math.min(key.latestVersion, 10_000) : 0;
    return Array.from({ length: latest }, (_, at) => versionRowId(key.id, at + 1));
  });
  const rows = await readRows(db, "versions", ids);
  return [...rows.values()].map((row) => parse("versions", row)).filter((record) => record !== undefined);
}

async function readTable<T extends SealedTable>(
  db: Kysely<Schema>,
  table: T,
  wanted: (record: SealedTables[T]) => boolean,
): Promise<readonly SealedTables[T][]> {
  const records: SealedTables[T][] = [];
  for await (const row of eachRow(db, table)) {
    const record = parse(table, row);
    if (record !== undefined && wanted(record)) records.push(record);
  }
  return records;
}

function parse<T extends SealedTable>(
  table: T,
  row: { readonly id: unknown; readonly record: unknown },
): SealedTables[T] | undefined {
  const record = readUnverified(row.record) as SealedTables[T] | undefined;
  return record !== undefined && rowIdOf(table, record) === row.id ? record : undefined;
}
