import { createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { KeyAgreement } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { isOneSequence } from "./der.ts";
import { invalidKey } from "./errors.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { ownBytes } from "./own-bytes.ts";
import { hasShape } from "./private-key.ts";
import { shapeOf } from "./shapes.ts";
import { requireUsable } from "./states.ts";

/** ECC CDH (SP 800-56A § 5.7.1.2) and X25519 (RFC 7748 § 6.1): the bare secret, from which nothing is derived here. */
export function localAgreement(store: ObjectStore, pairs: KeyPairs): KeyAgreement {
  return {
    agree: async ({ ref, algorithm, peerPublicKey }, call) =>
      await underSignal(call, async () => {
        const { maxInputBytes } = requireCapability("agree", algorithm);
        const value = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          if (peerPublicKey.length > maxInputBytes) throw invalidKey(algorithm);
          return secretWith(peerPublicKey, pairs.of(object).privateKey, algorithm);
        });
        return { value, requestId: null };
      }),
  };
}

function secretWith(peer: Uint8Array, privateKey: KeyObject, algorithm: AlgorithmName): Buffer {
  const shape = shapeOf(algorithm);
  try {
    if (shape === undefined || !isOneSequence(peer)) throw invalidKey(algorithm);
    const publicKey = createPublicKey({ key: Buffer.from(peer), format: "der", type: "spki" });
    if (!hasShape(publicKey, shape)) throw invalidKey(algorithm);
    return ownBytes(diffieHellman({ privateKey, publicKey })); // refuses points of low order (RFC 7748 § 6.1)
  } catch {
    throw invalidKey(algorithm);
  }
}
