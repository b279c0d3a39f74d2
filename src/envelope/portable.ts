import type { Context } from "#core/context.ts";
import { ciphertextInvalid } from "#core/errors.ts";
import { contextDigest } from "./context-digest.ts";
import { FRAME_PLAINTEXT_BYTES } from "./frame.ts";
import { parseFrame } from "./header.ts";
import { openMessage, sealMessage, type OpenInput, type SealInput } from "./message.ts";
import { openStream, sealStream } from "./stream.ts";

type WithContext<I> = Omit<I, "contextDigest"> & { readonly context: Context };

/**
 * Seals a plaintext under a version of a portable key: suite 01 up to 65,536 bytes, suite 02 beyond.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a context beyond its bounds
 */
export function seal({ context, ...input }: WithContext<SealInput>): Buffer {
  const withDigest = { ...input, contextDigest: contextDigest(context) };
  return input.plaintext.length > FRAME_PLAINTEXT_BYTES ? sealStream(withDigest) : sealMessage(withDigest);
}

/**
 * Opens a portable ciphertext of either suite, whole. The plaintext is a buffer that the caller owns.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a wrong key, version or context, any changed byte and any other length, indistinguishably;
 *   `INVALID_ARGUMENT` for a context beyond its bounds
 */
export function open({ context, ...input }: WithContext<OpenInput>): Buffer {
  const withDigest = { ...input, contextDigest: contextDigest(context) };
  const { suite } = parseFrame(input.bytes);
  if (suite === "message") return openMessage(withDigest);
  if (suite === "stream") return openStream(withDigest);
  throw ciphertextInvalid();
}
