import type { Uuid } from "#core/ids.ts";
import type { Observation, Provider } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { LocalHsmError } from "./errors.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { damagedObservation, observationOf } from "./states.ts";

/** Shows keys as their files say, if those open. */
export function localObserver(store: ObjectStore): Pick<Provider, "describe" | "list"> {
  const observe = async (id: Uuid): Promise<Observation> => {
    try {
      return await store.use(id, ({ meta }) => observationOf(meta));
    } catch (error) {
      if (error instanceof LocalHsmError && error.code === "KeyDamaged") return damagedObservation(id);
      throw error;
    }
  };
  return {
    describe: async (ref, call) => await underSignal(call, async () => await observe(objectIdOfRef(ref))),
    list: async function* list(call) {
      const ids = await underSignal(call, async () => await store.ids());
      for (const id of ids) {
        const observation = await underSignal(call, async () => await unlessMissing(observe(id)));
        if (observation !== null) yield observation;
      }
    },
  };
}

/** Null for a folder in which no key was finished. */
async function unlessMissing(observing: Promise<Observation>): Promise<Observation | null> {
  try {
    return await observing;
  } catch (error) {
    if (error instanceof LocalHsmError && error.code === "KeyNotFound") return null;
    throw error;
  }
}
