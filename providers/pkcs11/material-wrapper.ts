import type { AlgorithmName } from "#core/algorithms.ts";
import type { MaterialWrapper } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { CKM } from "./constants.ts";
import { unsupported } from "./errors.ts";
import { ask, askToOpen, ownBytes, type Tools } from "./tools.ts";

const SHORTEST = { "AES-KW": 24, "AES-KWP": 16 } as const;

/** Wraps material of callers: bare RFC 3394 or RFC 5649 bytes. */
export function pkcs11MaterialWrapper(tools: Tools): MaterialWrapper {
  const { capabilities, facts } = tools;
  const mechanismOf = (algorithm: AlgorithmName) => ({
    type: algorithm === "AES-KW" ? CKM.AES_KEY_WRAP : (facts.kwp ?? CKM.AES_KEY_WRAP_KWP),
  });
  return {
    wrapMaterial: async ({ ref, algorithm, material }, call) => {
      requireCapability(capabilities, "wrap-material", algorithm, material.length);
      if (algorithm === "AES-KW" && material.length % 8 !== 0)
        throw unsupported(`wrap-material of ${material.length} bytes with AES-KW: no multiple of 8`);
      const input = { id: ref, algorithm, mechanism: mechanismOf(algorithm), data: material };
      return { value: ownBytes(await ask(tools, call, "wrap", input)), requestId: null };
    },
    unwrapMaterial: async ({ ref, algorithm, wrapped }, call) => {
      const { maxInputBytes } = requireCapability(capabilities, "unwrap-material", algorithm);
      const shortest = algorithm === "AES-KW" ? SHORTEST["AES-KW"] : SHORTEST["AES-KWP"];
      const fits = wrapped.length >= shortest && wrapped.length <= maxInputBytes && wrapped.length % 8 === 0;
      const data = fits ? wrapped : Buffer.alloc(shortest);
      const input = { id: ref, algorithm, mechanism: mechanismOf(algorithm), data };
      return { value: await askToOpen(tools, call, "unwrap", input), requestId: null };
    },
  };
}
