import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { refused } from "./errors.ts";

/** What a key of an algorithm is to the service, and the name that its operations are asked for (RFC 7518, JsonWebKey). */
export type Shape =
  | { readonly family: "RSA"; readonly bits: number; readonly use: "cipher"; readonly native: "RSA-OAEP-256" }
  | { readonly family: "RSA"; readonly bits: number; readonly use: "signer"; readonly native: string }
  | { readonly family: "EC"; readonly curve: string; readonly use: "signer"; readonly native: string }
  | { readonly family: "oct"; readonly bits: number; readonly use: "cipher"; readonly native: GcmName }
  | { readonly family: "oct"; readonly bits: number; readonly use: "wrapper"; readonly native: "A256KW" };

type GcmName = "A128GCM" | "A192GCM" | "A256GCM";

const oaep = (bits: number): Shape => ({ family: "RSA", bits, use: "cipher", native: "RSA-OAEP-256" });
const rsa = (bits: number, native: string): Shape => ({ family: "RSA", bits, use: "signer", native });
const ec = (curve: string, native: string): Shape => ({ family: "EC", curve, use: "signer", native });
const gcm = (bits: number, native: GcmName): Shape => ({ family: "oct", bits, use: "cipher", native });

/** Every algorithm of ours that the service has; of `oct` only a Managed HSM. */
const SHAPES: Partial<Readonly<Record<AlgorithmName, Shape>>> = {
  "RSA-2048-OAEP-SHA256": oaep(2048),
  "RSA-3072-OAEP-SHA256": oaep(3072),
  "RSA-4096-OAEP-SHA256": oaep(4096),
  "RSA-2048-PSS-SHA256": rsa(2048, "PS256"),
  "RSA-3072-PSS-SHA256": rsa(3072, "PS256"),
  "RSA-4096-PSS-SHA256": rsa(4096, "PS256"),
  "RSA-2048-PSS-SHA384": rsa(2048, "PS384"),
  "RSA-3072-PSS-SHA384": rsa(3072, "PS384"),
  "RSA-4096-PSS-SHA384": rsa(4096, "PS384"),
  "RSA-2048-PSS-SHA512": rsa(2048, "PS512"),
  "RSA-3072-PSS-SHA512": rsa(3072, "PS512"),
  "RSA-4096-PSS-SHA512": rsa(4096, "PS512"),
  "RSA-2048-PKCS1-SHA256": rsa(2048, "RS256"),
  "RSA-3072-PKCS1-SHA256": rsa(3072, "RS256"),
  "RSA-4096-PKCS1-SHA256": rsa(4096, "RS256"),
  "RSA-2048-PKCS1-SHA384": rsa(2048, "RS384"),
  "RSA-3072-PKCS1-SHA384": rsa(3072, "RS384"),
  "RSA-4096-PKCS1-SHA384": rsa(4096, "RS384"),
  "RSA-2048-PKCS1-SHA512": rsa(2048, "RS512"),
  "RSA-3072-PKCS1-SHA512": rsa(3072, "RS512"),
  "RSA-4096-PKCS1-SHA512": rsa(4096, "RS512"),
  "EC-P256-SHA256": ec("P-256", "ES256"),
  "EC-P384-SHA384": ec("P-384", "ES384"),
  "EC-P521-SHA512": ec("P-521", "ES512"),
  "EC-SECP256K1-SHA256": ec("P-256K", "ES256K"),
  "AES-128-GCM": gcm(128, "A128GCM"),
  "AES-192-GCM": gcm(192, "A192GCM"),
  "AES-256-GCM": gcm(256, "A256GCM"),
  "AES-KW": { family: "oct", bits: 256, use: "wrapper", native: "A256KW" },
};

/** The algorithms of the table, in the order of the model. */
export const OFFERED: readonly AlgorithmName[] = ALGORITHM_NAMES.filter((name) => SHAPES[name] !== undefined);

/** The shape of a key; refuses an algorithm that the service does not have. */
export function shapeOf(algorithm: AlgorithmName): Shape {
  const shape = SHAPES[algorithm];
  if (shape === undefined) throw refused(`unsupported: a key for ${algorithm}`);
  return shape;
}

const KEY_OPS: Readonly<Record<string, readonly string[]>> = {
  "RSA cipher": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
  "RSA signer": ["sign", "verify"],
  "EC signer": ["sign", "verify"],
  "oct cipher": ["encrypt", "decrypt"],
  "oct wrapper": ["wrapKey", "unwrapKey"],
};

/** What a key of the algorithm may do: one purpose, though the service would take more. */
export function keyOpsOf(algorithm: AlgorithmName): readonly string[] {
  const { family, use } = shapeOf(algorithm);
  return KEY_OPS[`${family} ${use}`] ?? [];
}

/** Bytes of an RSA modulus, and so of its ciphertexts and signatures; undefined for other algorithms. */
export function modulusBytes(algorithm: AlgorithmName): number | undefined {
  const shape = shapeOf(algorithm);
  return shape.family === "RSA" ? shape.bits / 8 : undefined;
}

/** node:crypto's name of an algorithm's own hash. */
export function hashOf(algorithm: AlgorithmName): string {
  return algorithmTraits(algorithm).hash ?? "sha256";
}

/** Bytes of a digest by that hash. */
export function digestBytes(algorithm: AlgorithmName): number {
  return Number(hashOf(algorithm).slice("sha".length)) / 8;
}
