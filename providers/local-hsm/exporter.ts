import { constants, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto";
import type { Random } from "#core/clock.ts";
import type { KeyExporter } from "#core/provider.ts";
import { wrapBytes } from "./aes-wrap.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { LocalHsmError } from "./errors.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { requireUsable } from "./states.ts";

const KEK_BYTES = 32;
const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 4096;

/**
 * Gives away what was made extractable, under RSA-AES-KWP with SHA-256: what any importer of CKM_RSA_AES_KEY_WRAP opens.
 *
 * @see PKCS #11 3.1 § 6.1.22, RFC 5649, RFC 8017 § 7.1
 */
export function localExporter(store: ObjectStore, random: Random): KeyExporter {
  return {
    exportKey: async ({ ref, algorithm, wrappingKey }, call) =>
      await underSignal(call, async () => {
        requireCapability("export", algorithm);
        const recipient = readWrappingKey(wrappingKey);
        return await store.use(objectIdOfRef(ref), ({ meta, material }) => {
          requireUsable(meta, algorithm);
          if (meta.extractable !== true)
            throw new LocalHsmError("NotExtractable", "the key was not made extractable, and never leaves");
          return { value: wrap(material, recipient, random), requestId: null };
        });
      }),
  };
}

function wrap(material: Uint8Array, key: KeyObject, random: Random): Buffer {
  const kek = random.kernelBytes(KEK_BYTES);
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const wrappedKek = publicEncrypt({ key, padding, oaepHash: "sha256" }, kek);
    return Buffer.concat([wrappedKek, wrapBytes("AES-KWP", kek, material)]);
  } finally {
    kek.fill(0);
  }
}

function readWrappingKey(spki: Uint8Array): KeyObject {
  const key = parse(spki);
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  const isFit = key?.asymmetricKeyType === "rsa" && bits >= MIN_MODULUS_BITS && bits <= MAX_MODULUS_BITS;
  if (key === undefined || !isFit)
    throw new LocalHsmError("InvalidKey", "the wrapping key is no RSA public key of 2048 to 4096 bits (SPKI DER)");
  return key;
}

function parse(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
