import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { refused } from "./errors.ts";

export type KeyPurpose =
  | "ENCRYPT_DECRYPT"
  | "RAW_ENCRYPT_DECRYPT"
  | "ASYMMETRIC_SIGN"
  | "ASYMMETRIC_DECRYPT"
  | "MAC"
  | "KEY_ENCAPSULATION";

/** A key of an algorithm as the service names it (CryptoKeyVersionAlgorithm, proto google.cloud.kms.v1). */
export type Shape = {
  readonly purpose: KeyPurpose;
  readonly native: string;
  /** Asked for a digest of the algorithm's hash; the others take the data. */
  readonly digest?: "sha256" | "sha384" | "sha512";
  /** Made in an HSM alone. */
  readonly hsmOnly?: boolean;
  /** Post-quantum keys come as bare bytes; the object identifier of their SPKI (FIPS 203, 204, 205). */
  readonly oid?: string;
};

const rsaSign = (native: string, digest: "sha256" | "sha512"): Shape => ({
  purpose: "ASYMMETRIC_SIGN",
  native: `RSA_SIGN_${native}`,
  digest,
});
const oaep = (native: string): Shape => ({ purpose: "ASYMMETRIC_DECRYPT", native: `RSA_DECRYPT_OAEP_${native}` });
const pqSign = (native: string, oid: string): Shape => ({
  purpose: "ASYMMETRIC_SIGN",
  native: `PQ_SIGN_${native}`,
  oid,
});
const kem = (native: string, oid: string): Shape => ({ purpose: "KEY_ENCAPSULATION", native, oid });
const hmac = (bits: number): Shape => ({ purpose: "MAC", native: `HMAC_SHA${bits}` });

const SHAPES: Partial<Readonly<Record<AlgorithmName, Shape>>> = {
  "AES-256-OPAQUE": { purpose: "ENCRYPT_DECRYPT", native: "GOOGLE_SYMMETRIC_ENCRYPTION" },
  "AES-256-GCM": { purpose: "RAW_ENCRYPT_DECRYPT", native: "AES_256_GCM" },
  "AES-128-GCM": { purpose: "RAW_ENCRYPT_DECRYPT", native: "AES_128_GCM" },
  "RSA-2048-OAEP-SHA256": oaep("2048_SHA256"),
  "RSA-3072-OAEP-SHA256": oaep("3072_SHA256"),
  "RSA-4096-OAEP-SHA256": oaep("4096_SHA256"),
  "RSA-2048-OAEP-SHA1": oaep("2048_SHA1"),
  "RSA-3072-OAEP-SHA1": oaep("3072_SHA1"),
  "RSA-4096-OAEP-SHA1": oaep("4096_SHA1"),
  "RSA-4096-OAEP-SHA512": oaep("4096_SHA512"),
  "RSA-2048-PSS-SHA256": rsaSign("PSS_2048_SHA256", "sha256"),
  "RSA-3072-PSS-SHA256": rsaSign("PSS_3072_SHA256", "sha256"),
  "RSA-4096-PSS-SHA256": rsaSign("PSS_4096_SHA256", "sha256"),
  "RSA-4096-PSS-SHA512": rsaSign("PSS_4096_SHA512", "sha512"),
  "RSA-2048-PKCS1-SHA256": rsaSign("PKCS1_2048_SHA256", "sha256"),
  "RSA-3072-PKCS1-SHA256": rsaSign("PKCS1_3072_SHA256", "sha256"),
  "RSA-4096-PKCS1-SHA256": rsaSign("PKCS1_4096_SHA256", "sha256"),
  "RSA-4096-PKCS1-SHA512": rsaSign("PKCS1_4096_SHA512", "sha512"),
  "EC-P256-SHA256": { purpose: "ASYMMETRIC_SIGN", native: "EC_SIGN_P256_SHA256", digest: "sha256" },
  "EC-P384-SHA384": { purpose: "ASYMMETRIC_SIGN", native: "EC_SIGN_P384_SHA384", digest: "sha384" },
  "EC-SECP256K1-SHA256": {
    purpose: "ASYMMETRIC_SIGN",
    native: "EC_SIGN_SECP256K1_SHA256",
    digest: "sha256",
    hsmOnly: true,
  },
  ED25519: { purpose: "ASYMMETRIC_SIGN", native: "EC_SIGN_ED25519" },
  "ML-DSA-44": pqSign("ML_DSA_44", "2.16.840.1.101.3.4.3.17"),
  "ML-DSA-65": pqSign("ML_DSA_65", "2.16.840.1.101.3.4.3.18"),
  "ML-DSA-87": pqSign("ML_DSA_87", "2.16.840.1.101.3.4.3.19"),
  "SLH-DSA-SHA2-128s": pqSign("SLH_DSA_SHA2_128S", "2.16.840.1.101.3.4.3.20"),
  "HMAC-SHA-224": hmac(224),
  "HMAC-SHA-256": hmac(256),
  "HMAC-SHA-384": hmac(384),
  "HMAC-SHA-512": hmac(512),
  "ML-KEM-768": kem("ML_KEM_768", "2.16.840.1.101.3.4.4.2"),
  "ML-KEM-1024": kem("ML_KEM_1024", "2.16.840.1.101.3.4.4.3"),
};

/** The algorithms of the table, in the order of the model. */
export const OFFERED: readonly AlgorithmName[] = ALGORITHM_NAMES.filter((name) => SHAPES[name] !== undefined);

/** The shape of a key; refuses an algorithm that the service does not have. */
export function shapeOf(algorithm: AlgorithmName): Shape {
  const shape = SHAPES[algorithm];
  if (shape === undefined) throw refused(`unsupported: a key for ${algorithm}`);
  return shape;
}

/** Our name of a version's algorithm; null for what the table has not. */
export function algorithmOf(native: string): AlgorithmName | null {
  return OFFERED.find((name) => SHAPES[name]?.native === native) ?? null;
}

/** Bytes of an RSA modulus; undefined for other algorithms. */
export function modulusBytes(algorithm: AlgorithmName): number | undefined {
  const bits = /^RSA-(\d+)-/u.exec(algorithm)?.[1];
  return bits === undefined ? undefined : Number(bits) / 8;
}

export function hashOf(algorithm: AlgorithmName): string | undefined {
  return algorithmTraits(algorithm).hash;
}
