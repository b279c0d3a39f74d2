import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import { FRAME_PLAINTEXT_BYTES, openFrame, sealFrame, TAG_BYTES } from "./frame.ts";
import { parseFrame, writeHeader } from "./header.ts";
import { beginOpening, beginSealing, PREAMBLE_BYTES } from "./message-keys.ts";
import type { OpenInput, SealInput } from "./message.ts";

const FRAME_BYTES = FRAME_PLAINTEXT_BYTES + TAG_BYTES;
const MAX_FRAMES = 2 ** 24;

/**
 * Seals a whole plaintext as suite 02: frames of 65,536 bytes under one key, the last one marked as such.
 *
 * @throws {KmsError} `PLAINTEXT_TOO_LARGE` beyond 2^24 frames
 */
export function sealStream(input: SealInput): Buffer {
  const { versionKey, keyUuid, keyVersion, contextDigest, plaintext, messageIds } = input;
  const frames = Math.max(1, Math.ceil(plaintext.length / FRAME_PLAINTEXT_BYTES));
  if (frames > MAX_FRAMES) throw new KmsError("PLAINTEXT_TOO_LARGE", "a stream has at most 2^40 bytes");
  const out = Buffer.allocUnsafe(PREAMBLE_BYTES + plaintext.length + frames * TAG_BYTES);
  const header = writeHeader({ suite: "stream", keyUuid, keyVersion });
  const messageId = messageIds.forStream({ contextDigest });
  const key = beginSealing(out, { versionKey, header, messageId, contextDigest });
  for (let index = 0; index < frames; index += 1) {
    const piece = plaintext.subarray(index * FRAME_PLAINTEXT_BYTES, (index + 1) * FRAME_PLAINTEXT_BYTES);
    sealFrame(out.subarray(PREAMBLE_BYTES + index * FRAME_BYTES), piece, { key, index, last: index === frames - 1 });
  }
  return out;
}

/**
 * Opens a whole stream of suite 02, and gives nothing of it before its last frame was opened. The plaintext is a buffer that the caller owns.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` as for a message; also for frames that are missing, moved or added
 */
export function openStream({ versionKey, bytes, contextDigest }: OpenInput): Buffer {
  if (parseFrame(bytes).suite !== "stream") throw ciphertextInvalid();
  const frames = countFrames(bytes.length - PREAMBLE_BYTES);
  const key = beginOpening(bytes, { versionKey, contextDigest });
  const out = Buffer.allocUnsafe(bytes.length - PREAMBLE_BYTES - frames * TAG_BYTES);
  try {
    for (let index = 0; index < frames; index += 1) {
      const begin = PREAMBLE_BYTES + index * FRAME_BYTES;
      const piece = openFrame(bytes.subarray(begin, begin + FRAME_BYTES), { key, index, last: index === frames - 1 });
      out.set(piece, index * FRAME_PLAINTEXT_BYTES);
      piece.fill(0);
    }
    return out;
  } catch (error) {
    out.fill(0);
    throw error;
  }
}

/**
 * How many frames `length` bytes are: the last has at least one byte of plaintext, unless it is the only one.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a length that no stream has
 */
export function countFrames(length: number): number {
  const frames = Math.ceil(length / FRAME_BYTES);
  const last = length - (frames - 1) * FRAME_BYTES;
  const shortest = frames === 1 ? TAG_BYTES : TAG_BYTES + 1;
  if (frames < 1 || frames > MAX_FRAMES || last < shortest) throw ciphertextInvalid();
  return frames;
}
