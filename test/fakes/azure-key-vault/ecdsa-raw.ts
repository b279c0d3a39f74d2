import type { KeyObject } from "node:crypto";
import { signEcdsaDigest, verifyEcdsaDigest } from "../aws-kms/digest-ecdsa.ts";

/** A signature over a digest as r followed by s, each as long as the order: IEEE P1363, RFC 7518 § 3.4. */
export const signRaw = (key: KeyObject, digest: Buffer, width: number): Buffer => {
  const der = signEcdsaDigest(key, digest);
  const start = der[1] === 0x81 ? 3 : 2;
  const length = der[start + 1] ?? 0;
  const r = der.subarray(start + 2, start + 2 + length);
  return Buffer.concat([fit(r, width), fit(der.subarray(start + 4 + length), width)]);
};

export const verifyRaw = (key: KeyObject, digest: Buffer, signature: Buffer): boolean => {
  const half = signature.length / 2;
  const body = Buffer.concat([integer(signature.subarray(0, half)), integer(signature.subarray(half))]);
  const head = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
  return verifyEcdsaDigest(key, digest, Buffer.concat([Buffer.from(head), body]));
};

const fit = (bytes: Buffer, width: number): Buffer => Buffer.concat([Buffer.alloc(width), bytes]).subarray(-width);

const integer = (bytes: Buffer): Buffer => {
  const first = bytes.findIndex((byte) => byte !== 0);
  const trimmed = first < 0 ? Buffer.alloc(1) : bytes.subarray(first);
  const signed = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), trimmed]) : trimmed;
  return Buffer.concat([Buffer.from([0x02, signed.length]), signed]);
};
