import { constants, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { signEcdsaDigest, verifyEcdsaDigest } from "./digest-ecdsa.ts";
import { modulusBytes, signPkcs1Digest, signPssDigest, verifyPkcs1Digest, verifyPssDigest } from "./digest-rsa.ts";

/** How one signing algorithm treats a message and a digest of it. Keys are private in all four. */
export type SigningScheme = {
  /** Length of the digest that MessageType DIGEST brings; undefined if there is no such form. */
  readonly digestBytes: number | undefined;
  readonly sign: (key: KeyObject, message: Buffer) => Buffer;
  readonly verify: (key: KeyObject, message: Buffer, signature: Buffer) => boolean;
  readonly signDigest?: (key: KeyObject, digest: Buffer) => Buffer;
  readonly verifyDigest?: (key: KeyObject, digest: Buffer, signature: Buffer) => boolean;
};

type Hash = "sha256" | "sha384" | "sha512";
type Digests = Required<Pick<SigningScheme, "signDigest" | "verifyDigest">>;
type SignOptions = { readonly padding?: number; readonly saltLength?: number };

/** A scheme that hashes first, whose digest form is given apart. */
const hashed = (hash: Hash, options: SignOptions, digests: Digests): SigningScheme & Digests => ({
  digestBytes: Number(hash.slice("sha".length)) / 8,
  sign: (key, message) => sign(hash, message, { key, ...options }),
  verify: (key, message, signature) => verify(hash, message, { key: createPublicKey(key), ...options }, signature),
  ...digests,
});

const pkcs1 = (hash: Hash): SigningScheme =>
  wholeLength(
    hashed(
      hash,
      { padding: constants.RSA_PKCS1_PADDING },
      { signDigest: signPkcs1Digest, verifyDigest: verifyPkcs1Digest },
    ),
  );

const pss = (hash: Hash): SigningScheme =>
  wholeLength(
    hashed(
      hash,
      { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
      { signDigest: signPssDigest, verifyDigest: verifyPssDigest },
    ),
  );

/**
 * Refuses a signature that is shorter than the modulus, RFC 8017 § 8.1.2 and § 8.2.2: OpenSSL accepts one whose leading
 * zero was cut.
 */
const wholeLength = ({ verify: verifyMessage, verifyDigest, ...rest }: SigningScheme & Digests): SigningScheme => {
  const isWhole = (key: KeyObject, signature: Buffer): boolean => signature.length === modulusBytes(key);
  return {
    ...rest,
    verify: (key, message, signature) => isWhole(key, signature) && verifyMessage(key, message, signature),
    verifyDigest: (key, digest, signature) => isWhole(key, signature) && verifyDigest(key, digest, signature),
  };
};

const ecdsa = (hash: Hash): SigningScheme =>
  hashed(hash, {}, { signDigest: signEcdsaDigest, verifyDigest: verifyEcdsaDigest });

/** Pure Ed25519 and ML-DSA take the message as it is. */
const whole: SigningScheme = {
  digestBytes: undefined,
  sign: (key, message) => sign(null, message, key),
  verify: (key, message, signature) => verify(null, message, createPublicKey(key), signature),
};

/** Every signing algorithm that node:crypto allows for; ED25519_PH_SHA_512 is not among them. */
export const SIGNING: Readonly<Record<string, SigningScheme>> = {
  RSASSA_PKCS1_V1_5_SHA_256: pkcs1("sha256"),
  RSASSA_PKCS1_V1_5_SHA_384: pkcs1("sha384"),
  RSASSA_PKCS1_V1_5_SHA_512: pkcs1("sha512"),
  RSASSA_PSS_SHA_256: pss("sha256"),
  RSASSA_PSS_SHA_384: pss("sha384"),
  RSASSA_PSS_SHA_512: pss("sha512"),
  ECDSA_SHA_256: ecdsa("sha256"),
  ECDSA_SHA_384: ecdsa("sha384"),
  ECDSA_SHA_512: ecdsa("sha512"),
  ED25519_SHA_512: whole,
  ML_DSA_SHAKE_256: whole,
};
