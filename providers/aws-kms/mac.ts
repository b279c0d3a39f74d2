import type { MacSigner } from "#core/provider.ts";
import type { AlgorithmName } from "#core/algorithms.ts";
import { requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { presentBytes, requestIdOf } from "./present.ts";
import { nativeOf } from "./specs.ts";
import { verdictOf } from "./verdict.ts";

/** GenerateMac and VerifyMac: HMAC (RFC 2104), whole. */
export function createMacSigner(client: KmsClient): MacSigner {
  return {
    async mac({ ref, algorithm, message }, call) {
      const answer = await client.generateMac({ KeyId: ref, ...macInput("mac", algorithm, message) }, call);
      const mac = presentBytes(answer.Mac, { field: "Mac", answer });
      return { value: Buffer.from(mac), requestId: requestIdOf(answer) };
    },
    async verifyMac({ ref, algorithm, message, mac }, call) {
      const input = macInput("verify-mac", algorithm, message);
      return await verdictOf({
        proof: mac,
        misfit: "KMSInvalidMacException",
        run: async () => await client.verifyMac({ KeyId: ref, ...input, Mac: mac }, call),
        valid: ({ MacValid }) => MacValid,
      });
    },
  };
}

function macInput(operation: "mac" | "verify-mac", algorithm: AlgorithmName, message: Uint8Array) {
  requireCapability(operation, algorithm, message.length);
  return { Message: message, MacAlgorithm: nativeOf(algorithm, "GENERATE_VERIFY_MAC") };
}
