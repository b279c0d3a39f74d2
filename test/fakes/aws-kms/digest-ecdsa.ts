import { createECDH, type KeyObject, randomBytes } from "node:crypto";

/*
 * ECDSA over a digest that the caller made, which node:crypto does not offer. OpenSSL multiplies the point, through
 * ECDH; the rest is arithmetic modulo the order. Only for a fake: nothing here is constant in time.
 */

/** Signs a digest: FIPS 186-5 § 6.4.1. The signature is DER, as AWS answers it. */
export const signEcdsaDigest = (key: KeyObject, digest: Buffer): Buffer => {
  const { order, curve, d } = parametersOf(key);
  for (;;) {
    const k = randomBelow(order);
    const r = abscissa(curve, k, order) % order;
    const s = mod(inverse(k, order) * (leftmost(digest, order) + r * d), order);
    if (r !== 0n && s !== 0n) return encodeDer(r, s);
  }
};

/**
 * Verifies a signature over a digest. With the private key at hand the point of FIPS 186-5 § 6.4.2 is
 * (z + r·d)/s times the base point.
 */
export const verifyEcdsaDigest = (key: KeyObject, digest: Buffer, signature: Buffer): boolean => {
  const { order, curve, d } = parametersOf(key);
  const pair = decodeDer(signature);
  if (pair === undefined) return false;
  const { r, s } = pair;
  if (r < 1n || r >= order || s < 1n || s >= order) return false;
  const k = mod((leftmost(digest, order) + r * d) * inverse(s, order), order);
  return k !== 0n && abscissa(curve, k, order) % order === r;
};

/** The order of the base point, by OpenSSL's name of the curve: SP 800-186 § 3.2.1, SEC 2 § 2.4.1. */
const ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

const parametersOf = (key: KeyObject): { readonly order: bigint; readonly curve: string; readonly d: bigint } => {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const order = ORDERS[curve];
  if (order === undefined) throw new Error(`no ECDSA over ${curve}`);
  return { order, curve, d: toInteger(Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url")) };
};

const abscissa = (curve: string, scalar: bigint, order: bigint): bigint => {
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(toBytes(scalar, byteLength(order)));
  const point = ecdh.getPublicKey();
  return toInteger(point.subarray(1, 1 + (point.length - 1) / 2));
};

/** The digest as an integer, cut to the bits of the order. */
const leftmost = (digest: Buffer, order: bigint): bigint => {
  const excess = digest.length * 8 - order.toString(2).length;
  return toInteger(digest) >> BigInt(Math.max(excess, 0));
};

const randomBelow = (order: bigint): bigint => {
  for (;;) {
    const value = toInteger(randomBytes(byteLength(order))) >> BigInt(byteLength(order) * 8 - order.toString(2).length);
    if (value > 0n && value < order) return value;
  }
};

/** By Fermat: the order is prime. */
const inverse = (value: bigint, order: bigint): bigint => {
  let result = 1n;
  let base = mod(value, order);
  for (let exponent = order - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
};

const mod = (value: bigint, order: bigint): bigint => ((value % order) + order) % order;
const byteLength = (value: bigint): number => Math.ceil(value.toString(16).length / 2);
const toInteger = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
const toBytes = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex");

/** Ecdsa-Sig-Value of RFC 3279 § 2.2.3, in DER. */
const encodeDer = (r: bigint, s: bigint): Buffer => {
  const body = Buffer.concat([encodeInteger(r), encodeInteger(s)]);
  return Buffer.concat([Buffer.from(body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length]), body]);
};

const encodeInteger = (value: bigint): Buffer => {
  const bytes = toBytes(value, byteLength(value));
  const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, signed.length]), signed]);
};

/** Undefined for all but the one encoding that `encodeDer` gives. */
const decodeDer = (signature: Buffer): { readonly r: bigint; readonly s: bigint } | undefined => {
  const start = signature[1] === 0x81 ? 3 : 2;
  const rLength = signature[start + 1] ?? 0;
  const r = toInteger(signature.subarray(start + 2, start + 2 + rLength));
  const s = toInteger(signature.subarray(start + 4 + rLength));
  return encodeDer(r, s).equals(signature) ? { r, s } : undefined;
};
