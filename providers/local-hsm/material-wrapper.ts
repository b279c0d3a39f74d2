import type { AlgorithmName } from "#core/algorithms.ts";
import type { MaterialWrapper, ProviderOperation } from "#core/provider.ts";
import { isWrapAlgorithm, unwrapBytes, type WrapAlgorithm, wrapBytes } from "./aes-wrap.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { invalidBytes, unsupported } from "./errors.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { requireUsable } from "./states.ts";

/** Wraps material of callers: bare RFC 3394 or RFC 5649 bytes. */
export function localMaterialWrapper(store: ObjectStore): MaterialWrapper {
  return {
    wrapMaterial: async ({ ref, algorithm, material }, call) =>
      await underSignal(call, async () => {
        requireCapability("wrap-material", algorithm, material.length);
        const wrap = wrapOf("wrap-material", algorithm);
        if (wrap === "AES-KW" && material.length % 8 !== 0) {
          throw unsupported(`wrap-material of ${material.length} bytes with AES-KW: no multiple of 8`);
        }
        const value = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          return wrapBytes(wrap, object.material, material);
        });
        return { value, requestId: null };
      }),
    unwrapMaterial: async ({ ref, algorithm, wrapped }, call) =>
      await underSignal(call, async () => {
        const { maxInputBytes } = requireCapability("unwrap-material", algorithm);
        const wrap = wrapOf("unwrap-material", algorithm);
        const value = await store.use(objectIdOfRef(ref), (object) => {
          requireUsable(object.meta, algorithm);
          if (wrapped.length > maxInputBytes) throw invalidBytes();
          return unwrapBytes(wrap, object.material, wrapped);
        });
        return { value, requestId: null };
      }),
  };
}

function wrapOf(operation: ProviderOperation, algorithm: AlgorithmName): WrapAlgorithm {
  if (!isWrapAlgorithm(algorithm)) throw unsupported(`${operation} with ${algorithm}`);
  return algorithm;
}
