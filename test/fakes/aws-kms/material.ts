import { createSecretKey, generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { KeySpec } from "./specs.ts";

/** One generation of a key's secret. Only symmetric keys ever have more than one. */
export type Material = {
  /** 64 hexadecimal digits, as in `KeyMaterialId`. */
  readonly id: string;
  state: "CURRENT" | "NON_CURRENT" | "PENDING_ROTATION";
  /** Since when it is or was the current one, and what made it so; absent for the first. */
  rotation?: { readonly atMs: number; readonly type: "AUTOMATIC" | "ON_DEMAND" };
  /** The secret or private key; undefined once imported material was deleted or has expired. */
  key: (() => Promise<KeyObject>) | undefined;
  /** Of imported material only. */
  imported?: Imported;
};

export type Imported = {
  /** SHA-256 of the material, by which a later import is known to bring the same. */
  readonly fingerprint: string;
  readonly description: string | undefined;
  readonly expiresMs: number | undefined;
};

/** Material that the service makes. An asymmetric key is generated when it is first used: RSA takes its time. */
export const generateMaterial = (spec: KeySpec): Material => ({
  id: randomBytes(32).toString("hex"),
  state: "CURRENT",
  key: once(() => generateKey(spec)),
});

/** Makes a secret key, or a key pair of which the private half is returned. */
export const generateKey = async (spec: KeySpec): Promise<KeyObject> => {
  const bytes = SECRET_BYTES[spec];
  if (bytes !== undefined) return createSecretKey(randomBytes(bytes));
  return (await generatePair(spec)).privateKey;
};

export const SECRET_BYTES: { readonly [spec in KeySpec]?: number } = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

/** The curves by OpenSSL's names. */
export const CURVES: { readonly [spec in KeySpec]?: string } = {
  ECC_NIST_P256: "prime256v1",
  ECC_NIST_P384: "secp384r1",
  ECC_NIST_P521: "secp521r1",
  ECC_SECG_P256K1: "secp256k1",
};

/** The other types, as OpenSSL names them. */
export const PLAIN_TYPES = {
  ECC_NIST_EDWARDS25519: "ed25519",
  ML_DSA_44: "ml-dsa-44",
  ML_DSA_65: "ml-dsa-65",
  ML_DSA_87: "ml-dsa-87",
  ML_KEM_512: "ml-kem-512",
  ML_KEM_768: "ml-kem-768",
  ML_KEM_1024: "ml-kem-1024",
} as const satisfies { readonly [spec in KeySpec]?: string };

const generate = promisify(generateKeyPair);

const generatePair = async (spec: KeySpec): Promise<{ readonly privateKey: KeyObject }> => {
  const namedCurve = CURVES[spec];
  if (namedCurve !== undefined) return await generate("ec", { namedCurve });
  if (spec in PLAIN_TYPES) return await generate(PLAIN_TYPES[spec as keyof typeof PLAIN_TYPES] as "ed25519");
  return await generate("rsa", { modulusLength: Number(spec.slice("RSA_".length)) });
};

/** Runs what makes a value at its first use, and keeps the value. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};
