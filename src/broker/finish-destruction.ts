import { createId } from "#core/ids.ts";
import type { Mutation } from "#core/catalog.ts";
import {
  type KeyRecord,
  type NativeBindingRecord,
  type RecipientRecord,
  type VersionRecord,
  versionRowId,
} from "#core/records.ts";
import { transition } from "#core/state-machine.ts";
import { Deadline } from "#resilience/deadline.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { audited } from "./audited.ts";
import { historyMutation, keyMutation, currentKey } from "./change-key.ts";
import { applyVerb } from "./change-state.ts";
import type { BrokerParts } from "./parts.ts";
import { type Erasure, eraseSeals, hasSeal } from "./erase-seals.ts";
import { currentName } from "./fleet.ts";
import { systemCaller } from "./system-caller.ts";
import { isHolder } from "./write-wrap.ts";

const LOOK_MS = 10_000;

/** Keys whose window is over, and portable ones that are destroyed and still have a seal: what was never active has no window. */
export function* dyingKeys({ catalog, sources }: BrokerParts): Generator<KeyRecord> {
  const now = sources.clock.now();
  for (const { name } of catalog.namespaces()) {
    for (const key of catalog.keys(name)) {
      if (key.hold !== null) continue;
      const isOver = key.stateReason === "destroy-pending" && key.destroyTime !== null && key.destroyTime <= now;
      if (isOver || (key.state === "destroyed" && catalog.versions(key.id).some(hasSeal))) yield key;
    }
  }
}

/**
 * Marks a key as destroyed once nothing is left of it: its seals are erased, and every provider shows that its own key is gone. False while
 * one does not.
 */
export async function finishDestruction(parts: BrokerParts, key: KeyRecord): Promise<boolean> {
  const versions = parts.catalog.versions(key.id).map(({ version }) => version);
  const bindings = versions.flatMap((version) => parts.catalog.bindings(key.id, version));
  for (const binding of bindings) if (!(await isGone(parts, binding))) return false;
  const caller = systemCaller(parts, key.namespace);
  await audited(parts, caller, { operation: "keys.destroyed", key: key.id }, async () => {
    const proof =
      key.custody.kind === "portable"
        ? portableProof(parts, {
            key,
            versions,
            erasure: await eraseSeals(parts, key, versions),
            recipients: await destroyRecipients(parts, key),
          })
        : { reason: "provable", detail: goneText(bindings) };
    await parts.store.change((catalog) => {
      const before = currentKey(catalog, key.id);
      const now = parts.sources.clock.now();
      const { next, unchanged = false } = applyVerb(before, { kind: "destroyed" }, now);
      if (unchanged && before.state !== "destroyed") return { mutations: [], result: undefined };
      const after: KeyRecord = { ...next, generation: before.generation + 1, updateTime: now };
      const history = historyMutation(caller, before, after, { action: "destroyed", explanation: proof });
      return { mutations: [keyMutation(catalog, after), history], result: undefined };
    });
  });
  return true;
}

/** Versions of keys that live on whose own window is over, and those that are destroyed and still have a seal. */
export function* dyingVersions({ catalog, sources }: BrokerParts): Generator<VersionRecord> {
  const now = sources.clock.now();
  for (const { name } of catalog.namespaces()) {
    for (const key of catalog.keys(name)) {
      if (key.hold !== null || key.state === "destroyed" || key.stateReason === "destroy-pending") continue;
      for (const version of catalog.versions(key.id)) {
        const isPending = version.stateReason === "destroy-pending" && version.destroyTime !== null;
        const isOver = isPending && (version.destroyTime ?? now) <= now;
        if (isOver || (version.state === "destroyed" && hasSeal(version))) yield version;
      }
    }
  }
}

/** As {@link finishDestruction}, of one version. */
export async function finishVersion(parts: BrokerParts, { key: id, version: number }: VersionRecord): Promise<boolean> {
  const bindings = parts.catalog.bindings(id, number);
  for (const binding of bindings) if (!(await isGone(parts, binding))) return false;
  const key = currentKey(parts.catalog, id);
  const caller = systemCaller(parts, key.namespace);
  await audited(parts, caller, { operation: "keys.version-destroyed", key: id }, async () => {
    const proof =
      key.custody.kind === "portable"
        ? knownCopies(parts, { key, versions: [number] }, await eraseSeals(parts, key, [number]))
        : { reason: "provable", detail: `version ${number}: ${goneText(bindings)}` };
    await parts.store.change((catalog) => {
      const before = currentKey(catalog, id);
      const version = catalog.version(id, number);
      if (version === undefined) return { mutations: [], result: undefined };
      const now = parts.sources.clock.now();
      const step = transition(version, { kind: "destroyed" }, now);
      const record = step.kind === "changed" ? step.next : version;
      const after: KeyRecord = { ...before, generation: before.generation + 1, updateTime: now };
      const history = historyMutation(caller, before, after, { action: "version-destroyed", explanation: proof });
      const row = versionRowId(id, number);
      const own: Mutation = { table: "versions", id: row, record, ifRevision: catalog.revisionOf("versions", row) };
      return { mutations: [own, keyMutation(catalog, after), history], result: undefined };
    });
  });
  return true;
}

