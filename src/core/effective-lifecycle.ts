import type { KeyRecord, Lifecycle } from "./records.ts";

/**
 * What a record's dates make of it at `now`: the state that a reader is shown and that the gate asks.
 *
 * A generated record whose activation date has come is active (unless it still waits for material or an approval), an active one whose
 * deactivation date has come is deactivated as expired. A suspended one stays suspended: being expired allows more. With a leeway both
 * dates are read in the caller's favour, by so many milliseconds.
 *
 * @see lifecycle.md § 4
 */
export function effectiveLifecycle<T extends Lifecycle>(record: T, now: number, leewayMs = 0): T {
  const started = activated(record, now + leewayMs);
  const { deactivateTime } = started;
  if (started.state !== "active" || deactivateTime === null || now - leewayMs < deactivateTime) return started;
  return { ...started, state: "deactivated", stateReason: "expired" };
}

/**
 * The version that protects at `now`: a published version takes over at its time, and a key that a date has activated uses its newest.
 * Null while the key has none.
 */
export function primaryVersionAt(key: KeyRecord, now: number): number | null {
  const { pendingVersion, pendingTime, primaryVersion } = key;
  if (pendingVersion !== null && pendingTime !== null && pendingTime <= now) return pendingVersion;
  if (primaryVersion !== null) return primaryVersion;
  return effectiveLifecycle(key, now).state === "generated" || key.latestVersion === 0 ? null : key.latestVersion;
}

function activated<T extends Lifecycle>(record: T, now: number): T {
  const { state, stateReason, activateTime } = record;
  if (state !== "generated" || stateReason !== "created" || activateTime === null || now < activateTime) return record;
  return { ...record, state: "active", stateReason: null };
}
