import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";

/** A key pair outside every provider: the other party of an agreement, or one to import. */
export type OutsidePair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const CURVES: Partial<Readonly<Record<AlgorithmName, string>>> = {
  "EC-P256-SHA256": "prime256v1",
  "EC-P384-SHA384": "secp384r1",
  "EC-P521-SHA512": "secp521r1",
  "EC-SECP256K1-SHA256": "secp256k1",
  "ECDH-P256": "prime256v1",
  "ECDH-P384": "secp384r1",
  "ECDH-P521": "secp521r1",
};

/** Lengths of the symmetric keys that every service takes. */
const SECRET_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "AES-256-OPAQUE": 32,
  "AES-256-GCM": 32,
  "AES-192-GCM": 24,
  "AES-128-GCM": 16,
  "AES-KW": 32,
  "AES-KWP": 32,
  "HMAC-SHA-224": 28,
  "HMAC-SHA-256": 32,
  "HMAC-SHA-384": 48,
  "HMAC-SHA-512": 64,
};

/** A fresh key pair of an algorithm that has two halves. RSA takes its time. */
export function outsidePair(algorithm: AlgorithmName): OutsidePair {
  const modulusLength = modulusBits(algorithm);
  if (modulusLength !== undefined) return generateKeyPairSync("rsa", { modulusLength });
  const namedCurve = CURVES[algorithm];
  if (namedCurve !== undefined) return generateKeyPairSync("ec", { namedCurve });
  return generateKeyPairSync(algorithm.toLowerCase() as "ed25519"); // node:crypto names the others as we do
}

/** A fresh key in the form in which it is imported: raw bytes, or PKCS#8 DER. */
export function outsideMaterial(algorithm: AlgorithmName): Buffer {
  const bytes = SECRET_BYTES[algorithm];
  return bytes === undefined ? pkcs8Of(outsidePair(algorithm)) : randomBytes(bytes);
}

export function pkcs8Of({ privateKey }: { readonly privateKey: KeyObject }): Buffer {
  return privateKey.export({ format: "der", type: "pkcs8" });
}

export function spkiOf({ publicKey }: { readonly publicKey: KeyObject }): Buffer {
  return publicKey.export({ format: "der", type: "spki" });
}

/** Bits of the modulus of an RSA algorithm. */
export function modulusBits(algorithm: AlgorithmName): number | undefined {
  const bits = /^RSA-(\d+)-/u.exec(algorithm)?.[1];
  return bits === undefined ? undefined : Number(bits);
}
