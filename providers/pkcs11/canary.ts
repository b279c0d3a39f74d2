import { timingSafeEqual } from "node:crypto";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyWrapper, Provider, WrapContext } from "#core/provider.ts";
import { createUuid } from "#core/ids.ts";
import type { Sources } from "#core/clock.ts";
import { idOfMarker } from "./label.ts";
import { newKey } from "./new-key.ts";
import { specOf } from "./specs.ts";
import { ask, CANARY_MARKER, type Tools } from "./tools.ts";

/** Finds which token it is, and proves that it wraps and unwraps. */
export function pkcs11Canary(
  tools: Tools,
  { wrapper, sources }: { readonly wrapper: KeyWrapper; readonly sources: Sources },
): Pick<Provider, "identify" | "probe"> {
  const { facts, capabilities } = tools;
  return {
    identify: async (call: CallContext) => {
      const algorithm = capabilities.recipientAlgorithm;
      const spec = specOf(algorithm, facts.kwp);
      if (spec === undefined) throw new ProviderError({ failure: "INTERNAL", detail: "the token has no recipients" });
      await ask(tools, call, "create", newKey({ algorithm, marker: CANARY_MARKER, spec, now: tools.now() }));
      return { uid: `pkcs11:${facts.manufacturer}:${facts.model}:${facts.serial}`, canary: idOfMarker(CANARY_MARKER) };
    },
    probe: async (ref, call) => {
      const payload = sources.random.bytes(32);
      const id = createUuid(sources);
      const context: WrapContext = { branch: id, branchVersion: 1, recipient: id, digest: sources.random.bytes(32) };
      const wrapped = await wrapper.wrap({ ref, payload, context }, call);
      const { value } = await wrapper.unwrap({ ref, wrap: wrapped.value, context }, call);
      if (value.length !== payload.length || !timingSafeEqual(value, payload))
        throw new ProviderError({ failure: "OUTAGE", detail: "the canary key did not open its own wrap" });
    },
  };
}
