import type { Catalog, Change, Mutation, Store } from "#core/catalog.ts";
import type { HistoryRecord, SealedTable, SealedTables } from "#core/records.ts";
import { keyId, uuid } from "./sealed-records.ts";
import type { ManualTime } from "./manual-time.ts";

/** What the suite needs to know of a kind of store. */
export type StoreHarness = { readonly name: string; readonly create: () => Promise<StoreSubject> };

/** One fresh database. Disposing closes whatever was opened. */
export interface StoreSubject extends AsyncDisposable {
  readonly time: ManualTime;
  /** Opens it as another process of the same gateway would. */
  open(options?: { readonly snapshotEvery?: number }): Promise<Store>;
}

/** A change that writes what it is given and decides nothing. */
export function writes(...mutations: readonly Mutation[]): (catalog: Catalog) => Change<undefined> {
  return () => ({ mutations, result: undefined });
}

/** Resolves when the store applies something next. */
export function applied(store: Store): Promise<{ mutations: readonly Mutation[]; own: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ mutations: readonly Mutation[]; own: boolean }>();
  const listener = store.onApplied((mutations, own) => resolve({ mutations, own }));
  return promise.finally(() => listener[Symbol.dispose]());
}

/** The n-th record of a table, as the catalog of a store answers it. */
export async function readRecord(
  store: Store,
  table: SealedTable,
  n: number,
): Promise<SealedTables[SealedTable] | undefined> {
  const { catalog } = store;
  const read: { readonly [T in SealedTable]: () => SealedTables[T] | undefined } = {
    namespaces: () => catalog.namespace(`space-${String(n)}`),
    keys: () => catalog.key(keyId(n)),
    versions: () => catalog.version(keyId(n), 1),
    branches: () => catalog.branch(uuid(n)),
    branch_versions: () => catalog.branchVersion(uuid(n), 1),
    recipients: () => catalog.recipient(uuid(n)),
    wraps: () => catalog.wraps(uuid(n), 1)[0],
    bindings: () => catalog.bindings(keyId(n), 1)[0],
    providers: () => catalog.provider(`uid-${String(n)}`),
    drains: () => catalog.drain(`provider-${String(n)}`),
    clients: () => catalog.client(`cli_${uuid(n)}`),
    credentials: () => catalog.credentialByDigest(`digest-${String(n)}`),
    secrets: () => catalog.secret(`secret-${String(n)}`),
    history: (): HistoryRecord | undefined => undefined,
  };
  return table === "history" ? (await store.history(keyId(n)))[0] : read[table]();
}
