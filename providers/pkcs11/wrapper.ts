import { timingSafeEqual } from "node:crypto";
import type { KeyWrapper } from "#core/provider.ts";
import { CONTEXT_BYTES, IV_BYTES, requireCapability, TAG_BYTES } from "./capabilities.ts";
import { doesNotOpen, unsupported } from "./errors.ts";
import { askToOpen, opening, protectUnder, type Tools } from "./tools.ts";

/**
 * Wraps of branch keys under a key of the token: AES-KW of digest 32 || payload, since KW binds nothing; where a token has no KW, AES-GCM with
 * the digest as additional data.
 */
export function pkcs11Wrapper(tools: Tools): KeyWrapper {
  const { capabilities } = tools;
  const algorithm = capabilities.recipientAlgorithm;
  const isKeyWrap = algorithm === "AES-KW";
  const { maxInputBytes } = requireCapability(capabilities, "unwrap", algorithm);
  return {
    wrap: async ({ ref, payload, context }, call) => {
      requireCapability(capabilities, "wrap", algorithm, payload.length);
      if (context.digest.length !== CONTEXT_BYTES) throw unsupported("a wrap context of another length");
      if (!isKeyWrap) {
        const value = await protectUnder(tools, call, { id: ref, payload, aad: context.digest });
        return { value, requestId: null };
      }
      if (payload.length % 8 !== 0) throw unsupported("wrap of a length that is no multiple of 8");
      const bound = Buffer.alloc(CONTEXT_BYTES + payload.length);
      try {
        bound.set(context.digest);
        bound.set(payload, CONTEXT_BYTES);
        return { value: await protectUnder(tools, call, { id: ref, payload: bound, aad: NOTHING }), requestId: null };
      } finally {
        bound.fill(0);
      }
    },
    unwrap: async ({ ref, wrap, context }, call) => {
      // what cannot be any wrap is asked all the same: the key may not be there, or not be usable
      const fits = wrap.length <= maxInputBytes && wrap.length >= (isKeyWrap ? CONTEXT_BYTES : IV_BYTES + TAG_BYTES);
      const wrapped = fits ? wrap : Buffer.alloc(CONTEXT_BYTES + TAG_BYTES);
      const aad = isKeyWrap ? NOTHING : context.digest;
      const [name, input] = opening(tools, { id: ref, wrapped, aad });
      const opened = await askToOpen(tools, call, name, input);
      if (!isKeyWrap) return { value: opened, requestId: null };
      return { value: takePayload(opened, context.digest), requestId: null };
    },
  };
}

const NOTHING = Buffer.alloc(0);

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
