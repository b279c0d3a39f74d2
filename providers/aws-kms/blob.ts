import { ProviderError } from "#core/failures.ts";
import type { Answer, CallContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { MAX_CIPHERTEXT_BYTES } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { presentBytes, requestIdOf } from "./present.ts";

/** A map of strings as the service binds it; undefined for none. */
type EncryptionContext = Readonly<Record<string, string>> | undefined;

/** Encrypts under a symmetric key: one Encrypt. */
export async function sealBlob(
  client: KmsClient,
  { ref, plaintext, context }: { ref: NativeRef; plaintext: Uint8Array; context: EncryptionContext },
  call: CallContext,
): Promise<Answer<Buffer>> {
  const answer = await client.encrypt({ KeyId: ref, Plaintext: plaintext, EncryptionContext: context }, call);
  return {
    value: Buffer.from(presentBytes(answer.CiphertextBlob, { field: "CiphertextBlob", answer })),
    requestId: requestIdOf(answer),
  };
}

/**
 * Opens what {@link sealBlob} made: one Decrypt. The key is always named: without it the service would take whichever key the
 * blob names, and tells the states of keys as AccessDeniedException.
 */
export async function openBlob(
  client: KmsClient,
  { ref, blob, context }: { ref: NativeRef; blob: Uint8Array; context: EncryptionContext },
  call: CallContext,
): Promise<Answer<Buffer>> {
  if (blob.length === 0 || blob.length > MAX_CIPHERTEXT_BYTES) throw doesNotOpen();
  const answer = await client.decrypt({ KeyId: ref, CiphertextBlob: blob, EncryptionContext: context }, call);
  const plaintext = presentBytes(answer.Plaintext, { field: "Plaintext", answer });
  const value = Buffer.alloc(plaintext.length);
  value.set(plaintext);
  plaintext.fill(0); // the SDK's copy, which may lie in Node's pool
  return { value, requestId: requestIdOf(answer) };
}

/** No blob of the service's has this length: what it calls malformed is a verdict on the caller's bytes. */
function doesNotOpen(): ProviderError {
  return new ProviderError({ failure: "INVALID", detail: "the ciphertext does not open" });
}
