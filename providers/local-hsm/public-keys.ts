import { hasPublicKey } from "#core/algorithms.ts";
import type { PublicKeys } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { LocalHsmError, unsupported } from "./errors.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";

/** The public half, which is no secret: also of keys that are disabled or wait for their destruction. */
export function localPublicKeys(store: ObjectStore, pairs: KeyPairs): PublicKeys {
  return {
    publicKey: async (ref, call) =>
      await underSignal(call, async () => {
        const value = await store.use(objectIdOfRef(ref), (object) => {
          const { algorithm, state } = object.meta;
          if (!hasPublicKey(algorithm)) throw unsupported(`a public key of ${algorithm}`);
          if (state === "destroyed") throw new LocalHsmError("KeyDestroyed", "the key is destroyed");
          return pairs.of(object).publicKey.export({ format: "der", type: "spki" });
        });
        return { value, requestId: null };
      }),
  };
}
