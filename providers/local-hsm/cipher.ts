import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { Random } from "#core/clock.ts";
import type { Context } from "#core/context.ts";
import type { Cipher } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability, requireContext } from "./capabilities.ts";
import { openGcm, sealGcm } from "./gcm.ts";
import type { InvocationCounter } from "./invocations.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { objectIdOfRef } from "./names.ts";
import { openOaep, sealOaep } from "./oaep.ts";
import type { OpenObject } from "./object-file.ts";
import type { ObjectStore } from "./objects.ts";
import { openOpaque, sealOpaque } from "./opaque.ts";
import { requireUsable } from "./states.ts";

export type LocalCipherParts = {
  readonly store: ObjectStore;
  readonly pairs: KeyPairs;
  readonly counter: InvocationCounter;
  readonly random: Random;
  /** 32 bytes of this process. */
  readonly processSecret: Uint8Array;
};

/** Encrypts as `AES-256-OPAQUE` (derived keys, no nonce), as raw AES-GCM (random IVs, counted), and as RSA-OAEP. */
export function localCipher(parts: LocalCipherParts): Cipher {
  const { store, counter } = parts;
  return {
    encrypt: async ({ ref, algorithm, plaintext, context }, call) =>
      await underSignal(call, async () => {
        requireContext(requireCapability("encrypt", algorithm, plaintext.length), context);
        const id = objectIdOfRef(ref);
        if (algorithm.endsWith("-GCM")) await counter.take(id, algorithm);
        const value = await store.use(id, (object) => {
          requireUsable(object.meta, algorithm);
          return seal(parts, { object, plaintext, context });
        });
        return { value, requestId: null };
      }),
    decrypt: async ({ ref, algorithm, ciphertext, context }, call) =>
      await underSignal(call, async () => {
        requireContext(requireCapability("decrypt", algorithm), context);
        const value = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          return open(parts, { object, ciphertext, context });
        });
        return { value, requestId: null };
      }),
  };
}

type SealInput = { readonly object: OpenObject; readonly plaintext: Uint8Array; readonly context: Context };

function seal({ pairs, random, processSecret }: LocalCipherParts, { object, plaintext, context }: SealInput): Buffer {
  const { algorithm } = object.meta;
  const hash = oaepHash(algorithm);
  if (hash !== undefined) return sealOaep({ publicKey: pairs.of(object).publicKey, hash, plaintext });
  const input = { key: object.material, plaintext, context };
  if (algorithm.endsWith("-GCM")) return sealGcm({ ...input, iv: random.kernelBytes(12) });
  return sealOpaque({ ...input, entropy: { processSecret, random: random.bytes(32) } });
}

type OpenInput = { readonly object: OpenObject; readonly ciphertext: Uint8Array; readonly context: Context };

function open({ pairs }: LocalCipherParts, { object, ciphertext, context }: OpenInput): Buffer {
  const { algorithm } = object.meta;
  const hash = oaepHash(algorithm);
  if (hash !== undefined) return openOaep({ privateKey: pairs.of(object).privateKey, hash, ciphertext });
  const input = { key: object.material, ciphertext, context };
  return algorithm.endsWith("-GCM") ? openGcm(input) : openOpaque(input);
}

function oaepHash(algorithm: AlgorithmName): string | undefined {
  return algorithm.includes("-OAEP-") ? algorithmTraits(algorithm).hash : undefined;
}
