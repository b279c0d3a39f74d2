import { createPrivateKey, type JsonWebKey as NodeJwk, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { JsonWebKey } from "./client.ts";
import { isOneSequence } from "./der.ts";
import { keyOpsOf, shapeOf } from "./specs.ts";

/** node:crypto's names of the curves. */
const CURVES: Readonly<Record<string, string>> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
  "P-256K": "secp256k1",
};

/**
 * A private key (PKCS#8 DER) as the JWK that ImportKey takes. The buffers in it are the caller's to zero.
 *
 * @throws {ProviderError} `INVALID` for bytes that are no key of the algorithm.
 */
export function jwkOfMaterial(algorithm: AlgorithmName, material: Uint8Array): JsonWebKey {
  const key = readPrivateKey(material);
  if (key === undefined || !fits(algorithm, key)) {
    throw new ProviderError({ failure: "INVALID", detail: "the material is no key of the algorithm" });
  }
  const shape = shapeOf(algorithm);
  const jwk = key.export({ format: "jwk" });
  const of = { kty: shape.family, keyOps: [...keyOpsOf(algorithm)] };
  return shape.family === "EC" ? { ...of, crv: shape.curve, ...bytesOf(jwk, EC) } : { ...of, ...bytesOf(jwk, RSA) };
}

/** Zeroes the secret parts of a JWK that was sent. */
export function wipeJwk(jwk: JsonWebKey): void {
  for (const secret of [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi]) secret?.fill(0);
}

const RSA = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;
const EC = ["x", "y", "d"] as const;

function bytesOf(jwk: NodeJwk, members: readonly (typeof RSA | typeof EC)[number][]): Partial<JsonWebKey> {
  return Object.fromEntries(members.map((name) => [name, Buffer.from(jwk[name] ?? "", "base64url")]));
}

function fits(algorithm: AlgorithmName, { asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  const shape = shapeOf(algorithm);
  const { modulusLength, namedCurve } = asymmetricKeyDetails;
  if (shape.family === "RSA") return asymmetricKeyType === "rsa" && modulusLength === shape.bits;
  return shape.family === "EC" && asymmetricKeyType === "ec" && namedCurve === CURVES[shape.curve];
}

function readPrivateKey(material: Uint8Array): KeyObject | undefined {
  if (!isOneSequence(material)) return undefined;
  const { buffer, byteOffset, length } = material;
  try {
    return createPrivateKey({ key: Buffer.from(buffer, byteOffset, length), format: "der", type: "pkcs8" });
  } catch {
    return undefined; // whatever OpenSSL does not read is no key
  }
}
