import { createPrivateKey, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { KeySpec } from "./client.ts";
import { isOneSequence } from "./der.ts";
import { modulusBytes, shapeOf } from "./specs.ts";
import type { WrappingAlgorithm } from "./wrap-material.ts";

/** Bytes of the secrets that each symmetric spec takes (developer guide, requirements for imported key material). */
const SECRET_BYTES: Partial<Readonly<Record<KeySpec, number>>> = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

/** Private keys beside RSA's that the service takes, as node:crypto tells them: the curve, or the type. */
const PRIVATE_KINDS: Partial<Readonly<Record<KeySpec, string>>> = {
  ECC_NIST_P256: "prime256v1",
  ECC_NIST_P384: "secp384r1",
  ECC_NIST_P521: "secp521r1",
  ECC_SECG_P256K1: "secp256k1",
  ECC_NIST_EDWARDS25519: "ed25519",
};

/** EncryptedKeyMaterial has 6144 bytes at most; of these, RSA-4096 takes 512 and RFC 5649 takes 8. */
const MAX_PRIVATE_KEY_BYTES = 6144 - 512 - 8;

/** Whether keys of the algorithm may come from outside. The service names no wrapping algorithm for ML-DSA and ML-KEM. */
export function isImportable(algorithm: AlgorithmName): boolean {
  const { keySpec } = shapeOf(algorithm);
  return keySpec in SECRET_BYTES || keySpec in PRIVATE_KINDS || modulusBytes(keySpec) !== undefined;
}

/** Bounds of the material's length, as a row has them: one length of a secret, many of private keys. */
export function materialBounds(algorithm: AlgorithmName): { minInputBytes?: number; maxInputBytes: number } {
  const bytes = SECRET_BYTES[shapeOf(algorithm).keySpec];
  if (bytes === undefined) return { maxInputBytes: MAX_PRIVATE_KEY_BYTES };
  return { minInputBytes: bytes, maxInputBytes: bytes };
}

/** How material of the algorithm is wrapped on its way: RSA keys fit no RSAES-OAEP, and secrets need nothing else. */
export function wrappingOf(algorithm: AlgorithmName): WrappingAlgorithm {
  return shapeOf(algorithm).keySpec in SECRET_BYTES ? "RSAES_OAEP_SHA_256" : "RSA_AES_KEY_WRAP_SHA_256";
}

/**
 * Checks material before it leaves: a secret by its length, a private key (PKCS#8 DER) by type and size.
 *
 * @throws {ProviderError} `INVALID` for bytes that are no key of the algorithm.
 */
export function requireMaterial(algorithm: AlgorithmName, material: Uint8Array): void {
  const { keySpec } = shapeOf(algorithm);
  const secretBytes = SECRET_BYTES[keySpec];
  const fits = secretBytes === undefined ? isPrivateKey(keySpec, material) : material.length === secretBytes;
  if (!fits) throw new ProviderError({ failure: "INVALID", detail: "the material is no key of the algorithm" });
}

function isPrivateKey(keySpec: KeySpec, material: Uint8Array): boolean {
  if (material.length > MAX_PRIVATE_KEY_BYTES || !isOneSequence(material)) return false;
  const key = readPrivateKey(material);
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {};
  const modulus = modulusBytes(keySpec);
  if (modulus !== undefined) return key?.asymmetricKeyType === "rsa" && modulusLength === modulus * 8;
  return key !== undefined && (namedCurve ?? key.asymmetricKeyType) === PRIVATE_KINDS[keySpec];
}

function readPrivateKey({ buffer, byteOffset, length }: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(buffer, byteOffset, length), format: "der", type: "pkcs8" });
  } catch {
    return undefined; // whatever OpenSSL does not read is no key
  }
}
