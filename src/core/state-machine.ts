import { effectiveLifecycle } from "./effective-lifecycle.ts";
import { KmsError } from "./errors.ts";
import type { Lifecycle } from "./records.ts";
import { DEFAULT_PROCESSING, type Processing, type StateReason, type SuspendReason } from "./states.ts";
import { findTransition, type Standpoint, type Transition } from "./transitions.ts";

/** What is asked of a key or a version. */
export type LifecycleVerb =
  | { readonly kind: "activate" | "resume" | "archive" | "unarchive" | "cancel-destroy" | "make-primary" }
  /** Writes down what a date has brought about. */
  | { readonly kind: "date" }
  | { readonly kind: "suspend"; readonly reason: SuspendReason; readonly processing?: Processing }
  | { readonly kind: "deactivate"; readonly reason: "revoked" | "superseded" }
  | { readonly kind: "compromise"; readonly occurrenceTime?: number }
  /** `destroyTime` is the end of the window; a key that was never active has none and is gone at once. */
  | { readonly kind: "destroy"; readonly destroyTime: number }
  /** Every binding is confirmed gone and the window is over. */
  | { readonly kind: "destroyed" };

export type LifecycleOutcome<T extends Lifecycle> =
  /** `rule` says who may ask for it and how many must agree. */
  { readonly kind: "changed"; readonly next: T; readonly rule: Transition } | { readonly kind: "unchanged" };

/**
 * Decides one verb on a key or on a version, by the table of transitions; whatever else the record has is kept.
 *
 * `current` is judged as its dates make it at `now`. What is there already is `unchanged`. Suspending a suspended key for another reason
 * changes the reason and never allows more than before, unless `processing` says so.
 *
 * @throws {KmsError} `ILLEGAL_TRANSITION` for everything that lifecycle.md § 3 does not list, for a cancellation after the window and for
 *   a destruction within it; `INVALID_ARGUMENT` for an `occurrenceTime` in the future.
 */
export function transition<T extends Lifecycle>(current: T, verb: LifecycleVerb, now: number): LifecycleOutcome<T> {
  const before = verb.kind === "date" ? current : effectiveLifecycle(current, now);
  const change = target(before, verb, now);
  if (change === undefined) throw illegal(before, verb);
  const next = { ...before, ...change };
  const same = standpoint(next) === standpoint(before) && next.processing === before.processing;
  if (same && verb.kind !== "make-primary") return { kind: "unchanged" };
  const rule = findTransition(verb.kind, standpoint(before), standpoint(next));
  if (rule === undefined) throw illegal(before, verb);
  return same ? { kind: "unchanged" } : { kind: "changed", next, rule };
}

/** What the verb would make of the record, if the table allows it; undefined where the record itself forbids it. */
function target(at: Lifecycle, verb: LifecycleVerb, now: number): Partial<Lifecycle> | undefined {
  if (verb.kind === "activate") return { ...ACTIVE, activateTime: earlier(at.activateTime, now) };
  if (verb.kind === "resume") return ACTIVE;
  if (verb.kind === "date") return effectiveLifecycle(at, now);
  if (verb.kind === "suspend") return suspended(at, verb);
  if (verb.kind === "deactivate") return ended(at, verb.reason, now);
  if (verb.kind === "archive") return archived(at, now);
  if (verb.kind === "unarchive") return back(at);
  if (verb.kind === "compromise") return compromised(at, verb.occurrenceTime ?? null, now);
  if (verb.kind === "destroy") return dying(at, verb.destroyTime, now);
  if (verb.kind === "cancel-destroy") return rescued(at, now);
  if (verb.kind === "destroyed") return gone(at, now);
  return {}; // make-primary
}

const ACTIVE = { state: "active", stateReason: null, processing: null } as const;
const GONE = { state: "destroyed", stateReason: "normal", processing: null, previousReason: null } as const;

/** Suspending never allows more than there was: to allow processing again is to resume. */
function suspended(at: Lifecycle, verb: LifecycleVerb & { kind: "suspend" }): Partial<Lifecycle> | undefined {
  const before = at.state === "suspended" ? at.processing : null;
  if (before === "deny" && verb.processing === "allow") return undefined;
  const kept = before === "deny" || at.stateReason === verb.reason ? before : null;
  const processing = verb.processing ?? kept ?? DEFAULT_PROCESSING[verb.reason];
  return { state: "suspended", stateReason: verb.reason, processing };
}

/** Deactivated now: the dates that were still to come end with it, so that they stay in order (lifecycle.md § 4). */
function ended(at: Lifecycle, stateReason: StateReason, now: number): Partial<Lifecycle> {
  const protectStopTime = at.protectStopTime === null ? null : earlier(at.protectStopTime, now);
  const deactivateTime = earlier(at.deactivateTime, now);
  const dates = { protectStopTime, deactivateTime };
  return { state: "deactivated", stateReason, processing: null, previousReason: null, ...dates };
}

