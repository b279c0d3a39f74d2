import { createHmac, timingSafeEqual } from "node:crypto";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { CallContext, MacSigner, ProviderOperation } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability } from "./capabilities.ts";
import { unsupported } from "./errors.ts";
import { objectIdOfRef } from "./names.ts";
import type { ObjectStore } from "./objects.ts";
import { requireUsable } from "./states.ts";

type MacInput = { readonly ref: string; readonly algorithm: AlgorithmName; readonly message: Uint8Array };

/** HMAC (RFC 2104) over whole messages; never truncated. */
export function localMac(store: ObjectStore): MacSigner {
  const compute = async (operation: ProviderOperation, { ref, algorithm, message }: MacInput): Promise<Buffer> => {
    requireCapability(operation, algorithm, message.length);
    const { hash } = algorithmTraits(algorithm);
    if (hash === undefined) throw unsupported(`${operation} with ${algorithm}`);
    return await store.use(objectIdOfRef(ref), ({ meta, material }) => {
      requireUsable(meta, algorithm);
      return createHmac(hash, material).update(message).digest();
    });
  };
  return {
    mac: async (input, call: CallContext) =>
      await underSignal(call, async () => ({ value: await compute("mac", input), requestId: null })),
    verifyMac: async ({ mac, ...input }, call: CallContext) =>
      await underSignal(call, async () => {
        const expected = await compute("verify-mac", input);
        return { value: mac.length === expected.length && timingSafeEqual(mac, expected), requestId: null };
      }),
  };
}
