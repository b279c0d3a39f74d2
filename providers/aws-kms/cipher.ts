import type { Context } from "#core/context.ts";
import type { Cipher } from "#core/provider.ts";
import { openBlob, sealBlob } from "./blob.ts";
import { requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";

/** Encrypt and Decrypt with the account's own keys. The caller's context is the EncryptionContext, nothing added. */
export function createCipher(client: KmsClient): Cipher {
  return {
    async encrypt({ ref, algorithm, plaintext, context }, call) {
      requireCapability("encrypt", algorithm, plaintext.length);
      if (plaintext.length === 0) throw refused("unsupported: encrypt of nothing");
      return await sealBlob(client, { ref, plaintext, context: encryptionContext(context) }, call);
    },
    async decrypt({ ref, algorithm, ciphertext, context }, call) {
      requireCapability("decrypt", algorithm, 0); // the length is the caller's, and so the verdict on it
      return await openBlob(client, { ref, blob: ciphertext, context: encryptionContext(context) }, call);
    },
  };
}

function encryptionContext(context: Context): Record<string, string> | undefined {
  if (context.kind === "bytes") throw refused("unsupported: a context of bytes");
  // Not assignment: that drops the key __proto__.
  return context.kind === "map" ? Object.fromEntries(context.pairs) : undefined;
}
