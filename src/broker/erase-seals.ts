import type { KeyRecord, VersionRecord } from "#core/records.ts";
import { versionRowId } from "#core/records.ts";
import { namespaceOf } from "./branch.ts";
import type { BrokerParts } from "./parts.ts";

/** What became of the files that held a seal. */
export type Erasure = {
  /** Why the journal could not be rewritten; null where every target was. */
  readonly journalFailure: string | null;
};

/**
 * Erases the seals of some versions of a portable key: from the catalog, from the files of the database, and from every target of this
 * gateway's journal, where a tombstone takes their place; other gateways rewrite theirs when the change reaches them. What is erased already is
 * passed over, so that a crash in the middle is finished by doing it again.
 */
export async function eraseSeals(parts: BrokerParts, key: KeyRecord, versions: readonly number[]): Promise<Erasure> {
  const erased = await parts.store.change((catalog) => {
    const records = versions.flatMap((number) => catalog.version(key.id, number) ?? []).filter(hasSeal);
    return {
      mutations: records.map((version) => {
        const id = versionRowId(key.id, version.version);
        const record: VersionRecord = { ...version, seal: null };
        return { table: "versions", id, record, ifRevision: catalog.revisionOf("versions", id) };
      }),
      result: records.length,
    };
  });
  if (erased > 0) await parts.store.scrub();
  return { journalFailure: await writeTombstones(parts, key, versions) };
}

/** Whether anything is left that a recipient's wrap could open. */
export function hasSeal({ seal }: VersionRecord): boolean {
  return seal !== null;
}

async function writeTombstones(
  parts: BrokerParts,
  key: KeyRecord,
  versions: readonly number[],
): Promise<string | null> {
  const namespace = namespaceOf(parts.catalog, key.namespace);
  const entries = versions.flatMap((number) => {
    const version = parts.catalog.version(key.id, number);
    return version === undefined || version.branch === null || hasSeal(version)
      ? []
      : [{ type: "tombstone" as const, namespace, key, version }];
  });
  try {
    await parts.journal.append(entries);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "it cannot be written";
  }
}
