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
export function seal(input: WithContext<SealInput>): Buffer {
  const { context, versionKey, keyUuid, keyVersion, plaintext, messageIds } = input;
  const digest = contextDigest(context);
  const withDigest = { versionKey, keyUuid, keyVersion, contextDigest: digest, plaintext, messageIds };
  return plaintext.length > FRAME_PLAINTEXT_BYTES ? sealStream(withDigest) : sealMessage(withDigest);
}

/**
 * Opens a portable ciphertext of either suite, whole. The plaintext is a buffer that the caller owns.
 *
 * @throws {KmsError} `CIPHERTEXT_INVALID` for a wrong key, version or context, any changed byte and any other length, indistinguishably;
 *   `INVALID_ARGUMENT` for a context beyond its bounds
 */
export function open({ context, versionKey, bytes }: WithContext<OpenInput>): Buffer {
  const withDigest = { versionKey, bytes, contextDigest: contextDigest(context) };
  const { suite } = parseFrame(bytes);
  if (suite === "message") return openMessage(withDigest);
  if (suite === "stream") return openStream(withDigest);
  throw ciphertextInvalid();
}
