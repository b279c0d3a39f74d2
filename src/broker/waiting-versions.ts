import type { Catalog, Mutation } from "#core/catalog.ts";
import { type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";

/**
 * The rows of the versions that wait for their key to begin, as they become with the key: they begin when it does, by whom or by which date
 * that is. A version that is published and waits for its own time is active, and none of them.
 */
export function waitingVersions(catalog: Catalog, next: KeyRecord): readonly Mutation[] {
  const { state, activateTime } = next;
  return catalog.versions(next.id).flatMap((version): readonly Mutation[] => {
    if (version.state !== "generated") return [];
    const begun = state === "active" ? ({ state, stateReason: null } as const) : {};
    const record: VersionRecord = { ...version, ...begun, activateTime };
    const same = record.state === version.state && activateTime === version.activateTime;
    const id = versionRowId(version.key, version.version);
    return same ? [] : [{ table: "versions", id, record, ifRevision: catalog.revisionOf("versions", id) }];
  });
}
