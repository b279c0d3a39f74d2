import type { KeyEncapsulation } from "#core/provider.ts";
import { doesNotOpen } from "./blob.ts";
import { requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { takeBytes } from "./own-bytes.ts";
import { presentBytes, requestIdOf } from "./present.ts";
import { nativeOf } from "./specs.ts";

/** Encapsulate and Decapsulate: ML-KEM (FIPS 203). */
export function createKeyEncapsulation(client: KmsClient): Required<KeyEncapsulation> {
  return {
    async encapsulate({ ref, algorithm }, call) {
      requireCapability("encapsulate", algorithm);
      const EncapsulationAlgorithm = nativeOf(algorithm, "ENCAPSULATE_DECAPSULATE");
      const answer = await client.encapsulate({ KeyId: ref, EncapsulationAlgorithm }, call);
      const { SharedSecret, SharedSecretCiphertextBlob: blob } = answer;
      const ciphertext = Buffer.from(presentBytes(blob, { field: "SharedSecretCiphertextBlob", answer }));
      const sharedSecret = takeBytes(SharedSecret, { field: "SharedSecret", answer });
      return { value: { ciphertext, sharedSecret }, requestId: requestIdOf(answer) };
    },
    async decapsulate({ ref, algorithm, ciphertext }, call) {
      const { maxInputBytes } = requireCapability("decapsulate", algorithm);
      if (ciphertext.length !== maxInputBytes) throw doesNotOpen();
      const EncapsulationAlgorithm = nativeOf(algorithm, "ENCAPSULATE_DECAPSULATE");
      const input = { KeyId: ref, EncapsulationAlgorithm, SharedSecretCiphertextBlob: ciphertext };
      const answer = await client.decapsulate(input, call);
      return {
        value: takeBytes(answer.SharedSecret, { field: "SharedSecret", answer }),
        requestId: requestIdOf(answer),
      };
    },
  };
}