/** What the history says of what is gone and of what may be left (keys.md, `destroyed` says its proof). */
type Proof = { readonly reason: "provable" | "known-copies"; readonly detail: string };

type Erased = {
  readonly key: KeyRecord;
  readonly versions: readonly number[];
  readonly erasure: Erasure;
  readonly recipients: readonly DestroyedRecipient[];
};

/** A key whose recipients were its own, and are gone, cannot be opened by anybody: every copy of a wrap is dead. */
function portableProof(parts: BrokerParts, { key, versions, erasure, recipients }: Erased): Proof {
  const copies = knownCopies(parts, { key, versions }, erasure);
  if (key.custody.kind !== "portable" || !key.custody.dedicated) return copies;
  const texts = recipients.map(({ provider, until }) => `${provider} (${until})`).join(", ");
  const areGone = recipients.length > 0 && recipients.every(({ until }) => until === GONE);
  const detail = `its own recipients: ${texts}; ${copies.detail}`.slice(0, DETAIL_CHARACTERS);
  return areGone ? { reason: "provable", detail: `its own recipients are gone: ${texts}` } : { ...copies, detail };
}

function knownCopies(
  parts: BrokerParts,
  { key, versions }: { readonly key: KeyRecord; readonly versions: readonly number[] },
  { journalFailure }: Erasure,
): Proof {
  const branches = new Set(versions.flatMap((version) => parts.catalog.version(key.id, version)?.branch ?? []));
  const openers = new Set(
    [...branches].flatMap((branch) =>
      (parts.catalog.branch(branch)?.recipients ?? []).map((recipient) => currentName(parts.fleet, recipient)),
    ),
  );
  const journal =
    journalFailure === null ? "every target of this gateway's journal" : `not from the journal (${journalFailure})`;
  const detail =
    `the seals of ${versions.length === 1 ? "version" : "versions"} ${versions.join(", ")} are erased from the database and ` +
    `${journal}; a copy of either that was made before (a backup, an export, another gateway's journal until it has followed) ` +
    `could still be opened by ${[...openers].join(", ")}`;
  return { reason: "known-copies", detail: detail.slice(0, DETAIL_CHARACTERS) };
}

const DETAIL_CHARACTERS = 1000;

function goneText(bindings: readonly NativeBindingRecord[]): string {
  return `gone over there: ${bindings.map(({ nativeRef }) => nativeRef).join(", ")}`.slice(0, DETAIL_CHARACTERS);
}

type DestroyedRecipient = { readonly provider: string; readonly until: string };
const GONE = "gone";

/** Ends the keys that wrapped for this key alone; a service with a window of its own keeps them until that is over. */
async function destroyRecipients(parts: BrokerParts, key: KeyRecord): Promise<readonly DestroyedRecipient[]> {
  const own = [...parts.catalog.recipients()].filter(({ dedicatedTo }) => dedicatedTo === key.id);
  return await Promise.all(own.map(async (recipient) => await destroyRecipient(parts, recipient)));
}

async function destroyRecipient(
  parts: BrokerParts,
  { providerUid, nativeRef }: RecipientRecord,
): Promise<DestroyedRecipient> {
  const holder = parts.fleet.memberByUid(providerUid);
  if (!isHolder(holder)) return { provider: holder?.name ?? providerUid, until: "not reached, so not destroyed" };
  const { keys, capabilities } = holder.provider;
  const days = capabilities.destructionDays?.min ?? 0;
  const options = {
    deadline: new Deadline(LOOK_MS, parts.sources),
    requestId: createId("req", parts.sources),
    mutation: true,
  };
  try {
    const seen = await parts.pool.call(
      holder.name,
      "control",
      "schedule-destruction",
      async (call) => await keys.scheduleDestruction(nativeRef, days, call),
      options,
    );
    const isOver = seen.observed === "destroyed" || seen.observed === "missing";
    const date = seen.destroyTime === null ? "a date of its own" : new Date(seen.destroyTime).toISOString();
    return { provider: holder.name, until: isOver ? GONE : `until ${date}` };
  } catch (error) {
    const { failure, detail } = faultOf(error);
    return { provider: holder.name, until: failure === "NOT_FOUND" ? GONE : `not destroyed: ${detail}` };
  }
}

async function isGone(parts: BrokerParts, { providerUid, nativeRef, reached }: NativeBindingRecord): Promise<boolean> {
  const holder = parts.fleet.memberByUid(providerUid);
  if (reached !== "destroyed" || !isHolder(holder)) return false;
  try {
    const seen = await parts.pool.call(
      holder.name,
      "control",
      "describe",
      async (call) => await holder.provider.describe(nativeRef, call),
      { deadline: new Deadline(LOOK_MS, parts.sources), requestId: createId("req", parts.sources) },
    );
    return seen.observed === "destroyed" || seen.observed === "missing";
  } catch (error) {
    if (faultOf(error).failure === "NOT_FOUND") return true;
    throw error;
  }
}
