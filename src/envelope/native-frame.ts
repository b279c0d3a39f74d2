import { ciphertextInvalid } from "#core/errors.ts";
import { uuidBytes, uuidFromBytes, type Uuid } from "#core/ids.ts";
import { HEADER_BYTES, writeHeader } from "./header.ts";

const BINDING_BYTES = 16;

/** Suite 80: header, binding id, and the provider's own ciphertext. The header only routes: nothing of it is authenticated. */
export function writeNativeFrame(frame: {
  readonly keyUuid: Uuid;
  readonly keyVersion: number;
  readonly binding: Uuid;
  readonly ciphertext: Uint8Array;
}): Buffer {
  const { keyUuid, keyVersion, binding, ciphertext } = frame;
  return Buffer.concat([writeHeader({ suite: "native", keyUuid, keyVersion }), uuidBytes(binding), ciphertext]);
}

/**
 * What follows the header of a frame of suite 80. `ciphertext` is a view of `bytes`.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`
 */
export function readNativeFrame(bytes: Buffer): { readonly binding: Uuid; readonly ciphertext: Buffer } {
  const start = HEADER_BYTES + BINDING_BYTES;
  if (bytes.length <= start) throw ciphertextInvalid();
  return { binding: uuidFromBytes(bytes.subarray(HEADER_BYTES, start)), ciphertext: bytes.subarray(start) };
}
