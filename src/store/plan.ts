import type { Change, Mutation } from "#core/catalog.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyId } from "#core/ids.ts";
import type { KeyRecord } from "#core/records.ts";
import type { Chain, FeedChange } from "./chain.ts";
import { type AnyRecord, rowIdOf } from "./judge.ts";
import { namesOf } from "./key-index.ts";
import type { MemoryCatalog } from "./memory-catalog.ts";
import { REMOVED, type Sealer } from "./seals.ts";

/** One row to write: the change of the feed that names it, and its canonical text (`null` if it is removed). */
export type PlannedRow = { readonly mutation: Mutation; readonly change: FeedChange; readonly text: string };

/** Everything that a change writes, checked against the catalog at one revision, sealed and linked. */
export type Plan = { readonly rows: readonly PlannedRow[]; readonly names: readonly NameChange[] };

/** The names of one key, as they become. */
export type NameChange = { readonly key: KeyId; readonly namespace: string; readonly names: readonly string[] };

/**
 * Checks what a use case wants written and seals it.
 *
 * @throws {KmsError} `NAME_TAKEN`; `PLAN_STALE` for a row that has another revision than the change was decided on; `KEY_HELD` for a row of a key
 *   that does not verify; `INTEGRITY_FAILURE` for a row that must not be made anew; `INTERNAL` for a record that is not that of its row.
 */
export function planChange(
  { mutations }: Change<unknown>,
  { catalog, chain, sealer }: { catalog: MemoryCatalog; chain: Chain; sealer: Sealer },
): Plan {
  const touched = new Set<string>();
  for (const mutation of mutations) {
    const label = `${mutation.table}/${mutation.id}`;
    if (touched.has(label)) throw new KmsError("INTERNAL", `a change writes ${label} twice`);
    touched.add(label);
    checkMutation(mutation, catalog);
  }
  const rows: PlannedRow[] = [];
  let { revision, link } = chain;
  for (const mutation of mutations) {
    revision += 1;
    const row = sealRow(mutation, { revision, link, sealer });
    rows.push(row);
    ({ link } = row.change);
  }
  return { rows, names: planNames(mutations, catalog) };
}

function checkMutation({ table, id, record, ifRevision }: Mutation, catalog: MemoryCatalog): void {
  if (record !== null && rowIdOf(table, record) !== id) {
    throw new KmsError("INTERNAL", `a record of ${table} does not belong to the row ${id}`);
  }
  const key = keyOf(table, id);
  if (key !== undefined && catalog.isKeyBad(key)) {
    throw new KmsError("KEY_HELD", `the key ${key} is held: its rows in the database do not verify`);
  }
  if (NEVER_ANEW.has(table) && catalog.hasFault(table, id)) {
    throw new KmsError(
      "INTEGRITY_FAILURE",
      `the row ${id} of ${table} does not verify, and none is made in its place`,
      {
        metadata: { table, id },
        help: "put the row back as it was, or restore the database",
      },
    );
  }
  if (catalog.revisionOf(table, id) !== ifRevision) {
    throw new KmsError("PLAN_STALE", `${table} ${id} was changed meanwhile`);
  }
}

/** A row of these that was taken away stands for somebody's decision or a secret: another in its place would undo the one or lose the other. */
const NEVER_ANEW: ReadonlySet<Mutation["table"]> = new Set(["namespaces", "clients", "credentials", "secrets"]);

/** The key whose material or state a row holds. What is written from it must not come from a row that did not verify. */
function keyOf(table: Mutation["table"], id: string): KeyId | undefined {
  if (table === "keys") return id as KeyId;
  return table === "versions" || table === "history" ? (id.slice(0, id.lastIndexOf("/")) as KeyId) : undefined;
}

function sealRow(
  mutation: Mutation,
  { revision, link, sealer }: { revision: number; link: Uint8Array; sealer: Sealer },
): PlannedRow {
  const { table, id, record } = mutation;
  const text = record === null ? REMOVED : canonicalJson(record);
  const rootVersion = sealer.current;
  const seal = sealer.seal({ table, revision, text, rootVersion });
  const next = seal && sealer.link(link, { revision, table, id, seal, rootVersion });
  if (seal === undefined || next === undefined) {
    throw new KmsError("SEALED", "the row key of the current root version is not there");
  }
  return { mutation, text, change: { revision, table, id, seal, link: next, rootVersion } };
}

/** Names that keys give up are free for others in the same change. */
function planNames(mutations: readonly Mutation[], catalog: MemoryCatalog): readonly NameChange[] {
  const records = new Map<KeyId, KeyRecord | null>();
  for (const mutation of mutations) {
    if (mutation.table === "keys") records.set(mutation.id as KeyId, mutation.record);
  }
  const claimed = new Map<string, KeyId>();
  const changes: NameChange[] = [];
  for (const [key, record] of records) {
    const names = record === null ? [] : namesOf(record);
    const namespace = record?.namespace ?? "";
    for (const name of names) {
      const holder = catalog.holderOf(namespace, name);
      const other =
        claimed.get(`${namespace}\0${name}`) ?? (holder !== undefined && records.has(holder) ? key : holder);
      if (other !== undefined && other !== key) throw nameTaken(name, other);
      claimed.set(`${namespace}\0${name}`, key);
    }
    changes.push({ key, namespace, names });
  }
  return changes;
}

function nameTaken(name: string, key: KeyId): KmsError {
  return new KmsError("NAME_TAKEN", `another key of the namespace has the name or alias ${name}`, {
    metadata: { name, key },
  });
}

/** The record as every other process will read it. */
export function plannedRecord({ mutation, text }: PlannedRow): AnyRecord | null {
  return mutation.record === null ? null : (JSON.parse(text) as AnyRecord);
}