function archived(at: Lifecycle, now: number): Partial<Lifecycle> {
  return { ...ended(at, "archived", now), previousReason: at.state === "deactivated" ? at.stateReason : null };
}

function compromised(at: Lifecycle, compromiseOccurrenceTime: number | null, now: number): Partial<Lifecycle> {
  if (compromiseOccurrenceTime !== null && compromiseOccurrenceTime > now) {
    throw new KmsError("INVALID_ARGUMENT", "occurrenceTime is in the future, wanted a time that has passed");
  }
  if (at.state === "destroyed") return { stateReason: "compromised", compromiseOccurrenceTime };
  return { ...ended(at, "compromised", now), compromiseOccurrenceTime };
}

/** What was never active protects nothing and goes at once. */
function dying(at: Lifecycle, destroyTime: number, now: number): Partial<Lifecycle> {
  if (at.state === "generated") return { ...GONE, destroyTime: now };
  if (at.stateReason === "destroy-pending") return {};
  return { state: "deactivated", stateReason: "destroy-pending", previousReason: at.stateReason, destroyTime };
}

function rescued(at: Lifecycle, now: number): Partial<Lifecycle> | undefined {
  const over = at.destroyTime !== null && now >= at.destroyTime;
  return at.stateReason !== "destroy-pending" || over ? undefined : { ...back(at), destroyTime: null };
}

/** To the reason before, and no further. */
function back(at: Lifecycle): Partial<Lifecycle> | undefined {
  return at.previousReason === null ? undefined : { stateReason: at.previousReason, previousReason: null };
}

function gone(at: Lifecycle, now: number): Partial<Lifecycle> | undefined {
  if (at.state === "destroyed") return {};
  if (at.destroyTime === null || now < at.destroyTime) return undefined;
  const stateReason = at.previousReason === "compromised" ? "compromised" : "normal";
  return { ...GONE, stateReason, destroyTime: now };
}

/**
 * Checks new dates of a record against the old ones: they are in order, a date that has passed stays, and what has begun does not begin later.
 * Of a record that awaits its material nothing has begun, whatever its activation date.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` unless activateTime < protectStopTime ≤ deactivateTime; `ILLEGAL_TRANSITION` for a date that would
 *   move a state, or the end of protection, backwards
 * @see lifecycle.md § 3 and § 4
 */
export function requireForwardDates(before: Lifecycle, after: Lifecycle, now: number): void {
  requireOrder(after);
  const begun = effectiveLifecycle(before, now).state !== "generated";
  for (const name of DATES) {
    const [old, wanted] = [before[name], after[name]];
    if (old === wanted) continue;
    const waits = name === "activateTime" && before.stateReason === "awaiting-material";
    const passed = old !== null && old <= now && !waits;
    const later = name === "activateTime" && begun && wanted !== null && wanted > now;
    if (!passed && !later) continue;
    const detail = passed ? `${name} has passed and stays as it is` : `${name} is in the future, and the key has begun`;
    throw new KmsError("ILLEGAL_TRANSITION", detail, { metadata: { field: name, state: before.state } });
  }
}

const DATES = ["activateTime", "protectStopTime", "deactivateTime"] as const;

function requireOrder({ activateTime, protectStopTime, deactivateTime }: Lifecycle): void {
  const end = deactivateTime ?? Infinity;
  const stop = protectStopTime ?? end;
  const late = stop > end ? "/protectStopTime" : undefined;
  const pointer = (activateTime ?? -Infinity) >= stop ? "/activateTime" : late;
  if (pointer === undefined) return;
  const detail = "wanted activateTime before protectStopTime, and that no later than deactivateTime";
  throw new KmsError("INVALID_ARGUMENT", `dates out of order: ${detail}`, {
    errors: [{ pointer, code: "conflict", detail }],
  });
}

function earlier(time: number | null, now: number): number {
  return time === null ? now : Math.min(time, now);
}

function standpoint({ state, stateReason }: Lifecycle): Standpoint {
  return stateReason === null ? state : `${state}/${stateReason}`;
}

function illegal(at: Lifecycle, verb: LifecycleVerb): KmsError {
  const reason = at.stateReason === null ? "" : ` (${at.stateReason})`;
  const metadata = {
    verb: verb.kind,
    state: at.state,
    ...(at.stateReason !== null && { stateReason: at.stateReason }),
  };
  return new KmsError("ILLEGAL_TRANSITION", `${verb.kind} is not possible while the key is ${at.state}${reason}`, {
    metadata,
  });
}
