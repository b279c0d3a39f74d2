import type { PublicKeys } from "#core/provider.ts";
import type { KmsClient } from "./client.ts";
import { presentBytes, requestIdOf } from "./present.ts";

/** GetPublicKey: SPKI DER on the wire too. The service refuses it for a key that is not enabled. */
export function createPublicKeys(client: KmsClient): PublicKeys {
  return {
    async publicKey(ref, call) {
      const answer = await client.getPublicKey({ KeyId: ref }, call);
      const spki = presentBytes(answer.PublicKey, { field: "PublicKey", answer });
      return { value: Buffer.from(spki), requestId: requestIdOf(answer) };
    },
  };
}
