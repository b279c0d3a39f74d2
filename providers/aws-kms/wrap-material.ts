import { constants, createCipheriv, type KeyObject, publicEncrypt } from "node:crypto";
import type { Random } from "#core/clock.ts";

export type WrappingAlgorithm = "RSAES_OAEP_SHA_256" | "RSA_AES_KEY_WRAP_SHA_256";

export type Wrapping = {
  /** The RSA key that the service gave for this import. */
  readonly publicKey: KeyObject;
  readonly algorithm: WrappingAlgorithm;
};

/**
 * Wraps key material for its way into the service. RSAES_OAEP_SHA_256 is the material under RSAES-OAEP with SHA-256 and MGF1
 * with SHA-256; RSA_AES_KEY_WRAP_SHA_256 is an ephemeral AES-256 key under the same, and after it the material under that key
 * by AES key wrap with padding. The material stays the caller's.
 *
 * @see RFC 8017 § 7.1.1, RFC 5649 § 4.1
 */
export function wrapMaterial(material: Uint8Array, { publicKey, algorithm }: Wrapping, random: Random): Buffer {
  if (algorithm === "RSAES_OAEP_SHA_256") return encryptOaep(publicKey, material);
  const ephemeral = random.bytes(32);
  try {
    const cipher = createCipheriv("id-aes256-wrap-pad", ephemeral, ALTERNATIVE_IV);
    return Buffer.concat([encryptOaep(publicKey, ephemeral), cipher.update(material), cipher.final()]);
  } finally {
    ephemeral.fill(0);
  }
}

/** RFC 5649 § 3. */
const ALTERNATIVE_IV = Buffer.from("a65959a6", "hex");

function encryptOaep(key: KeyObject, bytes: Uint8Array): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, bytes);
}
