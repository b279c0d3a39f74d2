import type { Random } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyWrapper } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import type { Uuid } from "#core/ids.ts";
import { createKey } from "./create-key.ts";
import type { KeyTools } from "./tools.ts";
import { CANARY_MARKER } from "./refs.ts";

/** Finds the canary of the vault, and makes it where there is none. */
export async function identify(
  tools: KeyTools & { readonly kind: string },
  call: CallContext,
): Promise<{ readonly uid: string; readonly canary: NativeRef }> {
  const spec = {
    algorithm: tools.capabilities.recipientAlgorithm,
    marker: CANARY_MARKER,
    description: "Tells Claviger whether this vault answers. Protects nothing.",
  };
  const { ref } = await createKey(tools, spec, call);
  // As long as the canary is the same key, so are the others; a vault that was made anew has the same name and another canary.
  return { uid: `${tools.kind}:${ref}`, canary: ref };
}

/** Wraps random bytes with the canary and unwraps them: other bytes are as bad as no answer. */
export async function probe(
  { wrapper, random }: { readonly wrapper: KeyWrapper; readonly random: Random },
  canary: NativeRef,
  call: CallContext,
): Promise<void> {
  const payload = random.bytes(32);
  const context = { branch: NOBODY, branchVersion: 0, recipient: NOBODY, digest: random.bytes(32) };
  const { value: wrap } = await wrapper.wrap({ ref: canary, payload, context }, call);
  const opened = await wrapper.unwrap({ ref: canary, wrap, context }, call);
  if (!opened.value.equals(payload)) {
    throw new ProviderError({ failure: "OUTAGE", detail: "the canary opened to other bytes" });
  }
}

/** The nil UUID (RFC 9562 § 5.9). */
const NOBODY = "00000000-0000-0000-0000-000000000000" as Uuid;
