import type { AlgorithmName } from "#core/algorithms.ts";
import type { Signable, Signer } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { presentBytes, requestIdOf } from "./present.ts";
import { digestBytes, nativeOf } from "./specs.ts";
import { verdictOf } from "./verdict.ts";

/** Sign and Verify: RSA, ECDSA (DER on the wire too), Ed25519 and ML-DSA. */
export function createSigner(client: KmsClient): Signer {
  return {
    async sign({ ref, algorithm, signable }, call) {
      const input = signingInput("sign", algorithm, signable);
      const answer = await client.sign({ KeyId: ref, ...input }, call);
      const signature = presentBytes(answer.Signature, { field: "Signature", answer });
      return { value: Buffer.from(signature), requestId: requestIdOf(answer) };
    },
    async verify({ ref, algorithm, signable, signature }, call) {
      const input = signingInput("verify", algorithm, signable);
      return await verdictOf({
        proof: signature,
        misfit: "KMSInvalidSignatureException",
        run: async () => await client.verify({ KeyId: ref, ...input, Signature: signature }, call),
        valid: ({ SignatureValid }) => SignatureValid,
      });
    },
  };
}

function signingInput(operation: "sign" | "verify", algorithm: AlgorithmName, { kind, bytes }: Signable) {
  const row = requireCapability(operation, algorithm, bytes.length);
  if (kind === "digest") {
    if (row.digests !== true) throw refused(`unsupported: ${operation} of a digest with ${algorithm}`);
    if (bytes.length !== digestBytes(algorithm)) throw refused(`unsupported: ${operation} of a digest of another hash`);
  }
  const MessageType = kind === "digest" ? "DIGEST" : "RAW";
  return { Message: bytes, MessageType, SigningAlgorithm: nativeOf(algorithm, "SIGN_VERIFY") } as const;
}
