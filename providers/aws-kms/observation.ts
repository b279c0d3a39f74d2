import type { AlgorithmName } from "#core/algorithms.ts";
import type { Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { ObservedClass } from "#core/states.ts";
import type { KeyMetadata } from "./client.ts";
import { algorithmsOf } from "./specs.ts";
import type { KeyTags } from "./tags.ts";

type About = {
  readonly ref: NativeRef;
  readonly marker: string | null;
  readonly tags: KeyTags;
  readonly requestId: string | null;
};

/** What DescribeKey or CreateKey and the tags tell of a key, in our words. */
export function observationOf(metadata: KeyMetadata, { ref, marker, tags, requestId }: About): Observation {
  const { KeyState = "", DeletionDate, CreationDate } = metadata;
  const observed = STATES[KeyState] ?? "unknown";
  return {
    ref,
    observed: observed === "enabled" && tags.processOnly ? "process-only" : observed,
    nativeState: KeyState,
    algorithm: algorithmOf(metadata, tags),
    marker,
    destroyTime: DeletionDate?.getTime() ?? null,
    createTime: CreationDate?.getTime() ?? null,
    requestId,
  };
}

/** Primary and replica keys of several Regions are keys like any other here, each with its own state. */
const STATES: Readonly<Record<string, ObservedClass>> = {
  Enabled: "enabled",
  Disabled: "disabled",
  // Nothing here tells material that never came from material that went.
  PendingImport: "material-missing",
  PendingDeletion: "pending-destroy",
  // A primary key waits for its replicas, without a date (developer guide, deleting multi-Region keys).
  PendingReplicaDeletion: "pending-destroy",
  Unavailable: "unavailable",
  Creating: "unavailable",
  Updating: "unavailable",
};

/** Of several algorithms that fit the key, the one in its tags, if the key is ours. */
function algorithmOf({ KeySpec, KeyUsage }: KeyMetadata, { marker, algorithm }: KeyTags): AlgorithmName | null {
  const fitting = algorithmsOf(KeySpec, KeyUsage);
  if (fitting.length === 1) return fitting[0] ?? null;
  return marker === null ? null : (fitting.find((name) => name === algorithm) ?? null);
}
