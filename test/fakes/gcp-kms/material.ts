import { createPrivateKey, createSecretKey, generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Shape } from "./algorithms.ts";

/** A secret or private key, made when it is first used: RSA takes its time. */
export type Material = () => Promise<KeyObject>;

const generate = promisify(generateKeyPair);

/** Makes a secret key, or a pair of which the private half is returned. */
export const generateKey = async (shape: Shape): Promise<KeyObject> => {
  switch (shape.kind) {
    case "secret":
      return createSecretKey(randomBytes(shape.bytes));
    case "rsa":
      return (await generate("rsa", { modulusLength: shape.bits })).privateKey;
    case "ec":
      return (await generate("ec", { namedCurve: shape.curve })).privateKey;
    case "plain":
      return (await generate(shape.type as "ed25519")).privateKey;
  }
};

/** Reads imported bytes: a bare secret, or PKCS#8 DER. Undefined if they are not what the shape wants. */
export const readKey = (bytes: Buffer, shape: Shape): KeyObject | undefined => {
  if (shape.kind === "secret") return bytes.length === shape.bytes ? createSecretKey(bytes) : undefined;
  const key = parsePkcs8(bytes);
  const { namedCurve, modulusLength } = key?.asymmetricKeyDetails ?? {};
  switch (shape.kind) {
    case "rsa":
      return key?.asymmetricKeyType === "rsa" && modulusLength === shape.bits ? key : undefined;
    case "ec":
      return key?.asymmetricKeyType === "ec" && namedCurve === shape.curve ? key : undefined;
    case "plain":
      return key?.asymmetricKeyType === shape.type ? key : undefined;
  }
};

const parsePkcs8 = (bytes: Buffer): KeyObject | undefined => {
  try {
    return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  }
};

/** Runs what makes a value at its first use, and keeps the value. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};
