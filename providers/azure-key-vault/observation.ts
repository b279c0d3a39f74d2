import type { AlgorithmName } from "#core/algorithms.ts";
import type { Observation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { ObservedClass } from "#core/states.ts";
import type { KeyVaultKey } from "./client.ts";
import { OFFERED, shapeOf } from "./specs.ts";
import { markerOf, taggedAlgorithm } from "./tags.ts";

type About = {
  readonly ref: NativeRef;
  /** Epoch milliseconds: a key's dates count by our clock. */
  readonly now: number;
  readonly requestId: string | null;
};

/** What a key that is not deleted tells, in our words. */
export function observationOf(key: KeyVaultKey, { ref, now, requestId }: About): Observation {
  const { tags, createdOn } = key.properties;
  const { observed, nativeState } = stateOf(key, now);
  return {
    ref,
    observed,
    nativeState,
    algorithm: algorithmOf(key),
    marker: markerOf(tags),
    destroyTime: null,
    createTime: createdOn?.getTime() ?? null,
    requestId,
  };
}

/** What a deleted key tells. The service deletes all versions at once, and shows the latest of them. */
export function deletedObservationOf(
  key: KeyVaultKey & { readonly properties: { readonly scheduledPurgeDate?: Date } },
  { ref, requestId }: Omit<About, "now">,
): Observation {
  const { tags, createdOn, scheduledPurgeDate } = key.properties;
  return {
    ref,
    observed: "pending-destroy",
    nativeState: "deleted",
    algorithm: algorithmOf(key),
    marker: markerOf(tags),
    destroyTime: scheduledPurgeDate?.getTime() ?? null,
    createTime: createdOn?.getTime() ?? null,
    requestId,
  };
}

type State = { readonly observed: ObservedClass; readonly nativeState: string };

/** Outside its dates a key still opens and checks (about-keys, date-time controlled operations). */
function stateOf({ properties: { enabled, notBefore, expiresOn }, keyOperations }: KeyVaultKey, now: number): State {
  if (enabled !== true) return { observed: "disabled", nativeState: "disabled" };
  if (expiresOn !== undefined && now >= expiresOn.getTime())
    return { observed: "process-only", nativeState: "expired" };
  const isProcessing = keyOperations !== undefined && keyOperations.length > 0 && keyOperations.every(isProcessingOp);
  if (isProcessing) return { observed: "process-only", nativeState: "enabled" };
  if (notBefore !== undefined && now < notBefore.getTime())
    return { observed: "preactive", nativeState: "not yet valid" };
  return { observed: "enabled", nativeState: "enabled" };
}

/** Whether one of key_ops opens or checks what is there already. */
function isProcessingOp(name: string): boolean {
  return name === "decrypt" || name === "unwrapKey" || name === "verify";
}

/** Of several algorithms that fit the key, the one in its tags, if the key is ours. */
function algorithmOf(key: KeyVaultKey): AlgorithmName | null {
  const fitting = OFFERED.filter((name) => fits(name, key));
  if (fitting.length === 1) return fitting[0] ?? null;
  const tagged = taggedAlgorithm(key.properties.tags);
  return fitting.find((name) => name === tagged) ?? null;
}

function fits(name: AlgorithmName, { key, keyType }: KeyVaultKey): boolean {
  const shape = shapeOf(name);
  if (keyType?.replace("-HSM", "") !== shape.family) return false;
  if (shape.family === "EC") return key?.crv === shape.curve;
  return shape.family === "oct" || bitsOf(key?.n) === shape.bits;
}

/** Some write a zero byte before the modulus, as for a signed number. */
function bitsOf(modulus: Uint8Array = new Uint8Array()): number {
  return (modulus[0] === 0 ? modulus.length - 1 : modulus.length) * 8;
}
