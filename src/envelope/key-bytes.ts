import { KmsError } from "#core/errors.ts";

/** Bytes of every symmetric key in the hierarchy: branch keys, version keys, K_row. */
export const KEY_BYTES = 32;

/**
 * Refuses what cannot be a key: another length, or only zeros, which is what a key is after it was dropped. Whoever kept a key across an
 * eviction then gets an error, instead of data under a key that everybody knows.
 *
 * @throws {KmsError} `INTERNAL`
 */
export function checkKey(key: Uint8Array): void {
  let bits = 0;
  for (const byte of key) bits |= byte;
  if (key.length !== KEY_BYTES || bits === 0) throw new KmsError("INTERNAL", "a key was dropped while it was in use");
}

/** A copy in memory of its own, never a slice of Node's pool, so that zeroing it zeroes all there is. */
export function unpooledCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
