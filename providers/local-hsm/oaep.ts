import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { invalidBytes } from "./errors.ts";
import { ownBytes } from "./own-bytes.ts";

/** RSAES-OAEP (RFC 8017 § 7.1) with an empty label; MGF1 has the same hash. `hash` is node:crypto's name. */
export function sealOaep(input: { publicKey: KeyObject; hash: string; plaintext: Uint8Array }): Buffer {
  const { publicKey: key, hash, plaintext } = input;
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, plaintext);
}

/**
 * Opens what {@link sealOaep}, or anybody with the public key, made; in an unpooled buffer.
 *
 * @throws {LocalHsmError} `InvalidBytes` for anything else, indistinguishably.
 */
export function openOaep(input: { privateKey: KeyObject; hash: string; ciphertext: Uint8Array }): Buffer {
  const { privateKey: key, hash, ciphertext } = input;
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  // OpenSSL takes a ciphertext whose leading zeros are gone (RFC 8017 § 7.1.2, step 1b, does not).
  if (ciphertext.length !== modulusLength / 8) throw invalidBytes();
  try {
    return ownBytes(privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, ciphertext));
  } catch {
    throw invalidBytes();
  }
}
