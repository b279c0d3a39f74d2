import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import { ciphertextInvalid } from "#core/errors.ts";

export const TAG_BYTES = 16;
/** The most plaintext that one frame holds; every frame of a stream but the last holds exactly this much. */
export const FRAME_PLAINTEXT_BYTES = 65_536;

const OPTIONS = { authTagLength: TAG_BYTES } as const;

type Place = {
  /** The key of this message alone. */
  readonly key: KeyObject;
  /** From 0. */
  readonly index: number;
  readonly last: boolean;
};

/** Seals one frame (AES-256-GCM, no additional data) into `out`, which is {@link TAG_BYTES} longer than the plaintext. */
export function sealFrame(out: Buffer, plaintext: Uint8Array, place: Place): void {
  const cipher = createCipheriv("aes-256-gcm", place.key, frameIv(place), OPTIONS);
  out.set(cipher.update(plaintext), 0);
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.length);
}

/**
 * Opens one frame, at least {@link TAG_BYTES} long. The plaintext is a buffer that the caller owns.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID`
 */
export function openFrame(frame: Uint8Array, place: Place): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", place.key, frameIv(place), OPTIONS);
  const end = frame.length - TAG_BYTES;
  decipher.setAuthTag(frame.subarray(end));
  const plaintext = decipher.update(frame.subarray(0, end));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw ciphertextInvalid();
  }
}

/** uint88(index) || 01 for the last frame, else 00: the key is the message's own, so that frames cannot repeat an iv. */
function frameIv({ index, last }: Place): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(index, 7);
  iv.writeUInt8(last ? 1 : 0, 11);
  return iv;
}
