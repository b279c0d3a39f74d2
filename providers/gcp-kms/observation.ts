import type { Observation } from "#core/provider.ts";
import type { ObservedClass } from "#core/states.ts";
import { algorithmOf } from "./algorithms.ts";
import type { CryptoKey, Version } from "./client.ts";
import { markerOf } from "./names.ts";
import { present } from "./present.ts";

/** CryptoKeyVersionState to the classes of the model (providers.md 4.1). */
const CLASSES: Readonly<Record<string, ObservedClass>> = {
  ENABLED: "enabled",
  DISABLED: "disabled",
  PENDING_GENERATION: "unavailable",
  PENDING_IMPORT: "unavailable",
  IMPORT_FAILED: "material-missing",
  GENERATION_FAILED: "material-missing",
  DESTROY_SCHEDULED: "pending-destroy",
  DESTROYED: "destroyed",
  PENDING_EXTERNAL_DESTRUCTION: "destroyed",
  EXTERNAL_DESTRUCTION_FAILED: "destroyed",
};

/** A version as the service shows it, with the labels of its key. */
export function observationOf(version: Version, labels: CryptoKey["labels"]): Observation {
  const nativeState = String(present(version.state, "state"));
  return {
    ref: present(version.name, "name"),
    observed: CLASSES[nativeState] ?? "unknown",
    nativeState,
    algorithm: algorithmOf(String(version.algorithm ?? "")),
    marker: markerOf(labels),
    destroyTime: nativeState === "DESTROY_SCHEDULED" ? timeOf(version.destroyTime) : null,
    createTime: timeOf(version.createTime),
    requestId: null,
  };
}

type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined;

function timeOf(time: Timestamp): number | null {
  if (time?.seconds === undefined || time.seconds === null) return null;
  return Number(time.seconds) * 1000 + Math.floor((time.nanos ?? 0) / 1_000_000);
}
