import type { KeyWrapper } from "#core/provider.ts";
import type { Require } from "./capabilities.ts";
import { open, seal } from "./cipher.ts";
import type { KmsClient } from "./client.ts";

/** Wraps of branch keys: Encrypt under the recipient, with SHA-256 of the wrap context as additional data (keys.md, Wrap payload). */
export function createWrapper(client: KmsClient, requireRow: Require): KeyWrapper {
  return {
    async wrap({ ref, payload, context }, call) {
      requireRow("wrap", "AES-256-OPAQUE", payload.length);
      return await seal(client, { ref, plaintext: payload, data: context.digest }, call);
    },
    async unwrap({ ref, wrap, context }, call) {
      return await open(client, { ref, ciphertext: wrap, data: context.digest }, call);
    },
  };
}
