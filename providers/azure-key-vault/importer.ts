import { ProviderError } from "#core/failures.ts";
import type { KeyImporter } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { jwkOfMaterial, wipeJwk } from "./import-material.ts";
import type { KeyTools } from "./tools.ts";
import { obtainKey } from "./obtain-key.ts";
import { requireMarker } from "./refs.ts";
import { tagsOf } from "./tags.ts";

/**
 * ImportKey: the private key as a JWK, in TLS and nothing else, into a key of an HSM type where new keys are. (The service's other way,
 * a blob under an exchange key, is made by whoever holds the key, outside.)
 */
export function createImporter(tools: KeyTools): KeyImporter {
  return {
    async importKey(spec, call) {
      const { algorithm, marker, material } = spec;
      const { maxInputBytes } = requireCapability(tools.capabilities, "import", algorithm); // the length is a verdict on the material
      requireMarker(marker);
      if (material.length > maxInputBytes) {
        throw new ProviderError({ failure: "INVALID", detail: "the material is no key of the algorithm" });
      }
      const key = jwkOfMaterial(algorithm, material);
      const { hardwareProtected } = tools;
      const wanted = { key, hardwareProtected, tags: tagsOf(spec) };
      const make = async (name: string) => await tools.control.importKey({ name, ...wanted }, call);
      try {
        return await obtainKey(tools, { marker, algorithm, make }, call);
      } finally {
        wipeJwk(key);
      }
    },
  };
}
