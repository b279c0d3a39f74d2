export type Purpose =
  | "ENCRYPT_DECRYPT"
  | "RAW_ENCRYPT_DECRYPT"
  | "ASYMMETRIC_SIGN"
  | "ASYMMETRIC_DECRYPT"
  | "MAC"
  | "KEY_ENCAPSULATION";

/** What material an algorithm wants: bytes of a secret, or a pair that node:crypto makes. */
export type Shape =
  | { readonly kind: "secret"; readonly bytes: number }
  | { readonly kind: "rsa"; readonly bits: number }
  | { readonly kind: "ec"; readonly curve: "prime256v1" | "secp384r1" | "secp256k1" }
  | { readonly kind: "plain"; readonly type: PlainType };

/** Pairs that need no parameters, as OpenSSL names them. */
export type PlainType =
  | "ed25519"
  | "ml-dsa-44"
  | "ml-dsa-65"
  | "ml-dsa-87"
  | "slh-dsa-sha2-128s"
  | "ml-kem-768"
  | "ml-kem-1024";

export type Hash = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

type Row = {
  readonly purpose: Purpose;
  readonly shape: Shape;
  /** Of RSA paddings and HMAC. */
  readonly hash?: Hash;
  /** The scheme of `test/fakes/aws-kms/signing.ts` that signs, and the digest that it wants; none takes the data whole. */
  readonly scheme?: string;
  readonly digest?: "sha256" | "sha384" | "sha512";
  /** Post-quantum: length of the public key as FIPS 203, 204 and 205 have it. */
  readonly publicBytes?: number;
  readonly hsmOnly?: boolean;
};

const secret = (bytes: number): Shape => ({ kind: "secret", bytes });
const rsa = (bits: number): Shape => ({ kind: "rsa", bits });
const plain = (type: PlainType): Shape => ({ kind: "plain", type });

const rsaSign = (padding: "PSS" | "PKCS1_V1_5", bits: number, size: 256 | 512): Row => ({
  purpose: "ASYMMETRIC_SIGN",
  shape: rsa(bits),
  scheme: `RSASSA_${padding}_SHA_${size}`,
  digest: `sha${size}`,
});
const ecSign = (curve: "prime256v1" | "secp384r1" | "secp256k1", size: 256 | 384): Row => ({
  purpose: "ASYMMETRIC_SIGN",
  shape: { kind: "ec", curve },
  scheme: `ECDSA_SHA_${size}`,
  digest: `sha${size}`,
});
const oaep = (bits: number, hash: Hash): Row => ({ purpose: "ASYMMETRIC_DECRYPT", shape: rsa(bits), hash });
const hmac = (bytes: number, hash: Hash): Row => ({ purpose: "MAC", shape: secret(bytes), hash });
const pqSign = (type: PlainType, publicBytes: number): Row => ({
  purpose: "ASYMMETRIC_SIGN",
  shape: plain(type),
  scheme: "ML_DSA_SHAKE_256", // whatever signs the data whole
  publicBytes,
});
const kem = (type: PlainType, publicBytes: number): Row => ({
  purpose: "KEY_ENCAPSULATION",
  shape: plain(type),
  publicBytes,
});

/** Every algorithm that the fake has, by the names of CryptoKeyVersionAlgorithm. */
export const ALGORITHMS = {
  GOOGLE_SYMMETRIC_ENCRYPTION: { purpose: "ENCRYPT_DECRYPT", shape: secret(32) },
  AES_128_GCM: { purpose: "RAW_ENCRYPT_DECRYPT", shape: secret(16) },
  AES_256_GCM: { purpose: "RAW_ENCRYPT_DECRYPT", shape: secret(32) },
  RSA_SIGN_PSS_2048_SHA256: rsaSign("PSS", 2048, 256),
  RSA_SIGN_PSS_3072_SHA256: rsaSign("PSS", 3072, 256),
  RSA_SIGN_PSS_4096_SHA256: rsaSign("PSS", 4096, 256),
  RSA_SIGN_PSS_4096_SHA512: rsaSign("PSS", 4096, 512),
  RSA_SIGN_PKCS1_2048_SHA256: rsaSign("PKCS1_V1_5", 2048, 256),
  RSA_SIGN_PKCS1_3072_SHA256: rsaSign("PKCS1_V1_5", 3072, 256),
  RSA_SIGN_PKCS1_4096_SHA256: rsaSign("PKCS1_V1_5", 4096, 256),
  RSA_SIGN_PKCS1_4096_SHA512: rsaSign("PKCS1_V1_5", 4096, 512),
  RSA_DECRYPT_OAEP_2048_SHA256: oaep(2048, "sha256"),
  RSA_DECRYPT_OAEP_3072_SHA256: oaep(3072, "sha256"),
  RSA_DECRYPT_OAEP_4096_SHA256: oaep(4096, "sha256"),
  RSA_DECRYPT_OAEP_4096_SHA512: oaep(4096, "sha512"),
  RSA_DECRYPT_OAEP_2048_SHA1: oaep(2048, "sha1"),
  RSA_DECRYPT_OAEP_3072_SHA1: oaep(3072, "sha1"),
  RSA_DECRYPT_OAEP_4096_SHA1: oaep(4096, "sha1"),
  EC_SIGN_P256_SHA256: ecSign("prime256v1", 256),
  EC_SIGN_P384_SHA384: ecSign("secp384r1", 384),
  EC_SIGN_SECP256K1_SHA256: { ...ecSign("secp256k1", 256), hsmOnly: true },
  EC_SIGN_ED25519: { purpose: "ASYMMETRIC_SIGN", shape: plain("ed25519"), scheme: "ED25519_SHA_512" },
  HMAC_SHA1: hmac(20, "sha1"),
  HMAC_SHA224: hmac(28, "sha224"),
  HMAC_SHA256: hmac(32, "sha256"),
  HMAC_SHA384: hmac(48, "sha384"),
  HMAC_SHA512: hmac(64, "sha512"),
  ML_KEM_768: kem("ml-kem-768", 1184),
  ML_KEM_1024: kem("ml-kem-1024", 1568),
  PQ_SIGN_ML_DSA_44: pqSign("ml-dsa-44", 1312),
  PQ_SIGN_ML_DSA_65: pqSign("ml-dsa-65", 1952),
  PQ_SIGN_ML_DSA_87: pqSign("ml-dsa-87", 2592),
  PQ_SIGN_SLH_DSA_SHA2_128S: pqSign("slh-dsa-sha2-128s", 32),
} as const satisfies Readonly<Record<string, Row>>;

export type Algorithm = keyof typeof ALGORITHMS;

export const isAlgorithm = (name: string): name is Algorithm => Object.hasOwn(ALGORITHMS, name);
export const rowOf = (algorithm: Algorithm): Row => ALGORITHMS[algorithm];
export const isAsymmetric = (algorithm: Algorithm): boolean => rowOf(algorithm).shape.kind !== "secret";
