import { createHmac } from "node:crypto";
import type { Random, Sources } from "#core/clock.ts";
import type { CallContext, KeyAdministration, Observation } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { LOCAL_CAPABILITIES, MATERIAL_BYTES } from "./capabilities.ts";
import { unsupported } from "./errors.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectMeta } from "./object-file.ts";
import type { ObjectStore } from "./objects.ts";
import { CHANGES, observationOf } from "./states.ts";

const MARKER = /^[a-z0-9-]{1,64}$/u;
export const CANARY_MARKER = "claviger-canary";

type KeySpec = Pick<ObjectMeta, "algorithm" | "marker" | "description">;

/** Makes, enables, disables and destroys keys. */
export function localKeys(store: ObjectStore, { clock, random }: Sources): KeyAdministration {
  const change = async (ref: string, call: CallContext, to: (meta: ObjectMeta) => ObjectMeta): Promise<Observation> =>
    await underSignal(call, async () => observationOf(await store.update(objectIdOfRef(ref), to)));
  return {
    create: async (spec, call) =>
      await underSignal(call, async () => {
        if (!MARKER.test(spec.marker)) throw unsupported("a marker other than 1..64 of [a-z0-9-]");
        if (spec.marker === CANARY_MARKER) throw unsupported("the marker of the canary key");
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
  const bytes = MATERIAL_BYTES[spec.algorithm];
  if (bytes === undefined) throw unsupported(`a key for ${spec.algorithm}`);
  const { algorithm, marker, description } = spec;
  return await store.create({ algorithm, marker, description, material: freshMaterial(bytes, random) });
}

/** HKDF-Extract of both generators (keys.md, "New keys"): a cloned machine repeats at most one of them. At most 64 bytes. */
function freshMaterial(length: number, random: Random): Buffer {
  const input = random.bytes(32);
  const whole = createHmac("sha512", random.kernelBytes(32)).update(input).digest();
  const material = Buffer.alloc(length);
  whole.copy(material);
  whole.fill(0);
  input.fill(0);
  return material;
}

function requireWindow(days: number): void {
  const { min, max } = LOCAL_CAPABILITIES.destructionDays ?? { min: 0, max: 0 };
  if (!Number.isInteger(days) || days < min || days > max) {
    throw unsupported(`a destruction in ${days} days: wanted ${min}..${max}`);
  }
}
