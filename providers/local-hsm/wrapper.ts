import type { KeyWrapper } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { RECIPIENT_ALGORITHM, requireCapability } from "./capabilities.ts";
import { unsupported } from "./errors.ts";
import { unwrapUnder, wrapUnder, type WrapKey } from "./kwp.ts";
import { objectIdOfRef } from "./names.ts";
import type { OpenObject } from "./object-file.ts";
import type { ObjectStore } from "./objects.ts";
import { requireUsable } from "./states.ts";

/** Wraps branch keys with AES-256-KWP. Of the context, the digest is bound. */
export function localWrapper(store: ObjectStore): KeyWrapper {
  return {
    wrap: async ({ ref, payload, context }, call) =>
      await underSignal(call, async () => {
        requireCapability("wrap", RECIPIENT_ALGORITHM, payload.length);
        if (payload.length === 0) throw unsupported("wrap of nothing");
        const id = objectIdOfRef(ref);
        const value = await store.use(id, (object) => wrapUnder(wrapKeyOf(object, context.digest), payload));
        return { value, requestId: null };
      }),
    unwrap: async ({ ref, wrap, context }, call) =>
      await underSignal(call, async () => {
        requireCapability("unwrap", RECIPIENT_ALGORITHM);
        const id = objectIdOfRef(ref);
        const value = await store.use(id, (object) => unwrapUnder(wrapKeyOf(object, context.digest), wrap));
        return { value, requestId: null };
      }),
  };
}

function wrapKeyOf({ meta, material }: OpenObject, digest: Uint8Array): WrapKey {
  requireUsable(meta, RECIPIENT_ALGORITHM);
  if (digest.length !== 32) throw unsupported("a wrap context whose digest is not 32 bytes");
  return { key: material, objectId: meta.id, additionalData: digest };
}
