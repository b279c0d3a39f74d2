import { createPublicKey, type KeyObject } from "node:crypto";
import type { Sources } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyImporter } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { createKey, type Planes } from "./create-key.ts";
import { refused } from "./errors.ts";
import { requireMaterial, wrappingOf } from "./import-material.ts";
import { CANARY_MARKER } from "./names.ts";
import { type Answered, presentBytes, requestIdOf } from "./present.ts";
import { readBack } from "./read-back.ts";
import { settle } from "./settle.ts";
import { wrapMaterial, type Wrapping } from "./wrap-material.ts";

type Tools = Planes & Pick<Sources, "random" | "scheduler"> & { readonly multiRegion: boolean };
type Spec = Parameters<KeyImporter["importKey"]>[0];

/**
 * Imports material that does not expire. A key that carries the marker and waits for its material is gone on with, whoever made
 * it; the service lets nobody bring other material than the first, and tells that as INVALID.
 */
export function createImporter(tools: Tools): KeyImporter {
  return {
    async importKey(spec, call) {
      requireCapability("import", spec.algorithm); // the length is a verdict on the material
      if (spec.marker === CANARY_MARKER) throw refused("the marker is the canary's");
      requireMaterial(spec.algorithm, spec.material);
      const { algorithm, marker, description } = spec;
      const there = await createKey(tools, { algorithm, marker, description, external: true }, call);
      if (there.observed !== "material-missing") return there;
      const requestId = await bringMaterial(tools, { ref: there.ref, spec }, call);
      return { ...(await readBack(tools.data, there.ref, call)), requestId };
    },
  };
}

async function bringMaterial(
  { control, scheduler, random }: Tools,
  { ref, spec }: { readonly ref: string; readonly spec: Spec },
  call: CallContext,
): Promise<string | null> {
  const algorithm = wrappingOf(spec.algorithm);
  const asked = { KeyId: ref, WrappingAlgorithm: algorithm, WrappingKeySpec: "RSA_4096" } as const;
  const parameters = await settle(scheduler, async () => await control.getParametersForImport(asked, call), call);
  const wrapping: Wrapping = { algorithm, publicKey: readWrappingKey(parameters) };
  const brought = {
    KeyId: ref,
    ImportToken: presentBytes(parameters.ImportToken, { field: "ImportToken", answer: parameters }),
    EncryptedKeyMaterial: wrapMaterial(spec.material, wrapping, random),
    ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
  } as const;
  return requestIdOf(await settle(scheduler, async () => await control.importKeyMaterial(brought, call), call));
}

/** The RSA key of 4096 bits that was asked for: material goes under no other. */
function readWrappingKey(answer: Answered & { readonly PublicKey?: Uint8Array | undefined }): KeyObject {
  const spki = presentBytes(answer.PublicKey, { field: "PublicKey", answer });
  const key = parsePublicKey(spki);
  if (key?.asymmetricKeyType === "rsa" && key.asymmetricKeyDetails?.modulusLength === 4096) return key;
  throw new ProviderError({ failure: "OUTAGE", detail: "an answer without the wrapping key that was asked for" });
}

function parsePublicKey(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
