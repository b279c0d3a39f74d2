import { createPublicKey } from "node:crypto";
import type { AlgorithmName } from "#core/algorithms.ts";
import { ProviderError } from "#core/failures.ts";
import type { KeyAgreement } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import type { KeySpec, KmsClient } from "./client.ts";
import { isOneSequence } from "./der.ts";
import { takeBytes } from "./own-bytes.ts";
import { requestIdOf } from "./present.ts";
import { nativeOf, shapeOf } from "./specs.ts";

/** DeriveSharedSecret: ECC CDH, the x-coordinate (SP 800-56A § 5.7.1.2). */
export function createKeyAgreement(client: KmsClient): KeyAgreement {
  return {
    async agree({ ref, algorithm, peerPublicKey }, call) {
      requireCapability("agree", algorithm); // what is too long is no key of the curve either
      const KeyAgreementAlgorithm = nativeOf(algorithm, "KEY_AGREEMENT");
      const PublicKey = plainPeerKey(algorithm, peerPublicKey);
      const answer = await client.deriveSharedSecret({ KeyId: ref, KeyAgreementAlgorithm, PublicKey }, call);
      return {
        value: takeBytes(answer.SharedSecret, { field: "SharedSecret", answer }),
        requestId: requestIdOf(answer),
      };
    },
  };
}

/**
 * The peer's key as SPKI DER with its curve named and its point uncompressed. Checked here, because the service tells a wrong
 * key as ValidationException, like any other mistake of ours.
 */
function plainPeerKey(algorithm: AlgorithmName, spki: Uint8Array): Buffer {
  try {
    if (!isOneSequence(spki)) throw notOfTheCurve();
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    const { namedCurve } = key.asymmetricKeyDetails ?? {};
    if (namedCurve === undefined || namedCurve !== CURVES[shapeOf(algorithm).keySpec]) throw notOfTheCurve();
    const plain = createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" });
    return plain.export({ format: "der", type: "spki" });
  } catch {
    throw notOfTheCurve();
  }
}

const CURVES: Partial<Readonly<Record<KeySpec, string>>> = {
  ECC_NIST_P256: "prime256v1",
  ECC_NIST_P384: "secp384r1",
  ECC_NIST_P521: "secp521r1",
};

function notOfTheCurve(): ProviderError {
  return new ProviderError({ failure: "INVALID", detail: "the peer's key is none of the curve" });
}
