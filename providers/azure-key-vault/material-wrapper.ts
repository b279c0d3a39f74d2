import type { MaterialWrapper } from "#core/provider.ts";
import { type Ability, useKey } from "./ability.ts";
import { requireCapability } from "./capabilities.ts";
import { doesNotOpen, refused } from "./errors.ts";
import { presentBytes, takeBytes } from "./present.ts";

/** The least that AES key wrap makes (RFC 3394 § 2): two blocks, and one more. */
const MIN_WRAPPED_BYTES = 24;

/** Bare AES key wrap in a Managed HSM (A256KW, RFC 3394). */
export function createMaterialWrapper(ability: Ability): MaterialWrapper {
  const { data, capabilities } = ability;
  return {
    async wrapMaterial({ ref, algorithm, material }, call) {
      requireCapability(capabilities, "wrap-material", algorithm, material.length);
      if (material.length % 8 !== 0) throw refused("unsupported: wrap-material of a length that is no multiple of 8");
      const run = async (key: Parameters<typeof data.wrapKey>[0]) => await data.wrapKey(key, "A256KW", material, call);
      const { value, requestId } = await useKey(ability, ref, call, run);
      return { value: Buffer.from(presentBytes(value, "wrapped material")), requestId };
    },
    async unwrapMaterial({ ref, algorithm, wrapped }, call) {
      const { maxInputBytes } = requireCapability(capabilities, "unwrap-material", algorithm);
      const { length } = wrapped;
      if (length < MIN_WRAPPED_BYTES || length > maxInputBytes || length % 8 !== 0) throw doesNotOpen();
      const run = async (key: Parameters<typeof data.unwrapKey>[0]) =>
        await data.unwrapKey(key, "A256KW", wrapped, call);
      const { value, requestId } = await useKey(ability, ref, call, run);
      return { value: takeBytes(value, "material"), requestId };
    },
  };
}
