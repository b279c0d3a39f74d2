import { ciphertextInvalid, KmsError } from "#core/errors.ts";
import type { Uuid } from "#core/ids.ts";
import { FRAME_PLAINTEXT_BYTES, openFrame, sealFrame, TAG_BYTES } from "./frame.ts";
import { parseFrame, writeHeader } from "./header.ts";
import type { MessageIdSource } from "./message-id.ts";
import { beginOpening, beginSealing, PREAMBLE_BYTES } from "./message-keys.ts";

export type SealInput = {
  /** 32 bytes. */
  readonly versionKey: Uint8Array;
  readonly keyUuid: Uuid;
  readonly keyVersion: number;
  readonly contextDigest: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly messageIds: MessageIdSource;
};

export type OpenInput = {
  /** Of the key and version that the header names (`parseFrame`). */
  readonly versionKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly contextDigest: Uint8Array;
};

/** What suite 01 adds to a plaintext. */
const MESSAGE_OVERHEAD_BYTES = PREAMBLE_BYTES + TAG_BYTES;

/**
 * Seals a plaintext of at most 65,536 bytes as suite 01: one key, one frame, 105 bytes more than the plaintext.
 *
 * @throws {KmsError} `PLAINTEXT_TOO_LARGE`
 */
export function sealMessage(input: SealInput): Buffer {
  const { versionKey, keyUuid, keyVersion, contextDigest, plaintext, messageIds } = input;
  if (plaintext.length > FRAME_PLAINTEXT_BYTES) {
    throw new KmsError("PLAINTEXT_TOO_LARGE", "a message has at most 65,536 bytes");
  }
  const out = Buffer.allocUnsafe(plaintext.length + MESSAGE_OVERHEAD_BYTES);
  const header = writeHeader({ suite: "message", keyUuid, keyVersion });
  const messageId = messageIds.forMessage({ contextDigest, plaintext });
  const key = beginSealing(out, { versionKey, header, messageId, contextDigest });
  sealFrame(out.subarray(PREAMBLE_BYTES), plaintext, { key, index: 0, last: true });
  return out;
}

/**
 * Opens a message of suite 01. The plaintext is a buffer that the caller owns.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a wrong key, version or context, any changed byte and any other length, indistinguishably
 */
export function openMessage({ versionKey, bytes, contextDigest }: OpenInput): Buffer {
  const size = bytes.length - MESSAGE_OVERHEAD_BYTES;
  if (parseFrame(bytes).suite !== "message" || size < 0 || size > FRAME_PLAINTEXT_BYTES) throw ciphertextInvalid();
  const key = beginOpening(bytes, { versionKey, contextDigest });
  return openFrame(bytes.subarray(PREAMBLE_BYTES), { key, index: 0, last: true });
}
