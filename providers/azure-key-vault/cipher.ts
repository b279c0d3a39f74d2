import type { AlgorithmName } from "#core/algorithms.ts";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";
import type { Answer, CallContext, Cipher } from "#core/provider.ts";
import { type Ability, useKey } from "./ability.ts";
import { IV_BYTES, requireCapability, requireContext, TAG_BYTES } from "./capabilities.ts";
import type { KeyVaultClient } from "./client.ts";
import { doesNotOpen } from "./errors.ts";
import { presentBytes, takeBytes } from "./present.ts";
import type { KeyRef } from "./refs.ts";
import { modulusBytes, shapeOf } from "./specs.ts";

/**
 * Encrypts in the service: RSA-OAEP-256, which binds no context, and in a Managed HSM AES-GCM as iv 12 || ciphertext || tag 16, whose
 * IV is the service's. Additional data given as bytes is used as it is, so that other implementations open it; a map has the bytes of its encoding.
 */
export function createCipher(ability: Ability): Cipher {
  const { data, capabilities } = ability;
  return {
    async encrypt({ ref, algorithm, plaintext, context }, call) {
      requireContext(requireCapability(capabilities, "encrypt", algorithm, plaintext.length), context);
      const gcm = gcmOf(algorithm, context);
      return await useKey(ability, ref, call, async (key) => {
        if (gcm !== undefined) return await seal(data, { key, plaintext, ...gcm }, call);
        const { value, requestId } = await data.encrypt(key, plaintext, call);
        return { value: Buffer.from(presentBytes(value, "a ciphertext")), requestId };
      });
    },
    async decrypt({ ref, algorithm, ciphertext, context }, call) {
      const row = requireCapability(capabilities, "decrypt", algorithm); // the length is the caller's, and so the verdict on it
      requireContext(row, context);
      const gcm = gcmOf(algorithm, context);
      const { length } = ciphertext;
      const isLong = gcm === undefined ? length === modulusBytes(algorithm) : length > IV_BYTES + TAG_BYTES;
      if (!isLong || length > row.maxInputBytes) throw doesNotOpen();
      const { value, requestId } = await useKey(ability, ref, call, async (key) =>
        gcm === undefined
          ? await data.decrypt(key, ciphertext, call)
          : await data.openGcm(key, { ...gcm, ...partsOf(ciphertext) }, call),
      );
      return { value: takeBytes(value, "a plaintext"), requestId };
    },
  };
}

type Gcm = { readonly algorithm: "A128GCM" | "A192GCM" | "A256GCM"; readonly aad: Uint8Array };

function gcmOf(algorithm: AlgorithmName, context: Context): Gcm | undefined {
  const shape = shapeOf(algorithm);
  if (shape.family !== "oct" || shape.use !== "cipher") return undefined;
  return { algorithm: shape.native, aad: additionalDataOf(context) };
}

type Sealing = Gcm & { readonly key: KeyRef; readonly plaintext: Uint8Array };

async function seal(data: KeyVaultClient, { key, ...gcm }: Sealing, call: CallContext): Promise<Answer<Buffer>> {
  const { value, requestId } = await data.sealGcm(key, gcm, call);
  const iv = presentBytes(value.iv, "an iv");
  const tag = presentBytes(value.authenticationTag, "a tag");
  // Of other lengths they could not be told apart again.
  const isWhole = iv.length === IV_BYTES && tag.length === TAG_BYTES;
  const parts = [iv, presentBytes(isWhole ? value.result : undefined, "a ciphertext"), tag];
  return { value: Buffer.concat(parts), requestId };
}

function partsOf(sealed: Uint8Array) {
  const tagAt = sealed.length - TAG_BYTES;
  const iv = sealed.subarray(0, IV_BYTES);
  return { iv, ciphertext: sealed.subarray(IV_BYTES, tagAt), tag: sealed.subarray(tagAt) };
}

function additionalDataOf(context: Context): Uint8Array {
  if (context.kind === "bytes") return context.bytes;
  const isNone = context.kind === "none" || context.pairs.size === 0;
  return isNone ? Buffer.alloc(0) : encodeContext(context);
}
