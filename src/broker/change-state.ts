import type { Catalog } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { type LifecycleVerb, transition } from "#core/state-machine.ts";
import type { DeactivateReason, Processing, SuspendReason } from "#core/states.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation, type NextKey } from "./change-key.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";

type Told = Pick<Explanation, "detail" | "ticket">;

/** Leaves `generated`; the latest version becomes primary. */
export async function activateKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  told: Told,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, key, {
    action: "activate",
    permission: "keys.lifecycle",
    explanation: told,
    decide: (record, _catalog, now) => {
      const step = applyVerb(record, { kind: "activate" }, now);
      return { ...step, next: { ...step.next, primaryVersion: step.next.primaryVersion ?? step.next.latestVersion } };
    },
  });
}

export async function suspendKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: SuspendReason; readonly processing?: Processing },
): Promise<Changed<KeyView>> {
  const { processing } = input;
  return await changeKey(parts, caller, key, {
    action: "suspend",
    permission: "keys.suspend",
    explanation: input,
    restricts: true,
    decide: (record, _catalog, now) =>
      applyVerb(
        record,
        { kind: "suspend", reason: input.reason, ...(processing === undefined ? {} : { processing }) },
        now,
      ),
  });
}

/** Suspended to active: loosening, so that with dual control another person than the one who suspended must ask for it. */
export async function resumeKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: string },
): Promise<Changed<KeyView>> {
  const suspendedBy = await lastActor(parts, caller, key, "suspend");
  return await changeKey(parts, caller, key, {
    action: "resume",
    permission: "keys.lifecycle",
    explanation: input,
    decide: (record, catalog, now) => {
      requireOtherPerson(catalog, caller, record, suspendedBy);
      return applyVerb(record, { kind: "resume" }, now);
    },
  });
}

export async function deactivateKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: Extract<DeactivateReason, "revoked" | "superseded"> },
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, key, {
    action: "deactivate",
    permission: "keys.lifecycle",
    explanation: input,
    restricts: true,
    decide: (record, _catalog, now) => applyVerb(record, { kind: "deactivate", reason: input.reason }, now),
  });
}

/** Marks a key as compromised: one person, at once, for good. `occurrenceTime` is when it happened, epoch milliseconds. */
export async function compromiseKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: string; readonly occurrenceTime?: number },
): Promise<Changed<KeyView>> {
  const { occurrenceTime } = input;
  return await changeKey(parts, caller, key, {
    action: "compromise",
    permission: "keys.lifecycle",
    explanation: input,
    restricts: true,
    decide: (record, _catalog, now) =>
      applyVerb(record, { kind: "compromise", ...(occurrenceTime === undefined ? {} : { occurrenceTime }) }, now),
  });
}

function applyVerb(record: KeyRecord, verb: LifecycleVerb, now: number): NextKey {
  const result = transition(record, verb, now);
  return result.kind === "unchanged" ? { next: record, unchanged: true } : { next: { ...record, ...result.next } };
}

async function lastActor(parts: BrokerParts, caller: Caller, key: string, action: string): Promise<string | undefined> {
  const found = parts.catalog.keyByName(caller.namespace, key) ?? parts.catalog.key(key as KeyRecord["id"]);
  if (found === undefined || parts.catalog.namespace(caller.namespace)?.dualControl !== true) return undefined;
  const history = await parts.store.history(found.id);
  return history.findLast((entry) => entry.action === action)?.actor;
}

function requireOtherPerson(catalog: Catalog, caller: Caller, key: KeyRecord, suspendedBy: string | undefined): void {
  if (catalog.namespace(key.namespace)?.dualControl !== true || key.state !== "suspended") return;
  if (suspendedBy !== caller.principal.client.person) return;
  throw new KmsError("SEPARATION_OF_DUTIES", "another person than the one who suspended the key must resume it", {
    help: "ask another admin of this namespace to resume the key",
  });
}
