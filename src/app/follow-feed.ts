import type { Catalog, Mutation } from "#core/catalog.ts";
import { uuidOfKey } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { BrokerParts } from "#broker/parts.ts";

/**
 * Keeps up with what others change, beside the catalog itself: key versions that are erased go from memory at once, and this gateway's journal
 * tells what others made or erased, so that each journal is whole.
 */
export function followFeed(parts: BrokerParts, onFailure: (error: unknown) => void): Disposable {
  const { store, catalog, journal, versionKeys, sources } = parts;
  return store.onApplied((applied, own) => {
    for (const mutation of applied) {
      if (mutation.table !== "versions" || mutation.record?.seal !== null) continue;
      versionKeys.drop(uuidOfKey(mutation.record.key), mutation.record.version);
    }
    if (own) return;
    // after the current turn: the catalog has then applied all of it
    sources.scheduler.after(0, () => {
      const entries = applied.flatMap((mutation) => entryOf(catalog, mutation) ?? []);
      if (entries.length > 0) journal.append(entries).catch(onFailure);
    });
  });
}

/** What a row that another gateway wrote is to the journal; nothing for most. */
function entryOf(catalog: Catalog, { table, record }: Mutation): JournalEntry | undefined {
  if (record === null) return undefined;
  if (table === "branch_versions") {
    const branch = catalog.branch(record.branch);
    const namespace = branch && catalog.namespace(branch.namespace);
    return branch && namespace && { type: "branch", namespace, branch, branchVersion: record };
  }
  if (table === "wraps") {
    const recipient = catalog.recipient(record.recipient);
    const branchVersion = catalog.branchVersion(record.branch, record.branchVersion);
    const branch = catalog.branch(record.branch);
    const namespace = branch && catalog.namespace(branch.namespace);
    if (recipient === undefined || branchVersion === undefined || namespace === undefined) return undefined;
    return { type: "wrap", namespace, recipient, wrap: record, commitment: branchVersion.commitment };
  }
  if (table !== "versions" || record.branch === null) return undefined;
  const key = catalog.key(record.key);
  const namespace = key && catalog.namespace(key.namespace);
  return key && namespace && { type: record.seal === null ? "tombstone" : "version", namespace, key, version: record };
}
