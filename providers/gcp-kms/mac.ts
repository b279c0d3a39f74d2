import type { MacSigner } from "#core/provider.ts";
import type { Require } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { keyOfRef } from "./names.ts";
import { checkedBytes, requireVerified, sum } from "./present.ts";

/** MacSign and MacVerify. */
export function createMacSigner(client: KmsClient, requireRow: Require): MacSigner {
  return {
    async mac({ ref, algorithm, message }, call) {
      requireRow("mac", algorithm, message.length);
      keyOfRef(ref);
      const answer = await client.macSign({ name: ref, data: message, dataCrc32c: sum(message) }, call);
      requireVerified(answer.verifiedDataCrc32c, "the data");
      return { value: checkedBytes(answer.mac, answer.macCrc32c, "mac"), requestId: null };
    },
    async verifyMac({ ref, algorithm, message, mac }, call) {
      requireRow("verify-mac", algorithm, message.length);
      keyOfRef(ref);
      const answer = await client.macVerify(
        { name: ref, data: message, dataCrc32c: sum(message), mac, macCrc32c: sum(mac) },
        call,
      );
      requireVerified(answer.verifiedDataCrc32c, "the data");
      requireVerified(answer.verifiedMacCrc32c, "the mac");
      return { value: answer.success === true, requestId: null };
    },
  };
}
