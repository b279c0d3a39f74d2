import type { KeyObject } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import type { Random } from "#core/clock.ts";

const CURVES: Readonly<Record<string, typeof p256>> = {
  prime256v1: p256,
  secp384r1: p384,
  secp521r1: p521,
  secp256k1,
};
/** Digests as they are, either of the two values of s, DER (RFC 3279). */
const FORM = { prehash: false, lowS: false, format: "der" } as const;

type DigestInput = { readonly key: KeyObject; readonly digest: Uint8Array };

/**
 * ECDSA of a digest, in DER (FIPS 186-5 § 6.4.1; the nonce is RFC 6979's with fresh randomness, § 3.6). node:crypto hashes what it signs, so this
 * is JavaScript's arithmetic, which is not constant time: docs/decisions/0010-ecdsa-of-digests.md.
 */
export function signEcdsaDigest({ key, digest }: DigestInput, random: Random): Buffer {
  const secret = secretScalar(key);
  try {
    return Buffer.from(curveOf(key).sign(digest, secret, { ...FORM, extraEntropy: random.bytes(secret.length) }));
  } finally {
    secret.fill(0);
  }
}

/** Whether the signature of a digest fits. What is malformed, or not DER, does not. */
export function verifyEcdsaDigest({
  key,
  digest,
  signature,
}: DigestInput & { readonly signature: Uint8Array }): boolean {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  try {
    return curveOf(key).verify(signature, digest, point, FORM);
  } catch {
    return false;
  }
}

function curveOf(key: KeyObject): typeof p256 {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (curve === undefined) throw new TypeError("not a curve of ECDSA");
  return curve;
}

/**
 * The private scalar, padded to the order's length. Read from the ECPrivateKey (RFC 5915) that node:crypto writes, because a JWK would leave it in
 * strings that cannot be zeroed: SEQUENCE, INTEGER 1, OCTET STRING.
 */
function secretScalar(key: KeyObject): Buffer {
  const der = key.export({ format: "der", type: "sec1" });
  const at = der.readUInt8(1) < 0x80 ? 2 : 2 + (der.readUInt8(1) & 0x7f);
  const length = der.readUInt8(at + 4);
  const secret = Buffer.alloc(length);
  der.copy(secret, 0, at + 5, at + 5 + length);
  der.fill(0);
  return secret;
}
