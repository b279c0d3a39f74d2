import { createPrivateKey, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import { modulusBytes } from "./algorithms.ts";

/** Bytes of the secrets that each symmetric algorithm takes (documents, "Formatting keys for import"). */
const SECRET_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "AES-256-OPAQUE": 32,
  "AES-256-GCM": 32,
  "AES-128-GCM": 16,
  "HMAC-SHA-224": 28,
  "HMAC-SHA-256": 32,
  "HMAC-SHA-384": 48,
  "HMAC-SHA-512": 64,
};

/** Private keys beside RSA's, as node:crypto tells them: the curve, or the type. */
const PRIVATE_KINDS: Partial<Readonly<Record<AlgorithmName, string>>> = {
  "EC-P256-SHA256": "prime256v1",
  "EC-P384-SHA384": "secp384r1",
  "EC-SECP256K1-SHA256": "secp256k1",
  ED25519: "ed25519",
};

const MAX_PRIVATE_KEY_BYTES = 8192;

/** Whether keys of the algorithm may come from outside; post-quantum ones may not. */
export function isImportable(algorithm: AlgorithmName): boolean {
  return (
    SECRET_BYTES[algorithm] !== undefined ||
    PRIVATE_KINDS[algorithm] !== undefined ||
    modulusBytes(algorithm) !== undefined
  );
}

export function materialBounds(algorithm: AlgorithmName): {
  readonly minInputBytes?: number;
  readonly maxInputBytes: number;
} {
  const bytes = SECRET_BYTES[algorithm];
  return bytes === undefined
    ? { maxInputBytes: MAX_PRIVATE_KEY_BYTES }
    : { minInputBytes: bytes, maxInputBytes: bytes };
}

/**
 * Checks material before it leaves: a failed import leaves a version behind for good.
 *
 * @throws {ProviderError} `INVALID` for bytes that are no key of the algorithm
 */
export function requireMaterial(algorithm: AlgorithmName, material: Uint8Array): void {
  const bytes = SECRET_BYTES[algorithm];
  const fits = bytes === undefined ? isPrivateKey(algorithm, material) : material.length === bytes;
  if (!fits) throw new ProviderError({ failure: "INVALID", detail: "the material is no key of the algorithm" });
}

function isPrivateKey(algorithm: AlgorithmName, material: Uint8Array): boolean {
  if (material.length > MAX_PRIVATE_KEY_BYTES || !isOneSequence(material)) return false;
  const key = readPrivateKey(material);
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {};
  const modulus = modulusBytes(algorithm);
  if (modulus !== undefined) return key?.asymmetricKeyType === "rsa" && modulusLength === modulus * 8;
  return key !== undefined && (namedCurve ?? key.asymmetricKeyType) === PRIVATE_KINDS[algorithm];
}

function readPrivateKey({ buffer, byteOffset, length }: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(buffer, byteOffset, length), format: "der", type: "pkcs8" });
  } catch {
    return undefined; // whatever OpenSSL does not read is no key
  }
}

/** Whether bytes are one DER SEQUENCE and nothing after it (X.690 § 8.1.3); OpenSSL passes over what follows. */
function isOneSequence(bytes: Uint8Array): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== 0x30) return false;
  if (first < 0x80) return bytes.length === 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 3) return false;
  let length = 0;
  for (let at = 2; at < 2 + count; at += 1) length = length * 256 + (bytes[at] ?? 0);
  return bytes.length === 2 + count + length;
}
