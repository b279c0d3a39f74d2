import {
  createDecipheriv,
  createHash,
  createPrivateKey,
  createSecretKey,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { incorrectMaterial } from "./choose-material.ts";
import { oaep } from "./ciphering.ts";
import { invalidCiphertext } from "./failure.ts";
import { CURVES, PLAIN_TYPES, SECRET_BYTES } from "./material.ts";
import type { ImportOffer, Key } from "./state.ts";

export const WRAPPING_ALGORITHMS = [
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
  "RSAES_PKCS1_V1_5",
  "RSA_AES_KEY_WRAP_SHA_1",
  "RSA_AES_KEY_WRAP_SHA_256",
] as const;

/**
 * Undoes RSAES-OAEP, or for RSA_AES_KEY_WRAP_SHA_*: an AES-256 key under RSAES-OAEP, then the material under that key by
 * AES key wrap with padding (RFC 5649).
 */
export const unwrapMaterial = (wrapped: Buffer, { algorithm, unwrapWith }: ImportOffer): Buffer => {
  try {
    if (!algorithm.startsWith("RSA_AES_")) return privateDecrypt({ key: unwrapWith, ...oaep(algorithm) }, wrapped);
    const size = (unwrapWith.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const kek = privateDecrypt({ key: unwrapWith, ...oaep(algorithm) }, wrapped.subarray(0, size));
    const decipher = createDecipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
    return Buffer.concat([decipher.update(wrapped.subarray(size)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
};

/** Material as a key of the wanted spec. Its id follows from the key and the bytes. */
export const materialFrom = (
  key: Key,
  bytes: Buffer,
): { readonly id: string; readonly key: KeyObject; readonly fingerprint: string } => {
  const secretBytes = SECRET_BYTES[key.spec];
  if (secretBytes !== undefined && bytes.length !== secretBytes) throw incorrectMaterial();
  const made = secretBytes === undefined ? parsePrivate(key, bytes) : createSecretKey(bytes);
  const fingerprint = createHash("sha256").update(bytes).digest("hex");
  return { id: createHash("sha256").update(`${key.id}:${fingerprint}`).digest("hex"), key: made, fingerprint };
};

const parsePrivate = ({ spec }: Key, bytes: Buffer): KeyObject => {
  const key = readPkcs8(bytes);
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const plain = spec in PLAIN_TYPES ? PLAIN_TYPES[spec as keyof typeof PLAIN_TYPES] : undefined;
  const fits =
    plain === undefined
      ? namedCurve === CURVES[spec] && (namedCurve !== undefined || spec === `RSA_${modulusLength}`)
      : key.asymmetricKeyType === plain;
  if (!fits) throw incorrectMaterial();
  return key;
};

const readPkcs8 = (bytes: Buffer): KeyObject => {
  try {
    return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  } catch {
    throw incorrectMaterial();
  }
};
