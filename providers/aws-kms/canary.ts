import type { Random, Scheduler } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { openBlob, sealBlob } from "./blob.ts";
import { AWS_KMS_CAPABILITIES } from "./capabilities.ts";
import type { KmsClient } from "./client.ts";
import { createKey, type Planes } from "./create-key.ts";
import { CANARY_MARKER, uidOf } from "./names.ts";
import { nativeOf } from "./specs.ts";

/** Finds the canary of the account and Region, and makes it where there is none. */
export async function identify(
  tools: Planes & { readonly scheduler: Scheduler },
  call: CallContext,
): Promise<{ readonly uid: string; readonly canary: NativeRef }> {
  const spec = {
    algorithm: AWS_KMS_CAPABILITIES.recipientAlgorithm,
    marker: CANARY_MARKER,
    description: "Tells Claviger whether this account answers. Protects nothing.",
  };
  const { ref } = await createKey({ ...tools, multiRegion: false }, spec, call);
  return { uid: uidOf(ref), canary: ref };
}

/** Encrypts random bytes with the canary and decrypts them: other bytes are as bad as no answer. */
export async function probe(
  { data, random }: { readonly data: KmsClient; readonly random: Random },
  canary: NativeRef,
  call: CallContext,
): Promise<void> {
  const plaintext = random.bytes(32);
  const native = nativeOf(AWS_KMS_CAPABILITIES.recipientAlgorithm, "ENCRYPT_DECRYPT");
  const key = { ref: canary, native, context: { "claviger:purpose": "canary" } };
  const sealed = await sealBlob(data, { ...key, plaintext }, call);
  const opened = await openBlob(data, { ...key, blob: sealed.value }, call);
  if (!opened.value.equals(plaintext)) {
    throw new ProviderError({ failure: "OUTAGE", detail: "the canary opened to other bytes" });
  }
}
