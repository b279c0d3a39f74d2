import type { AlgorithmName } from "#core/algorithms.ts";
import type { KeyImporter } from "#core/provider.ts";
import { underSignal } from "./cancellation.ts";
import { requireCapability, secretBytes } from "./capabilities.ts";
import { invalidKey } from "./errors.ts";
import { extractability, requireMarker } from "./keys.ts";
import type { ObjectStore } from "./objects.ts";
import { isConsistent } from "./pairwise.ts";
import { privateKeyBytes, readPrivateKey } from "./private-key.ts";
import { shapeOf } from "./shapes.ts";
import { observationOf } from "./states.ts";

/**
 * Takes keys from outside. Raw GCM keys start to count at nothing: what was encrypted elsewhere is their owner's to know. A marker that a key
 * carries already is answered with that key, whatever its material is.
 */
export function localImporter(store: ObjectStore): KeyImporter {
  return {
    importKey: async ({ algorithm, marker, description, material, ...more }, call) =>
      await underSignal(call, async () => {
        const { maxInputBytes } = requireCapability("import", algorithm);
        requireMarker(marker);
        if (material.length > maxInputBytes) throw invalidKey(algorithm);
        const own = await materialOf(algorithm, material);
        try {
          const spec = { algorithm, marker, description, ...extractability(more) };
          return observationOf(await store.create(spec, async () => await Promise.resolve(own)));
        } finally {
          own.fill(0);
        }
      }),
  };
}

/** The bytes to keep, in a buffer of our own: those of symmetric keys as they are, those of private keys in the one form of all. */
async function materialOf(algorithm: AlgorithmName, material: Uint8Array): Promise<Buffer> {
  const shape = shapeOf(algorithm);
  if (shape === undefined) throw invalidKey(algorithm);
  if (shape.kind === "secret") {
    const { min, max } = secretBytes(algorithm, shape.bytes);
    if (material.length < min || material.length > max) throw invalidKey(algorithm);
    const own = Buffer.alloc(material.length);
    own.set(material);
    return own;
  }
  const pair = readPrivateKey(material, shape);
  if (pair === undefined || !(await isConsistent(algorithm, pair))) throw invalidKey(algorithm);
  return privateKeyBytes(pair.privateKey);
}
