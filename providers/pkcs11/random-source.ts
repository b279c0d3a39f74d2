import type { RandomSource } from "#core/provider.ts";
import { MAX_RANDOM_BYTES } from "./capabilities.ts";
import { unsupported } from "./errors.ts";
import { ask, ownBytes, type Tools } from "./tools.ts";

/** The token's own generator. */
export function pkcs11Random(tools: Tools): RandomSource {
  return {
    randomBytes: async (length, call) => {
      if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM_BYTES)
        throw unsupported(`${length} random bytes: wanted 1 to ${MAX_RANDOM_BYTES}`);
      return { value: ownBytes(await ask(tools, call, "random", { bytes: length })), requestId: null };
    },
  };
}
