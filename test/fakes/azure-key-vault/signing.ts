import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { signPkcs1Digest, signPssDigest, verifyPkcs1Digest, verifyPssDigest } from "../aws-kms/digest-rsa.ts";
import { signRaw, verifyRaw } from "./ecdsa-raw.ts";
import { badParameter } from "./failure.ts";

type Scheme = {
  readonly family: "rsa" | "ec" | "oct";
  /** Bytes of the digest. */
  readonly digest: number;
  readonly curve?: string;
  readonly sign: (key: KeyObject, digest: Buffer) => Buffer;
  readonly verify: (key: KeyObject, digest: Buffer, signature: Buffer) => boolean;
};

const pss = (digest: number): Scheme => ({ family: "rsa", digest, sign: signPssDigest, verify: verifyPssDigest });
const pkcs1 = (digest: number): Scheme => ({ family: "rsa", digest, sign: signPkcs1Digest, verify: verifyPkcs1Digest });

const ecdsa = (digest: number, curve: string, width: number): Scheme => ({
  family: "ec",
  digest,
  curve,
  sign: (key, value) => signRaw(key, value, width),
  verify: (key, value, signature) => signature.length === 2 * width && verifyRaw(key, value, signature),
});

const hmac = (digest: number): Scheme => {
  const sign = (key: KeyObject, value: Buffer): Buffer =>
    createHmac(`sha${digest * 8}`, key)
      .update(value)
      .digest();
  const verify = (key: KeyObject, value: Buffer, tag: Buffer): boolean =>
    tag.length === digest && timingSafeEqual(sign(key, value), tag);
  return { family: "oct", digest, sign, verify };
};

const SCHEMES: Readonly<Record<string, Scheme>> = {
  PS256: pss(32),
  PS384: pss(48),
  PS512: pss(64),
  RS256: pkcs1(32),
  RS384: pkcs1(48),
  RS512: pkcs1(64),
  ES256: ecdsa(32, "prime256v1", 32),
  ES384: ecdsa(48, "secp384r1", 48),
  ES512: ecdsa(64, "secp521r1", 66),
  ES256K: ecdsa(32, "secp256k1", 32),
  HS256: hmac(32),
  HS384: hmac(48),
  HS512: hmac(64),
};

/** The scheme, if it fits the key and the length of the digest. HMACs take what they are given. */
export const schemeFor = (alg: string, key: KeyObject, digest: Buffer): Scheme => {
  const scheme = Object.hasOwn(SCHEMES, alg) ? SCHEMES[alg] : undefined;
  if (scheme === undefined) throw badParameter("Property alg has invalid value");
  const family = key.type === "secret" ? "oct" : key.asymmetricKeyType;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (family !== scheme.family || (scheme.curve !== undefined && scheme.curve !== curve)) {
    throw badParameter("Key and signing algorithm are incompatible.");
  }
  if (family !== "oct" && digest.length !== scheme.digest) throw badParameter("Invalid length of value");
  return scheme;
};
