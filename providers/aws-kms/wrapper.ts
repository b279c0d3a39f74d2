import type { KeyWrapper, WrapContext } from "#core/provider.ts";
import { openBlob, sealBlob } from "./blob.ts";
import { AWS_KMS_CAPABILITIES, requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { nativeOf } from "./specs.ts";

const { recipientAlgorithm } = AWS_KMS_CAPABILITIES;
const native = nativeOf(recipientAlgorithm, "ENCRYPT_DECRYPT");

/** Wraps of branch keys: Encrypt under the recipient, bound to branch, version and recipient (keys.md, Wrap payload). */
export function createWrapper(client: KmsClient): KeyWrapper {
  return {
    async wrap({ ref, payload, context }, call) {
      requireCapability("wrap", recipientAlgorithm, payload.length);
      return await sealBlob(client, { ref, native, plaintext: payload, context: encryptionContext(context) }, call);
    },
    async unwrap({ ref, wrap, context }, call) {
      return await openBlob(client, { ref, native, blob: wrap, context: encryptionContext(context) }, call);
    },
  };
}

function encryptionContext({ branch, branchVersion, recipient }: WrapContext): Record<string, string> {
  return {
    "claviger:branch": branch,
    "claviger:version": String(branchVersion),
    "claviger:recipient": recipient,
  };
}
