import type { Random } from "#core/clock.ts";
import type { Cipher } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { openGcm, sealGcm } from "./gcm.ts";
import type { InvocationCounter } from "./invocations.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { openOpaque, sealOpaque } from "./opaque.ts";
import { requireUsable } from "./states.ts";

export type LocalCipherParts = {
  readonly store: ObjectStore;
  readonly counter: InvocationCounter;
  readonly random: Random;
  /** 32 bytes of this process. */
  readonly processSecret: Uint8Array;
};

/** Encrypts as `AES-256-OPAQUE` (derived keys, no nonce) and as raw `AES-256-GCM` (random IVs, counted). */
export function localCipher({ store, counter, random, processSecret }: LocalCipherParts): Cipher {
  return {
    encrypt: async ({ ref, algorithm, plaintext, context }, call) =>
      await underSignal(call, async () => {
        requireCapability("encrypt", algorithm, plaintext.length);
        const id = objectIdOfRef(ref);
        if (algorithm === "AES-256-GCM") await counter.take(id);
        const value = await store.use(id, ({ meta, material }) => {
          requireUsable(meta, algorithm);
          const input = { key: material, plaintext, context };
          if (algorithm === "AES-256-GCM") return sealGcm({ ...input, iv: random.kernelBytes(12) });
          return sealOpaque({ ...input, entropy: { processSecret, random: random.bytes(32) } });
        });
        return { value, requestId: null };
      }),
    decrypt: async ({ ref, algorithm, ciphertext, context }, call) =>
      await underSignal(call, async () => {
        requireCapability("decrypt", algorithm);
        const open = algorithm === "AES-256-GCM" ? openGcm : openOpaque;
        const value = await store.use(objectIdOfRef(ref), ({ meta, material }) => {
          requireUsable(meta, algorithm);
          return open({ key: material, ciphertext, context });
        });
        return { value, requestId: null };
      }),
  };
}
