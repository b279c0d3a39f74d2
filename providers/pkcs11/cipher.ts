import type { AlgorithmName } from "#core/algorithms.ts";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";
import type { Cipher } from "#core/provider.ts";
import { IV_BYTES, requireCapability, TAG_BYTES } from "./capabilities.ts";
import { CKM } from "./constants.ts";
import { unsupported } from "./errors.ts";
import { ask, askToOpen, ownBytes, type Tools } from "./tools.ts";
import type { HashName, Mechanism } from "./wire.ts";

/** AES-GCM as iv 12 || ciphertext || tag 16 with a random iv, and RSA-OAEP. */
export function pkcs11Cipher(tools: Tools): Cipher {
  const { capabilities, random } = tools;
  return {
    encrypt: async ({ ref, algorithm, plaintext, context }, call) => {
      const row = requireCapability(capabilities, "encrypt", algorithm, plaintext.length);
      const oaep = oaepHash(algorithm);
      if (oaep !== undefined) {
        if (row.context === "none" && !isNone(context)) throw unsupported(`encrypt with ${algorithm} and a context`);
        const mechanism: Mechanism = { type: CKM.RSA_PKCS_OAEP, oaep };
        return {
          value: ownBytes(await ask(tools, call, "encrypt", { id: ref, algorithm, mechanism, data: plaintext })),
          requestId: null,
        };
      }
      const iv = random.kernelBytes(IV_BYTES);
      const mechanism = gcm(iv, context);
      const sealed = await ask(tools, call, "encrypt", { id: ref, algorithm, mechanism, data: plaintext });
      return { value: Buffer.concat([iv, sealed]), requestId: null };
    },
    decrypt: async ({ ref, algorithm, ciphertext, context }, call) => {
      const { maxInputBytes } = requireCapability(capabilities, "decrypt", algorithm);
      const oaep = oaepHash(algorithm);
      if (oaep !== undefined) {
        if (!isNone(context)) throw unsupported(`decrypt with ${algorithm} and a context`);
        // another length opens under no key, and the key is looked at all the same
        const data = ciphertext.length === maxInputBytes ? ciphertext : Buffer.alloc(maxInputBytes);
        const mechanism: Mechanism = { type: CKM.RSA_PKCS_OAEP, oaep };
        return {
          value: await askToOpen(tools, call, "decrypt", { id: ref, algorithm, mechanism, data }),
          requestId: null,
        };
      }
      const fits = ciphertext.length >= IV_BYTES + TAG_BYTES && ciphertext.length <= maxInputBytes;
      const bytes = fits ? ciphertext : Buffer.alloc(IV_BYTES + TAG_BYTES);
      const mechanism = gcm(bytes.subarray(0, IV_BYTES), context);
      const data = bytes.subarray(IV_BYTES);
      return {
        value: await askToOpen(tools, call, "decrypt", { id: ref, algorithm, mechanism, data }),
        requestId: null,
      };
    },
  };
}

function gcm(iv: Uint8Array, context: Context): Mechanism {
  return { type: CKM.AES_GCM, gcm: { iv, aad: additionalDataOf(context) } };
}

function additionalDataOf(context: Context): Uint8Array {
  if (context.kind === "bytes") return context.bytes;
  return isNone(context) ? Buffer.alloc(0) : encodeContext(context);
}

function isNone(context: Context): boolean {
  return context.kind === "none" || (context.kind === "map" && context.pairs.size === 0);
}

function oaepHash(algorithm: AlgorithmName): HashName | undefined {
  const name = /-OAEP-(SHA1|SHA256|SHA512)$/u.exec(algorithm)?.[1];
  return name === undefined ? undefined : (name.toLowerCase() as HashName);
}
