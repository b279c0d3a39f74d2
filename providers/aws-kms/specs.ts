import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type {
  EncapsulationAlgorithmSpec,
  EncryptionAlgorithmSpec,
  KeyAgreementAlgorithmSpec,
  KeySpec,
  KeyUsageType,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
} from "./client.ts";
import { refused } from "./errors.ts";

type Native = {
  readonly ENCRYPT_DECRYPT: EncryptionAlgorithmSpec;
  readonly SIGN_VERIFY: SigningAlgorithmSpec;
  readonly GENERATE_VERIFY_MAC: MacAlgorithmSpec;
  readonly KEY_AGREEMENT: KeyAgreementAlgorithmSpec;
  readonly ENCAPSULATE_DECAPSULATE: EncapsulationAlgorithmSpec;
};

/** What a key of an algorithm is to the service: its spec, its usage, and the algorithm that its operations are asked for. */
export type KeyShape = {
  readonly [U in KeyUsageType]: { readonly keySpec: KeySpec; readonly keyUsage: U; readonly native: Native[U] };
}[KeyUsageType];

const cipher = (keySpec: KeySpec, native: EncryptionAlgorithmSpec): KeyShape => ({
  keySpec,
  keyUsage: "ENCRYPT_DECRYPT",
  native,
});
const signer = (keySpec: KeySpec, native: SigningAlgorithmSpec): KeyShape => ({
  keySpec,
  keyUsage: "SIGN_VERIFY",
  native,
});
const mac = (keySpec: KeySpec, native: MacAlgorithmSpec): KeyShape => ({
  keySpec,
  keyUsage: "GENERATE_VERIFY_MAC",
  native,
});
const ecdh = (keySpec: KeySpec): KeyShape => ({ keySpec, keyUsage: "KEY_AGREEMENT", native: "ECDH" });
const kem = (keySpec: KeySpec): KeyShape => ({ keySpec, keyUsage: "ENCAPSULATE_DECAPSULATE", native: "ML_KEM" });

