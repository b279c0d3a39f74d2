import { createId } from "#core/ids.ts";
import { isUnfinished, type KeyRecord, type VersionRecord, versionRowId } from "#core/records.ts";
import { Deadline } from "#resilience/deadline.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { audited } from "./audited.ts";
import { currentKey, historyMutation, keyMutation } from "./change-key.ts";
import { isBeingMade, readPublicKey } from "./native-key.ts";
import type { BrokerParts } from "./parts.ts";
import { systemCaller } from "./system-caller.ts";
import { isHolder } from "./write-wrap.ts";

const LOOK_MS = 10_000;

/** Keys that a provider was still making when their request was answered. */
export function* unfinishedKeys({ catalog }: BrokerParts): Generator<KeyRecord> {
  for (const { name } of catalog.namespaces())
    for (const key of catalog.keys(name)) if (isUnfinished(key) && key.hold === null) yield key;
}

/**
 * Looks whether the provider has made a key, and lets it be what it was wished to be. One that is gone over there ends here too. False while
 * nothing has changed.
 *
 * @throws {ProviderError} as the calls fail; the next turn tries again
 */
export async function finishCreation(parts: BrokerParts, key: KeyRecord): Promise<boolean> {
  const [binding] = parts.catalog.bindings(key.id, key.latestVersion);
  const holder = binding && parts.fleet.memberByUid(binding.providerUid);
  if (binding === undefined || !isHolder(holder)) return false;
  const caller = systemCaller(parts, key.namespace);
  const options = { deadline: new Deadline(LOOK_MS, parts.sources), requestId: createId("req", parts.sources) };
  const look = async (): Promise<"made" | "making" | "gone"> => {
    try {
      const seen = await parts.pool.call(
        holder.name,
        "control",
        "describe",
        async (call) => await holder.provider.describe(binding.nativeRef, call),
        options,
      );
      if (isBeingMade(seen)) return "making";
      return seen.observed === "enabled" ? "made" : "gone";
    } catch (error) {
      if (faultOf(error).failure === "NOT_FOUND") return "gone";
      throw error;
    }
  };
  const found = await look();
  if (found === "making") return false;
  const made = { ref: binding.nativeRef } as Parameters<typeof readPublicKey>[2]["made"];
  const publicKey =
    found === "gone"
      ? null
      : await readPublicKey(parts, caller, { holder, made, algorithm: key.algorithm, trace: { attempts: [] } });
  await audited(parts, caller, { operation: "keys.made", key: key.id }, async () => {
    await parts.store.change((catalog) => {
      const before = currentKey(catalog, key.id);
      const version = catalog.version(key.id, before.latestVersion);
      if (!isUnfinished(before) || version === undefined) return { mutations: [], result: undefined };
      const now = parts.sources.clock.now();
      const next = found === "gone" ? failed(before, now) : finished(before, now);
      const after: KeyRecord = { ...next, generation: before.generation + 1, updateTime: now };
      const { state, stateReason, activateTime, destroyTime } = after;
      const record: VersionRecord = { ...version, state, stateReason, activateTime, destroyTime };
      const id = versionRowId(key.id, version.version);
      const explanation = found === "gone" ? { reason: "failed", detail: "the provider did not make the key" } : {};
      return {
        mutations: [
          keyMutation(catalog, after),
          { table: "versions", id, record, ifRevision: catalog.revisionOf("versions", id) },
          {
            table: "bindings",
            id: binding.id,
            record: { ...binding, publicKey, reached: found === "gone" ? "destroyed" : binding.reached },
            ifRevision: catalog.revisionOf("bindings", binding.id),
          },
          historyMutation(caller, before, after, { action: found === "gone" ? "not-made" : "made", explanation }),
        ],
        result: undefined,
      };
    });
  });
  return true;
}

function finished(key: KeyRecord, now: number): KeyRecord {
  const { activateTime } = key;
  if (activateTime === null || activateTime > now) return { ...key, stateReason: "created" };
  return { ...key, state: "active", stateReason: null, primaryVersion: key.latestVersion };
}

function failed(key: KeyRecord, now: number): KeyRecord {
  return { ...key, state: "destroyed", stateReason: "normal", destroyTime: now };
}
