import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { isOneSequence } from "./der.ts";
import type { CurveName, KeyShape } from "./shapes.ts";

/** Both halves of an asymmetric key, outside the JavaScript heap. */
export type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** RFC 8017 wants no more than an odd exponent; FIPS 186-5 § A.1.1 wants it between these. */
const MIN_EXPONENT = 65_537n;
const MAX_EXPONENT = 1n << 256n;

/** Reads PKCS#8 DER: one value, without a passphrase, of a key with this shape. Undefined for anything else. */
export function readPrivateKey(pkcs8: Uint8Array, shape: KeyShape): KeyPair | undefined {
  if (!isOneSequence(pkcs8)) return undefined;
  const privateKey = parse(pkcs8);
  if (privateKey === undefined || !hasShape(privateKey, shape)) return undefined;
  const publicKey = createPublicKey(privateKey);
  return shape.kind === "ec" && !isPlain(publicKey, shape.curve) ? undefined : { privateKey, publicKey };
}

/**
 * Whether the curve is given by its name and the point is not compressed: OpenSSL knows curves by their parameters too, and would hand on a
 * public key with them, which others refuse (RFC 5480 § 2.1.1).
 */
function isPlain(publicKey: KeyObject, curve: CurveName): boolean {
  return publicKey.export({ format: "der", type: "spki" }).length === SPKI_BYTES[curve];
}

const SPKI_BYTES: Readonly<Record<CurveName, number>> = {
  prime256v1: 91,
  secp384r1: 120,
  secp521r1: 158,
  secp256k1: 88,
};

/** Whether a private or public key has the type, and the curve or the modulus, that a shape says. */
export function hasShape(key: KeyObject, shape: KeyShape): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  switch (shape.kind) {
    case "secret":
      return false;
    case "rsa": {
      const { modulusLength, publicExponent = 0n } = details;
      const isExponent =
        publicExponent >= MIN_EXPONENT && publicExponent < MAX_EXPONENT && (publicExponent & 1n) === 1n;
      return type === "rsa" && modulusLength === shape.modulusBits && isExponent;
    }
    case "ec":
      return type === "ec" && details.namedCurve === shape.curve;
    case "named":
      return type === shape.type;
  }
}

/** The one form in which private keys are kept; the caller zeroes it. */
export function privateKeyBytes(privateKey: KeyObject): Buffer {
  return privateKey.export({ format: "der", type: "pkcs8" });
}

function parse(pkcs8: Uint8Array): KeyObject | undefined {
  const copy = Buffer.alloc(pkcs8.length);
  copy.set(pkcs8);
  try {
    return createPrivateKey({ key: copy, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  } finally {
    copy.fill(0);
  }
}
