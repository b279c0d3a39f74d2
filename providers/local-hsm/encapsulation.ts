import { decapsulate, encapsulate } from "node:crypto";
import type { KeyEncapsulation } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { invalidBytes } from "./errors.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { ownBytes } from "./own-bytes.ts";
import { requireUsable } from "./states.ts";

/** ML-KEM (FIPS 203). Both secrets have 32 bytes. */
export function localEncapsulation(store: ObjectStore, pairs: KeyPairs): KeyEncapsulation {
  return {
    encapsulate: async ({ ref, algorithm }, call) =>
      await underSignal(call, async () => {
        requireCapability("encapsulate", algorithm);
        const { sharedKey, ciphertext } = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          return encapsulate(pairs.of(object).publicKey);
        });
        return { value: { ciphertext, sharedSecret: ownBytes(sharedKey) }, requestId: null };
      }),
    decapsulate: async ({ ref, algorithm, ciphertext }, call) =>
      await underSignal(call, async () => {
        const { maxInputBytes } = requireCapability("decapsulate", algorithm);
        const value = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          if (ciphertext.length !== maxInputBytes) throw invalidBytes();
          return ownBytes(decapsulate(pairs.of(object).privateKey, ciphertext));
        });
        return { value, requestId: null };
      }),
  };
}
