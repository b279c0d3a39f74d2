import { LocalHsmError } from "./errors.ts";
import type { OpenObject } from "./object-file.ts";
import { type KeyPair, readPrivateKey } from "./private-key.ts";
import { shapeOf } from "./shapes.ts";

/**
 * Decoded keys of objects that the store has open, so that PKCS#8 is parsed once. An object that the store forgets, because it changed or
 * because others were used since, takes its decoded key along: nothing here outlives a state, and the store's bound is this one's.
 */
export class KeyPairs {
  readonly #decoded = new WeakMap<OpenObject, KeyPair>();

  /** @throws {LocalHsmError} `KeyDamaged` for an object without a private key. */
  of(object: OpenObject): KeyPair {
    const pair = this.#decoded.get(object) ?? decode(object);
    this.#decoded.set(object, pair);
    return pair;
  }
}

function decode({ meta, material }: OpenObject): KeyPair {
  const shape = shapeOf(meta.algorithm);
  const pair = shape && readPrivateKey(material, shape);
  if (pair === undefined) throw new LocalHsmError("KeyDamaged", `the file of key ${meta.id} holds no private key`);
  return pair;
}
