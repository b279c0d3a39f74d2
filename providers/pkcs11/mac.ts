import type { MacSigner } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { hmacMechanism } from "./specs.ts";
import { ask, ownBytes, type Tools } from "./tools.ts";

/** HMAC (RFC 2104) over whole messages; never truncated. */
export function pkcs11Mac(tools: Tools): MacSigner {
  const { capabilities } = tools;
  return {
    mac: async ({ ref, algorithm, message }, call) => {
      requireCapability(capabilities, "mac", algorithm, message.length);
      const mechanism = hmacMechanism(algorithm);
      return {
        value: ownBytes(await ask(tools, call, "sign", { id: ref, algorithm, mechanism, data: message })),
        requestId: null,
      };
    },
    verifyMac: async ({ ref, algorithm, message, mac }, call) => {
      requireCapability(capabilities, "verify-mac", algorithm, message.length);
      const mechanism = hmacMechanism(algorithm);
      const value = await ask(tools, call, "verify", { id: ref, algorithm, mechanism, data: message, signature: mac });
      return { value, requestId: null };
    },
  };
}
