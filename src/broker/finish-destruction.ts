import { createId } from "#core/ids.ts";
import type { KeyRecord, NativeBindingRecord } from "#core/records.ts";
import { Deadline } from "#resilience/deadline.ts";
import { faultOf } from "#resilience/provider-pool.ts";
import { audited } from "./audited.ts";
import { historyMutation, keyMutation, currentKey } from "./change-key.ts";
import { applyVerb } from "./change-state.ts";
import type { BrokerParts } from "./parts.ts";
import { systemCaller } from "./system-caller.ts";
import { isHolder } from "./write-wrap.ts";

const LOOK_MS = 10_000;

/** Native keys whose window is over. */
export function* dyingKeys({ catalog, sources }: BrokerParts): Generator<KeyRecord> {
  const now = sources.clock.now();
  for (const { name } of catalog.namespaces()) {
    for (const key of catalog.keys(name)) {
      if (key.stateReason !== "destroy-pending" || key.custody.kind === "portable" || key.hold !== null) continue;
      if (key.destroyTime !== null && key.destroyTime <= now) yield key;
    }
  }
}

/** Marks a key as destroyed once every provider shows that its own is gone; false while one does not. */
export async function finishDestruction(parts: BrokerParts, key: KeyRecord): Promise<boolean> {
  const bindings = parts.catalog.versions(key.id).flatMap(({ version }) => parts.catalog.bindings(key.id, version));
  for (const binding of bindings) if (!(await isGone(parts, binding))) return false;
  const caller = systemCaller(parts, key.namespace);
  await audited(parts, caller, { operation: "keys.destroyed", key: key.id }, async () => {
    await parts.store.change((catalog) => {
      const before = currentKey(catalog, key.id);
      const now = parts.sources.clock.now();
      const { next, unchanged = false } = applyVerb(before, { kind: "destroyed" }, now);
      if (unchanged) return { mutations: [], result: undefined };
      const after: KeyRecord = { ...next, generation: before.generation + 1, updateTime: now };
      const history = historyMutation(caller, before, after, { action: "destroyed" });
      return { mutations: [keyMutation(catalog, after), history], result: undefined };
    });
  });
  return true;
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
