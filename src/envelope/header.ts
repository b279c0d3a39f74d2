import { ciphertextInvalid } from "#core/errors.ts";
import { uuidFromBytes, writeUuid, type Uuid } from "#core/ids.ts";

/** `"CLV"`, format 01, suite, key id 16, key version u32: in every suite. */
export const HEADER_BYTES = 25;

/** What follows the header: one frame, many frames, a provider's own ciphertext, or wrapped key material. 10-1F and 03 are reserved. */
export const SUITES = { message: 0x01, stream: 0x02, native: 0x80, wrapped: 0x81 } as const;
export type Suite = keyof typeof SUITES;

export type FrameHeader = { readonly suite: Suite; readonly keyUuid: Uuid; readonly keyVersion: number };

const MAGIC_AND_FORMAT = 0x434c5601;
const SUITE_OF_BYTE: ReadonlyMap<number, Suite> = new Map(
  Object.entries(SUITES).map(([name, byte]) => [byte, name as Suite]),
);

/** Writes the 25 bytes. `keyVersion` is 1..2^32-1. */
export function writeHeader({ suite, keyUuid, keyVersion }: FrameHeader): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(MAGIC_AND_FORMAT, 0);
  header.writeUInt8(SUITES[suite], 4);
  writeUuid(keyUuid, header, 5);
  header.writeUInt32BE(keyVersion, 21);
  return header;
}

/**
 * Reads the header of a ciphertext: which key and version it asks for. Nothing of it is authenticated until the ciphertext is opened.
 *
 * `header` is a view of `bytes`.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for whatever is malformed or of an unknown suite
 */
export function parseFrame(bytes: Uint8Array): FrameHeader & { readonly header: Buffer } {
  if (bytes.length < HEADER_BYTES) throw ciphertextInvalid();
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const suite = SUITE_OF_BYTE.get(header.readUInt8(4));
  const keyVersion = header.readUInt32BE(21);
  if (header.readUInt32BE(0) !== MAGIC_AND_FORMAT || suite === undefined || keyVersion === 0) throw ciphertextInvalid();
  return { suite, keyUuid: uuidFromBytes(header.subarray(5, 21)), keyVersion, header };
}
