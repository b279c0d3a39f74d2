import type { Random, Sources } from "#core/clock.ts";
import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { LOCAL_CAPABILITIES } from "./capabilities.ts";
import { unsupported } from "./errors.ts";
import { newMaterial } from "./generate.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectMeta } from "./object-file.ts";
import type { ObjectStore } from "./objects.ts";
import { shapeOf } from "./shapes.ts";
import { CHANGES, observationOf } from "./states.ts";

const MARKER = /^[a-z0-9-]{1,64}$/u;
export const CANARY_MARKER = "claviger-canary";

type KeySpec = Parameters<KeyAdministration["create"]>[0];

/** Makes, enables, disables and destroys keys. */
export function localKeys(store: ObjectStore, { clock, random }: Sources): KeyAdministration {
  const change = async (ref: string, call: CallContext, to: (meta: ObjectMeta) => ObjectMeta): Promise<Observation> =>
    await underSignal(call, async () => observationOf(await store.update(objectIdOfRef(ref), to)));
  return {
    create: async (spec, call) =>
      await underSignal(call, async () => {
        requireMarker(spec.marker);
        return observationOf(await createKey(store, spec, random));
      }),
    enable: async (ref, call) => await change(ref, call, CHANGES.enable),
    disable: async (ref, call) => await change(ref, call, CHANGES.disable),
    scheduleDestruction: async (ref, days, call) =>
      await underSignal(call, async () => {
        requireWindow(days);
        return await change(ref, call, (meta) => CHANGES.schedule(meta, { now: clock.now(), days }));
      }),
    cancelDestruction: async (ref, call) => await change(ref, call, CHANGES.cancel),
  };
}

/** Makes a key with fresh material, or answers the one that carries the marker already. */
export async function createKey(store: ObjectStore, spec: KeySpec, random: Random): Promise<ObjectMeta> {
  const { algorithm, marker, description } = spec;
  if (shapeOf(algorithm) === undefined) throw unsupported(`a key for ${algorithm}`);
  const described = { algorithm, marker, description, ...extractability(spec) };
  return await store.create(described, async () => await newMaterial(algorithm, random));
}

/** What a key's file says of whether it may leave: nothing where it may not. */
export function extractability({ extractable }: { readonly extractable?: boolean }): Pick<ObjectMeta, "extractable"> {
  return extractable === true ? { extractable } : {};
}

/** Refuses a marker that no key of others may carry. */
export function requireMarker(marker: string): void {
  if (!MARKER.test(marker)) throw unsupported("a marker other than 1..64 of [a-z0-9-]");
  if (marker === CANARY_MARKER) throw unsupported("the marker of the canary key");
}

function requireWindow(days: number): void {
  const { min, max } = LOCAL_CAPABILITIES.destructionDays ?? { min: 0, max: 0 };
  if (!Number.isInteger(days) || days < min || days > max) {
    throw unsupported(`a destruction in ${days} days: wanted ${min}..${max}`);
  }
}
