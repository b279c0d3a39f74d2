import { hash } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Answer, CallContext, Capabilities, Signable, Signer } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { type Ability, useKey } from "./ability.ts";
import { requireCapability } from "./capabilities.ts";
import { derOfRaw, rawOfDer } from "./ecdsa-form.ts";
import { refused } from "./errors.ts";
import { present, presentBytes } from "./present.ts";
import { digestBytes, hashOf, modulusBytes, shapeOf } from "./specs.ts";

/**
 * Signs and verifies in the service, which takes digests only: messages are hashed here. ECDSA is r || s there and DER here; the salt of
 * PSS is as long as the digest (RFC 7518 § 3.5).
 */
export function createSigner(ability: Ability): Signer {
  const { data, capabilities } = ability;
  return {
    async sign({ ref, algorithm, signable }, call) {
      const digest = digestOf(capabilities, { operation: "sign", algorithm, signable });
      const native = signatureName(algorithm);
      const run = async (key: Parameters<typeof data.sign>[0]) => await data.sign(key, native, digest, call);
      const { value, requestId } = await useKey(ability, ref, call, run);
      const told = presentBytes(value, "a signature");
      const isEc = shapeOf(algorithm).family === "EC";
      return {
        value: isEc ? present(derOfRaw(told, native), "a signature of the curve") : Buffer.from(told),
        requestId,
      };
    },
    async verify({ ref, algorithm, signable, signature }, call) {
      const digest = digestOf(capabilities, { operation: "verify", algorithm, signable });
      const native = signatureName(algorithm);
      const raw = rawSignature(algorithm, signature);
      if (raw === undefined) return await misfit(ability, ref, call);
      const run = async (key: Parameters<typeof data.verify>[0]) =>
        await data.verify(key, { algorithm: native, digest, signature: raw }, call);
      return await useKey(ability, ref, call, run);
    },
  };
}

type Asked = {
  readonly operation: "sign" | "verify";
  readonly algorithm: AlgorithmName;
  readonly signable: Signable;
};

function digestOf(capabilities: Capabilities, { operation, algorithm, signable: { kind, bytes } }: Asked): Uint8Array {
  requireCapability(capabilities, operation, algorithm, bytes.length);
  if (kind === "message") return hash(hashOf(algorithm), bytes, "buffer");
  if (bytes.length !== digestBytes(algorithm)) throw refused(`unsupported: ${operation} of a digest of another hash`);
  return bytes;
}

function signatureName(algorithm: AlgorithmName): string {
  const shape = shapeOf(algorithm);
  if (shape.use !== "signer") throw refused(`unsupported: a signature with ${algorithm}`);
  return shape.native;
}

/** The signature as the service wants it; undefined for a form that fits nothing. */
function rawSignature(algorithm: AlgorithmName, signature: Uint8Array): Uint8Array | undefined {
  const modulus = modulusBytes(algorithm);
  if (modulus !== undefined) return signature.length === modulus ? signature : undefined;
  return rawOfDer(signature, signatureName(algorithm));
}

/** What cannot be sent fits no key that there is; what the service says of the key still comes first. */
async function misfit(ability: Ability, ref: NativeRef, call: CallContext): Promise<Answer<boolean>> {
  const { requestId } = await useKey(ability, ref, call, async (key) => await ability.data.getKey(key, call));
  return { value: false, requestId };
}
