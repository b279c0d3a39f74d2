import type { AlgorithmName } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import type { CapabilityRow, Cipher } from "#core/provider.ts";
import { doesNotOpen, openBlob, sealBlob } from "./blob.ts";
import { requireCapability } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { refused } from "./errors.ts";
import { modulusBytes, nativeOf, shapeOf } from "./specs.ts";

/** Encrypt and Decrypt with the account's own keys. The caller's context is the EncryptionContext, nothing added; RSA binds none. */
export function createCipher(client: KmsClient): Cipher {
  return {
    async encrypt({ ref, algorithm, plaintext, context }, call) {
      const row = requireCapability("encrypt", algorithm, plaintext.length);
      const native = nativeOf(algorithm, "ENCRYPT_DECRYPT");
      return await sealBlob(client, { ref, native, plaintext, context: encryptionContext(context, row) }, call);
    },
    async decrypt({ ref, algorithm, ciphertext, context }, call) {
      const row = requireCapability("decrypt", algorithm); // the length is the caller's, and so the verdict on it
      const native = nativeOf(algorithm, "ENCRYPT_DECRYPT");
      const sealing = { ref, native, context: encryptionContext(context, row) };
      if (!hasLength(algorithm, ciphertext)) throw doesNotOpen();
      return await openBlob(client, { ...sealing, blob: ciphertext }, call);
    },
  };
}

function encryptionContext(context: Context, row: CapabilityRow): Record<string, string> | undefined {
  if (context.kind === "bytes") throw refused("unsupported: a context of bytes");
  if (context.kind === "none") return undefined;
  if (row.context === "map") return Object.fromEntries(context.pairs); // not assignment: that drops the key __proto__
  if (context.pairs.size > 0) throw refused(`unsupported: a context with ${row.algorithm}`);
  return undefined;
}

/** A ciphertext of RSA is as long as the modulus (RFC 8017 § 7.1.2); others have no one length. */
function hasLength(algorithm: AlgorithmName, ciphertext: Uint8Array): boolean {
  return ciphertext.length === (modulusBytes(shapeOf(algorithm).keySpec) ?? ciphertext.length);
}
