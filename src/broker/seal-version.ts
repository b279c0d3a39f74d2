import { uuidOfKey } from "#core/ids.ts";
import type { BranchRecord, KeyRecord, Lifecycle, NamespaceRecord, VersionRecord } from "#core/records.ts";
import { createKeyMaterial } from "#envelope/new-key.ts";
import { sealVersionKey } from "#envelope/version-seal.ts";
import type { BrokerParts } from "./parts.ts";

type NewVersion = {
  readonly namespace: NamespaceRecord;
  readonly key: KeyRecord;
  readonly number: number;
  readonly branch: BranchRecord;
  /** Of the branch's primary version; stays the caller's. */
  readonly branchKey: Buffer;
  readonly lifecycle: Lifecycle;
};

/** Makes fresh material for a key version and seals it under the branch's primary version; the material is gone when this returns. */
export function sealNewVersion(
  parts: BrokerParts,
  { namespace, key, number, branch, branchKey, lifecycle }: NewVersion,
): VersionRecord {
  const material = createKeyMaterial(parts.sources.random);
  try {
    const seal = sealVersionKey({
      branchKey,
      namespace: namespace.id,
      key: uuidOfKey(key.id),
      version: number,
      branch: branch.id,
      branchVersion: branch.primaryVersion,
      versionKey: material,
    });
    return {
      ...lifecycle,
      key: key.id,
      version: number,
      branch: branch.id,
      branchVersion: branch.primaryVersion,
      seal: seal.toString("base64"),
      createTime: parts.sources.clock.now(),
    };
  } finally {
    material.fill(0);
  }
}
