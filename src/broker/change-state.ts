import type { Catalog } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyRecord } from "#core/records.ts";
import { type LifecycleVerb, transition } from "#core/state-machine.ts";
import type { DeactivateReason, Processing, SuspendReason } from "#core/states.ts";
import type { Caller, Changed } from "./caller.ts";
import { changeKey, type Explanation, type NextKey } from "./change-key.ts";
import { resolveKey } from "./key-reference.ts";
import type { KeyView } from "./key-view.ts";
import type { BrokerParts } from "./parts.ts";
import { waitingVersions } from "./waiting-versions.ts";

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
    decide: (record, catalog, now) => {
      if (record.stateReason === "awaiting-material") throw awaitsMaterial(record);
      const step = applyVerb(record, { kind: "activate" }, now);
      const next = { ...step.next, primaryVersion: step.next.primaryVersion ?? step.next.latestVersion };
      return { ...step, next, mutations: waitingVersions(catalog, next) };
    },
  });
}

export async function suspendKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: SuspendReason; readonly processing?: Processing },
): Promise<Changed<KeyView>> {
  const { reason, processing } = input;
  const suspension = await findSuspension(parts, caller, key);
  return await changeKey(parts, caller, key, {
    action: "suspend",
    permission: "keys.suspend",
    explanation: input,
    restricts: true,
    decide: (record, catalog, now) => {
      const verb = { kind: "suspend", reason, ...(processing === undefined ? {} : { processing }) } as const;
      requireOtherPerson(catalog, caller, { record, verb, now, suspension });
      return applyVerb(record, verb, now);
    },
  });
}

/** Suspended to active: loosening, so that with dual control another person than the one who suspended must ask for it. */
export async function resumeKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  input: Told & { readonly reason: string },
): Promise<Changed<KeyView>> {
  const suspension = await findSuspension(parts, caller, key);
  return await changeKey(parts, caller, key, {
    action: "resume",
    permission: "keys.lifecycle",
    explanation: input,
    decide: (record, catalog, now) => {
      requireOtherPerson(catalog, caller, { record, verb: { kind: "resume" }, now, suspension });
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

/** Keeps a key that is used no more: it opens nothing until it is taken out again. */
export async function archiveKey(
  parts: BrokerParts,
  caller: Caller,
  key: string,
  told: Told,
): Promise<Changed<KeyView>> {
  return await changeKey(parts, caller, key, {
    action: "archive",
    permission: "keys.lifecycle",
    explanation: told,
    restricts: true,
    decide: (record, _catalog, now) => applyVerb(record, { kind: "archive" }, now),
  });
}

/** What a verb makes of a key. @throws {KmsError} `ILLEGAL_TRANSITION` */
export function applyVerb(record: KeyRecord, verb: LifecycleVerb, now: number): NextKey {
  const result = transition(record, verb, now);
  return result.kind === "unchanged" ? { next: record, unchanged: true } : { next: { ...record, ...result.next } };
}

/** Who has suspended a key since it was active last; nobody where its history does not tell all that has become of it. */
type Suspension = { readonly generation: number; readonly persons: ReadonlySet<string> };

async function findSuspension(parts: BrokerParts, caller: Caller, reference: string): Promise<Suspension> {
  const { key } = await resolveKey(parts, caller, reference);
  const { generation } = key;
  if (!hasDualControl(parts.catalog, key)) return { generation, persons: new Set() };
  const history = (await parts.store.history(key.id)).filter((entry) => entry.generation <= generation);
  // rows that were taken out of the database, or do not verify, are not in it
  if (history.length !== generation) return { generation, persons: new Set() };
  const active = history.findLastIndex(({ to }) => to !== "suspended");
  const suspensions = history.slice(active + 1).filter(({ action }) => action === "suspend");
  return { generation, persons: new Set(suspensions.map(({ actor }) => actor)) };
}

type Asked = {
  readonly record: KeyRecord;
  readonly verb: LifecycleVerb;
  readonly now: number;
  readonly suspension: Suspension;
};

/**
 * Where the table of transitions wants another person, and the namespace dual control, it is none of those who suspended the key. A history that
 * does not tell who they were lets nobody through.
 */
function requireOtherPerson(catalog: Catalog, caller: Caller, { record, verb, now, suspension }: Asked): void {
  if (!hasDualControl(catalog, record)) return;
  const outcome = transition(record, verb, now);
  if (outcome.kind === "unchanged" || !outcome.rule.otherPerson) return;
  if (suspension.generation !== record.generation) {
    throw new KmsError("PLAN_STALE", "the key was changed meanwhile", {
      help: "look at the key, and ask again if that is still wanted",
    });
  }
  if (suspension.persons.size > 0 && !suspension.persons.has(caller.principal.client.person)) return;
  throw new KmsError("SEPARATION_OF_DUTIES", `another person than the one who suspended the key must ${verb.kind} it`, {
    help: "ask another admin of this namespace",
  });
}

/** A namespace whose row does not verify is taken for one that has it. */
export function hasDualControl(catalog: Catalog, { namespace }: KeyRecord): boolean {
  return catalog.namespace(namespace)?.dualControl !== false;
}

function awaitsMaterial({ origin }: KeyRecord): KmsError {
  return new KmsError("ILLEGAL_TRANSITION", "activate: the key awaits its material", {
    metadata: { verb: "activate", state: "generated", stateReason: "awaiting-material" },
    help:
      origin === "imported"
        ? "import it: import-parameters says how it is wrapped"
        : "its provider is still making it; it becomes active by itself",
  });
}
