import { timingSafeEqual } from "node:crypto";
import type { Sources } from "#core/clock.ts";
import { createUuid } from "#core/ids.ts";
import type { Provider, WrapContext } from "#core/provider.ts";
import { RECIPIENT_ALGORITHM } from "./capabilities.ts";
import { LocalHsmError } from "./errors.ts";
import type { Session } from "./session.ts";

const MARKER = "claviger-canary";
const DESCRIPTION = "Claviger: tells whether this software HSM works";

export type CanaryParts = { readonly session: Session; readonly sources: Sources } & Pick<Provider, "keys" | "wrapper">;

/** Finds who the folder is, and proves that it wraps and unwraps. */
export function localCanary({ session, sources, keys, wrapper }: CanaryParts): Pick<Provider, "identify" | "probe"> {
  return {
    identify: async (call) => {
      const spec = { algorithm: RECIPIENT_ALGORITHM, marker: MARKER, description: DESCRIPTION } as const;
      const { ref } = await keys.create(spec, call);
      return { uid: `local-hsm:${session.uuid}`, canary: ref };
    },
    probe: async (ref, call) => {
      const payload = sources.random.bytes(32);
      const id = createUuid(sources);
      const context: WrapContext = { branch: id, branchVersion: 1, recipient: id, digest: sources.random.bytes(32) };
      const wrapped = await wrapper.wrap({ ref, payload, context }, call);
      const opened = await wrapper.unwrap({ ref, wrap: wrapped.value, context }, call);
      if (opened.value.length !== payload.length || !timingSafeEqual(opened.value, payload)) {
        throw new LocalHsmError("StoreUnavailable", "the canary key did not open its own wrap");
      }
    },
  };
}