/** Every algorithm of ours that the service has. Several of RSA share a spec and a usage; a tag tells them apart. */
const SHAPES: Partial<Readonly<Record<AlgorithmName, KeyShape>>> = {
  "AES-256-OPAQUE": cipher("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"),
  "RSA-2048-OAEP-SHA256": cipher("RSA_2048", "RSAES_OAEP_SHA_256"),
  "RSA-3072-OAEP-SHA256": cipher("RSA_3072", "RSAES_OAEP_SHA_256"),
  "RSA-4096-OAEP-SHA256": cipher("RSA_4096", "RSAES_OAEP_SHA_256"),
  "RSA-2048-OAEP-SHA1": cipher("RSA_2048", "RSAES_OAEP_SHA_1"),
  "RSA-3072-OAEP-SHA1": cipher("RSA_3072", "RSAES_OAEP_SHA_1"),
  "RSA-4096-OAEP-SHA1": cipher("RSA_4096", "RSAES_OAEP_SHA_1"),
  "RSA-2048-PSS-SHA256": signer("RSA_2048", "RSASSA_PSS_SHA_256"),
  "RSA-3072-PSS-SHA256": signer("RSA_3072", "RSASSA_PSS_SHA_256"),
  "RSA-4096-PSS-SHA256": signer("RSA_4096", "RSASSA_PSS_SHA_256"),
  "RSA-2048-PSS-SHA384": signer("RSA_2048", "RSASSA_PSS_SHA_384"),
  "RSA-3072-PSS-SHA384": signer("RSA_3072", "RSASSA_PSS_SHA_384"),
  "RSA-4096-PSS-SHA384": signer("RSA_4096", "RSASSA_PSS_SHA_384"),
  "RSA-2048-PSS-SHA512": signer("RSA_2048", "RSASSA_PSS_SHA_512"),
  "RSA-3072-PSS-SHA512": signer("RSA_3072", "RSASSA_PSS_SHA_512"),
  "RSA-4096-PSS-SHA512": signer("RSA_4096", "RSASSA_PSS_SHA_512"),
  "RSA-2048-PKCS1-SHA256": signer("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
  "RSA-3072-PKCS1-SHA256": signer("RSA_3072", "RSASSA_PKCS1_V1_5_SHA_256"),
  "RSA-4096-PKCS1-SHA256": signer("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_256"),
  "RSA-2048-PKCS1-SHA384": signer("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_384"),
  "RSA-3072-PKCS1-SHA384": signer("RSA_3072", "RSASSA_PKCS1_V1_5_SHA_384"),
  "RSA-4096-PKCS1-SHA384": signer("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_384"),
  "RSA-2048-PKCS1-SHA512": signer("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"),
  "RSA-3072-PKCS1-SHA512": signer("RSA_3072", "RSASSA_PKCS1_V1_5_SHA_512"),
  "RSA-4096-PKCS1-SHA512": signer("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_512"),
  "EC-P256-SHA256": signer("ECC_NIST_P256", "ECDSA_SHA_256"),
  "EC-P384-SHA384": signer("ECC_NIST_P384", "ECDSA_SHA_384"),
  "EC-P521-SHA512": signer("ECC_NIST_P521", "ECDSA_SHA_512"),
  "EC-SECP256K1-SHA256": signer("ECC_SECG_P256K1", "ECDSA_SHA_256"),
  // The pure one: ED25519_PH_SHA_512 hashes first, and its signatures are others (RFC 8032 § 5.1).
  ED25519: signer("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
  "ML-DSA-44": signer("ML_DSA_44", "ML_DSA_SHAKE_256"),
  "ML-DSA-65": signer("ML_DSA_65", "ML_DSA_SHAKE_256"),
  "ML-DSA-87": signer("ML_DSA_87", "ML_DSA_SHAKE_256"),
  "HMAC-SHA-224": mac("HMAC_224", "HMAC_SHA_224"),
  "HMAC-SHA-256": mac("HMAC_256", "HMAC_SHA_256"),
  "HMAC-SHA-384": mac("HMAC_384", "HMAC_SHA_384"),
  "HMAC-SHA-512": mac("HMAC_512", "HMAC_SHA_512"),
  "ECDH-P256": ecdh("ECC_NIST_P256"),
  "ECDH-P384": ecdh("ECC_NIST_P384"),
  "ECDH-P521": ecdh("ECC_NIST_P521"),
  "ML-KEM-512": kem("ML_KEM_512"),
  "ML-KEM-768": kem("ML_KEM_768"),
  "ML-KEM-1024": kem("ML_KEM_1024"),
};

/** The algorithms of the table, in the order of the model. */
export const OFFERED: readonly AlgorithmName[] = ALGORITHM_NAMES.filter((name) => SHAPES[name] !== undefined);

/** The shape of a key; refuses an algorithm that the service does not have. */
export function shapeOf(algorithm: AlgorithmName): KeyShape {
  const shape = SHAPES[algorithm];
  if (shape === undefined) throw refused(`unsupported: a key for ${algorithm}`);
  return shape;
}

/** The service's name of an algorithm, for operations of one usage. */
export function nativeOf<U extends KeyUsageType>(algorithm: AlgorithmName, usage: U): Native[U] {
  const shape = shapeOf(algorithm);
  if (shape.keyUsage !== usage) throw refused(`unsupported: ${usage} with ${algorithm}`);
  return shape.native as Native[U];
}

/** The algorithms that a spec and a usage leave open: none for SM2, several for RSA. */
export function algorithmsOf(keySpec: string | undefined, keyUsage: string | undefined): readonly AlgorithmName[] {
  return OFFERED.filter((name) => {
    const shape = SHAPES[name];
    return shape?.keySpec === keySpec && shape?.keyUsage === keyUsage;
  });
}

/** Bytes of an RSA modulus, and so of its ciphertexts and signatures; undefined for other specs. */
export function modulusBytes(keySpec: KeySpec): number | undefined {
  return keySpec.startsWith("RSA_") ? Number(keySpec.slice("RSA_".length)) / 8 : undefined;
}

/** Bytes of a digest by the algorithm's own hash; undefined where it has none. */
export function digestBytes(algorithm: AlgorithmName): number | undefined {
  return DIGEST_BYTES[algorithmTraits(algorithm).hash ?? ""];
}

const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
