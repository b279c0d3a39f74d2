import { createECDH, createPrivateKey, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";

/** Object identifiers, DER (RFC 9935 § 3, RFC 9881 § 2). */
const IDENTIFIERS: Partial<Readonly<Record<AlgorithmName, string>>> = {
  "ML-KEM-512": "0609608648016503040401",
  "ML-KEM-768": "0609608648016503040402",
  "ML-KEM-1024": "0609608648016503040403",
  "ML-DSA-44": "0609608648016503040311",
  "ML-DSA-65": "0609608648016503040312",
  "ML-DSA-87": "0609608648016503040313",
};

/** PKCS#8 of an ML-KEM or ML-DSA key from its seed alone (RFC 9935 § 6, RFC 9881 § 6: the choice `seed`). */
export function seedPkcs8(algorithm: AlgorithmName, seed: Buffer): Buffer {
  const identifier = Buffer.from(IDENTIFIERS[algorithm] ?? "", "hex");
  const octets = element(0x04, element(0x80, seed));
  return element(0x30, Buffer.concat([Buffer.of(2, 1, 0), element(0x30, identifier), octets]));
}

/** Of at most 127 bytes. */
function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}

/** PKCS#8 of a private scalar on a curve of OpenSSL's name. */
export function ecPkcs8(curve: string, scalar: Buffer): Buffer {
  const ecdh = createECDH(curve);
  const { length } = ecdh.generateKeys().subarray(1); // x and y, side by side
  const d = leftPad(scalar, length / 2);
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey().subarray(1);
  const text = (bytes: Buffer): string => bytes.toString("base64url");
  const jwk = {
    kty: "EC",
    crv: CURVES[curve] ?? "",
    d: text(d),
    x: text(point.subarray(0, length / 2)),
    y: text(point.subarray(length / 2)),
  };
  const key: KeyObject = createPrivateKey({ key: jwk, format: "jwk" });
  return key.export({ format: "der", type: "pkcs8" });
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

/** An integer as bytes of one length; its own zeros in front may be more or fewer. */
function leftPad(bytes: Buffer, length: number): Buffer {
  const digits = bytes.subarray(Math.max(0, bytes.length - length));
  return Buffer.concat([Buffer.alloc(length - digits.length), digits]);
}
