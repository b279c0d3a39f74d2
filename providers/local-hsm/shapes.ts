import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";

/** Keys that node:crypto names by a type alone. */
export type NamedType =
  | "ed25519"
  | "x25519"
  | "ml-kem-512"
  | "ml-kem-768"
  | "ml-kem-1024"
  | "ml-dsa-44"
  | "ml-dsa-65"
  | "ml-dsa-87"
  | "slh-dsa-sha2-128s";

/** Curves by OpenSSL's names. */
export type CurveName = "prime256v1" | "secp384r1" | "secp521r1" | "secp256k1";

/** What a key of an algorithm is, in node:crypto's words. Symmetric ones are stored raw, the others as PKCS#8 DER. */
export type KeyShape =
  | { readonly kind: "secret"; readonly bytes: number }
  | { readonly kind: "rsa"; readonly modulusBits: number }
  | { readonly kind: "ec"; readonly curve: CurveName }
  | { readonly kind: "named"; readonly type: NamedType };

const SHAPES: Partial<Readonly<Record<AlgorithmName, KeyShape>>> = {
  "AES-256-OPAQUE": { kind: "secret", bytes: 32 },
  "AES-256-GCM": { kind: "secret", bytes: 32 },
  "AES-192-GCM": { kind: "secret", bytes: 24 },
  "AES-128-GCM": { kind: "secret", bytes: 16 },
  "AES-KW": { kind: "secret", bytes: 32 },
  "AES-KWP": { kind: "secret", bytes: 32 },
  "HMAC-SHA-224": { kind: "secret", bytes: 28 },
  "HMAC-SHA-256": { kind: "secret", bytes: 32 },
  "HMAC-SHA-384": { kind: "secret", bytes: 48 },
  "HMAC-SHA-512": { kind: "secret", bytes: 64 },
  "EC-P256-SHA256": { kind: "ec", curve: "prime256v1" },
  "EC-P384-SHA384": { kind: "ec", curve: "secp384r1" },
  "EC-P521-SHA512": { kind: "ec", curve: "secp521r1" },
  "EC-SECP256K1-SHA256": { kind: "ec", curve: "secp256k1" },
  "ECDH-P256": { kind: "ec", curve: "prime256v1" },
  "ECDH-P384": { kind: "ec", curve: "secp384r1" },
  "ECDH-P521": { kind: "ec", curve: "secp521r1" },
  ED25519: { kind: "named", type: "ed25519" },
  X25519: { kind: "named", type: "x25519" },
  "ML-KEM-512": { kind: "named", type: "ml-kem-512" },
  "ML-KEM-768": { kind: "named", type: "ml-kem-768" },
  "ML-KEM-1024": { kind: "named", type: "ml-kem-1024" },
  "ML-DSA-44": { kind: "named", type: "ml-dsa-44" },
  "ML-DSA-65": { kind: "named", type: "ml-dsa-65" },
  "ML-DSA-87": { kind: "named", type: "ml-dsa-87" },
  "SLH-DSA-SHA2-128s": { kind: "named", type: "slh-dsa-sha2-128s" },
};

/** The shape of an algorithm's keys; undefined where node:crypto has no such keys (`X-WING`). */
export function shapeOf(algorithm: AlgorithmName): KeyShape | undefined {
  const bits = RSA_NAME.exec(algorithm)?.[1];
  return bits === undefined ? SHAPES[algorithm] : { kind: "rsa", modulusBits: Number(bits) };
}

const RSA_NAME = /^RSA-(\d+)-/u;

/** Every algorithm that keys are made for. */
export const OFFERED_ALGORITHMS: readonly AlgorithmName[] = ALGORITHM_NAMES.filter((name) => shapeOf(name));

/** Lengths of digests, by node:crypto's name of the hash. */
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 };

/** The length of the digest that an algorithm makes; undefined for those that do not hash first. */
export function digestBytes(algorithm: AlgorithmName): number | undefined {
  return DIGEST_BYTES[algorithmTraits(algorithm).hash ?? ""];
}
