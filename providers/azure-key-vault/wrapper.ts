import { timingSafeEqual } from "node:crypto";
import type { KeyWrapper } from "#core/provider.ts";
import { type Ability, useKey } from "./ability.ts";
import { CONTEXT_BYTES, requireCapability } from "./capabilities.ts";
import { doesNotOpen, refused } from "./errors.ts";
import { presentBytes, takeBytes } from "./present.ts";
import { shapeOf } from "./specs.ts";

/**
 * Wraps of branch keys: WrapKey under the recipient, by RSA-OAEP-256 in a vault and by A256KW in a Managed HSM. Neither binds
 * anything, so the digest of the wrap context goes in with the payload: digest 32 || payload.
 */
export function createWrapper(ability: Ability): KeyWrapper {
  const { data, capabilities } = ability;
  const { recipientAlgorithm } = capabilities;
  const isKeyWrap = shapeOf(recipientAlgorithm).family === "oct";
  const native = isKeyWrap ? "A256KW" : "RSA-OAEP-256";
  const { maxInputBytes } = requireCapability(capabilities, "unwrap", recipientAlgorithm);
  const fits = ({ length }: Uint8Array): boolean =>
    length > 0 && length <= maxInputBytes && (!isKeyWrap || (length % 8 === 0 && length >= CONTEXT_BYTES));
  return {
    async wrap({ ref, payload, context }, call) {
      requireCapability(capabilities, "wrap", recipientAlgorithm, payload.length);
      if (isKeyWrap && payload.length % 8 !== 0)
        throw refused("unsupported: wrap of a length that is no multiple of 8");
      const bound = boundPayload(context.digest, payload);
      try {
        const run = async (key: Parameters<typeof data.wrapKey>[0]) => await data.wrapKey(key, native, bound, call);
        const { value, requestId } = await useKey(ability, ref, call, run);
        return { value: Buffer.from(presentBytes(value, "a wrap")), requestId };
      } finally {
        bound.fill(0);
      }
    },
    async unwrap({ ref, wrap, context }, call) {
      if (!fits(wrap)) throw doesNotOpen();
      const run = async (key: Parameters<typeof data.unwrapKey>[0]) => await data.unwrapKey(key, native, wrap, call);
      const { value, requestId } = await useKey(ability, ref, call, run);
      return { value: takePayload(takeBytes(value, "a payload"), context.digest), requestId };
    },
  };
}

function boundPayload(digest: Uint8Array, payload: Uint8Array): Buffer {
  if (digest.length !== CONTEXT_BYTES) throw refused("unsupported: a wrap context of another length");
  const bound = Buffer.alloc(CONTEXT_BYTES + payload.length);
  bound.set(digest);
  bound.set(payload, CONTEXT_BYTES);
  return bound;
}

/** The payload, if it is of this context, in a buffer of its own. */
function takePayload(bound: Buffer, digest: Uint8Array): Buffer {
  try {
    const isBound = bound.length > CONTEXT_BYTES && timingSafeEqual(bound.subarray(0, CONTEXT_BYTES), digest);
    if (!isBound) throw doesNotOpen();
    const payload = Buffer.alloc(bound.length - CONTEXT_BYTES);
    payload.set(bound.subarray(CONTEXT_BYTES));
    return payload;
  } finally {
    bound.fill(0);
  }
}
