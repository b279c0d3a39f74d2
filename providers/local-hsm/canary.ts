import { timingSafeEqual } from "node:crypto";
import type { Sources } from "#core/clock.ts";
import { createUuid } from "#core/ids.ts";
import type { KeyWrapper, Provider, WrapContext } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { RECIPIENT_ALGORITHM } from "./capabilities.ts";
import { LocalHsmError } from "./errors.ts";
import { CANARY_MARKER, createKey } from "./keys.ts";
import type { ObjectStore } from "./objects.ts";
import type { Session } from "./session.ts";

const DESCRIPTION = "Claviger: tells whether this software HSM works";

export type CanaryParts = {
  readonly session: Session;
  readonly store: ObjectStore;
  readonly sources: Sources;
  readonly wrapper: KeyWrapper;
};

/** Finds who the folder is, and proves that it wraps and unwraps. */
export function localCanary({ session, store, sources, wrapper }: CanaryParts): Pick<Provider, "identify" | "probe"> {
  return {
    identify: async (call) =>
      await underSignal(call, async () => {
        const spec = { algorithm: RECIPIENT_ALGORITHM, marker: CANARY_MARKER, description: DESCRIPTION } as const;
        const { id } = await createKey(store, spec, sources.random);
        return { uid: `local-hsm:${session.uuid}`, canary: id };
      }),
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
