import { ProviderError } from "#core/failures.ts";
import type { Answer, CallContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { MAX_CIPHERTEXT_BYTES } from "./capabilities.ts";
import type { EncryptionAlgorithmSpec, KmsClient } from "./client.ts";
import { takeBytes } from "./own-bytes.ts";
import { presentBytes, requestIdOf } from "./present.ts";

/** What a blob is made with: the service's name of the algorithm, and a map of strings as it binds it, undefined for none. */
type Sealing = {
  readonly ref: NativeRef;
  readonly native: EncryptionAlgorithmSpec;
  readonly context: Readonly<Record<string, string>> | undefined;
};

/** Encrypts: one Encrypt. */
export async function sealBlob(
  client: KmsClient,
  { ref, native, plaintext, context }: Sealing & { readonly plaintext: Uint8Array },
  call: CallContext,
): Promise<Answer<Buffer>> {
  const input = { KeyId: ref, EncryptionAlgorithm: native, Plaintext: plaintext, EncryptionContext: context };
  const answer = await client.encrypt(input, call);
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
  { ref, native, blob, context }: Sealing & { readonly blob: Uint8Array },
  call: CallContext,
): Promise<Answer<Buffer>> {
  if (blob.length === 0 || blob.length > MAX_CIPHERTEXT_BYTES) throw doesNotOpen();
  const input = { KeyId: ref, EncryptionAlgorithm: native, CiphertextBlob: blob, EncryptionContext: context };
  const answer = await client.decrypt(input, call);
  return { value: takeBytes(answer.Plaintext, { field: "Plaintext", answer }), requestId: requestIdOf(answer) };
}

/** For a length that no blob of the service's has: what it calls malformed is a verdict on the caller's bytes. */
export function doesNotOpen(): ProviderError {
  return new ProviderError({ failure: "INVALID", detail: "the ciphertext does not open" });
}
