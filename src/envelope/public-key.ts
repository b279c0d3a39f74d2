import { createPublicKey, encapsulate, hash, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { sha256 } from "./sha256.ts";

/** A public key that node:crypto has parsed. */
export type PublicKeyObject = KeyObject;

/** Parses SPKI DER; undefined for what is no public key, off its curve, or a private one. */
export function parsePublicKey(spki: Uint8Array): PublicKeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** Names a public key: base64url of the SHA-256 of its SPKI, for whoever has it. */
export function publicKeyId(spki: Uint8Array): string {
  return sha256(spki).toString("base64url");
}

export function toPem(publicKey: PublicKeyObject): string {
  return publicKey.export({ format: "pem", type: "spki" }).toString();
}

/** A JWK (RFC 7517) without `kid`, `alg` and `use`; undefined where node:crypto writes none of the kind. */
export function toJwk(publicKey: PublicKeyObject): Readonly<Record<string, unknown>> | undefined {
  try {
    return { ...publicKey.export({ format: "jwk" }) };
  } catch {
    return undefined;
  }
}

/** What a public key is of: the name of its curve where it has one, as OpenSSL writes it, else its type. */
export function kindOfKey(publicKey: PublicKeyObject): string {
  return publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType ?? "unknown";
}

const AGREEMENT_KINDS: Partial<Readonly<Record<AlgorithmName, string>>> = {
  "ECDH-P256": "prime256v1",
  "ECDH-P384": "secp384r1",
  "ECDH-P521": "secp521r1",
  X25519: "x25519",
};

/** What a peer's key must be of, in the words of {@link kindOfKey}; undefined for algorithms without peers. */
export function peerKind(algorithm: AlgorithmName): string | undefined {
  return AGREEMENT_KINDS[algorithm];
}

/** A fresh secret and its ciphertext under an ML-KEM key (FIPS 203); the caller owns both. */
export function encapsulateTo(publicKey: PublicKeyObject): {
  readonly ciphertext: Buffer;
  readonly sharedSecret: Buffer;
} {
  const { ciphertext, sharedKey } = encapsulate(publicKey);
  return { ciphertext: Buffer.from(ciphertext), sharedSecret: Buffer.from(sharedKey) };
}

/** The digest of a message by a hash of node:crypto's name. */
export function digestOf(hashName: string, message: Uint8Array): Buffer {
  return hash(hashName, message, "buffer");
}
