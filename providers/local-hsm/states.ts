import type { Observation } from "#core/provider.ts";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { NativeRef } from "#core/records.ts";
import type { ObservedClass } from "#core/states.ts";
import { type LocalFaultCode, LocalHsmError, unsupported } from "./errors.ts";
import type { ObjectMeta, ObjectState } from "./object-file.ts";

const DAY_MS = 86_400_000;

/** What each state is called outside, and the refusal of those in which a key does nothing. */
const STATES: Readonly<Record<ObjectState, { observed: ObservedClass; refusal: LocalFaultCode | null }>> = {
  enabled: { observed: "enabled", refusal: null },
  disabled: { observed: "disabled", refusal: "KeyDisabled" },
  "pending-destruction": { observed: "pending-destroy", refusal: "KeyPendingDestruction" },
  destroyed: { observed: "destroyed", refusal: "KeyDestroyed" },
};

/** Refuses a key that is not enabled, or that is for another algorithm. */
export function requireUsable(meta: ObjectMeta, algorithm: AlgorithmName): void {
  if (meta.algorithm !== algorithm) throw unsupported(`${algorithm} with a key for ${meta.algorithm}`);
  const { refusal } = STATES[meta.state];
  if (refusal !== null) throw new LocalHsmError(refusal, `the key is ${meta.state}`);
}

/** The changes that people ask for. Each gives back its argument where the key is there already. */
export const CHANGES = {
  enable: (meta: ObjectMeta): ObjectMeta => toggled(meta, "enabled"),
  disable: (meta: ObjectMeta): ObjectMeta => toggled(meta, "disabled"),
  /** A destruction that is scheduled already keeps its time. */
  schedule: (meta: ObjectMeta, at: { readonly now: number; readonly days: number }): ObjectMeta => {
    if (meta.state === "pending-destruction") return meta;
    refuseIn(meta, ["destroyed"]);
    return { ...meta, state: "pending-destruction", destroyTime: at.now + at.days * DAY_MS };
  },
  /** Lands disabled, as the clouds do. */
  cancel: (meta: ObjectMeta): ObjectMeta => {
    if (meta.state === "disabled") return meta;
    if (meta.state === "enabled") throw new LocalHsmError("KeyNotPending", "no destruction is scheduled");
    refuseIn(meta, ["destroyed"]);
    return { ...meta, state: "disabled", destroyTime: null };
  },
} as const;

function toggled(meta: ObjectMeta, state: "enabled" | "disabled"): ObjectMeta {
  refuseIn(meta, ["pending-destruction", "destroyed"]);
  return meta.state === state ? meta : { ...meta, state };
}

function refuseIn(meta: ObjectMeta, states: readonly ObjectState[]): void {
  const { refusal } = STATES[meta.state];
  if (refusal !== null && states.includes(meta.state)) throw new LocalHsmError(refusal, `the key is ${meta.state}`);
}

export function observationOf(meta: ObjectMeta): Observation {
  return {
    ref: meta.id,
    observed: STATES[meta.state].observed,
    nativeState: meta.state,
    algorithm: meta.algorithm,
    marker: meta.marker,
    destroyTime: meta.destroyTime,
    createTime: meta.createTime,
    requestId: null,
  };
}

/** A key whose file does not open: nothing that the file says is believed. */
export function damagedObservation(ref: NativeRef): Observation {
  const unknown = { algorithm: null, marker: null, destroyTime: null, createTime: null, requestId: null };
  return { ref, observed: "material-missing", nativeState: "damaged", ...unknown };
}
