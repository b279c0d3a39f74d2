import type { Random } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { open, seal } from "./cipher.ts";
import type { KmsClient } from "./client.ts";
import { faultOf } from "./errors.ts";
import { createVersion, type Place, type Planes } from "./keys.ts";
import { CANARY_MARKER } from "./names.ts";

/** Finds the canary of the key ring, and makes it where there is none. A key ring is never deleted, nor its name given again. */
export async function identify(
  planes: Planes,
  place: Place,
  call: CallContext,
): Promise<{ readonly uid: string; readonly canary: NativeRef }> {
  try {
    const { ref } = await createVersion(planes, place, { algorithm: "AES-256-OPAQUE", marker: CANARY_MARKER }, call);
    return { uid: `gcp-kms:${place.keyRing}`, canary: ref };
  } catch (error) {
    const fault = faultOf(error);
    if (fault.failure !== "NOT_FOUND") throw error;
    const [, project, , location, , ring] = place.keyRing.split("/");
    const detail = `there is no key ring ${place.keyRing}: gcloud kms keyrings create ${ring} --location ${location} --project ${project}`;
    throw new ProviderError({ ...fault, detail }, error);
  }
}

/** Encrypts random bytes with the canary and decrypts them: other bytes are as bad as no answer. */
export async function probe(
  { data, random }: { readonly data: KmsClient; readonly random: Random },
  canary: NativeRef,
  call: CallContext,
): Promise<void> {
  const plaintext = random.bytes(32);
  const none = Buffer.alloc(0);
  const sealed = await seal(data, { ref: canary, plaintext, data: none }, call);
  const opened = await open(data, { ref: canary, ciphertext: sealed.value, data: none }, call);
  if (opened.value.equals(plaintext)) return;
  throw new ProviderError({ failure: "OUTAGE", detail: "the canary opened to other bytes" });
}
