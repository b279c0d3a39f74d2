import type { KeyEncapsulation } from "#core/provider.ts";
import type { Require } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { ProviderError } from "#core/failures.ts";
import { keyOfRef } from "./names.ts";
import { checkedBytes, requireVerified, sum } from "./present.ts";

/** Decapsulate. Whoever has the public key encapsulates. */
export function createKeyEncapsulation(client: KmsClient, requireRow: Require): KeyEncapsulation {
  return {
    async decapsulate({ ref, algorithm, ciphertext }, call) {
      const { maxInputBytes } = requireRow("decapsulate", algorithm);
      keyOfRef(ref);
      if (ciphertext.length !== maxInputBytes) {
        await client.getVersion({ name: ref }, call);
        throw new ProviderError({ failure: "INVALID", detail: "the service refuses the bytes" });
      }
      const answer = await client.decapsulate({ name: ref, ciphertext, ciphertextCrc32c: sum(ciphertext) }, call);
      requireVerified(answer.verifiedCiphertextCrc32c, "the ciphertext");
      return { value: checkedBytes(answer.sharedSecret, answer.sharedSecretCrc32c, "shared_secret"), requestId: null };
    },
  };
}
