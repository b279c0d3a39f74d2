import { createCipheriv, createDecipheriv } from "node:crypto";
import { invalidBytes } from "./errors.ts";
import { ownBytes } from "./own-bytes.ts";

/** RFC 3394 takes multiples of 8 from 16 bytes on, RFC 5649 any number of bytes but none. */
const WRAPS = {
  "AES-KW": { cipher: "id-aes256-wrap", iv: Buffer.from("a6a6a6a6a6a6a6a6", "hex"), minWrappedBytes: 24 },
  "AES-KWP": { cipher: "id-aes256-wrap-pad", iv: Buffer.from("a65959a6", "hex"), minWrappedBytes: 16 },
} as const;

export type WrapAlgorithm = keyof typeof WRAPS;

/** Whether an algorithm wraps with AES. */
export function isWrapAlgorithm(algorithm: string): algorithm is WrapAlgorithm {
  return Object.hasOwn(WRAPS, algorithm);
}

/**
 * Wraps with 32 bytes of key, nothing around it.
 *
 * @see RFC 3394 § 2.2.1, RFC 5649 § 4.1
 */
export function wrapBytes(algorithm: WrapAlgorithm, key: Uint8Array, payload: Uint8Array): Buffer {
  const { cipher: name, iv } = WRAPS[algorithm];
  const cipher = createCipheriv(name, key, iv);
  return ownBytes(cipher.update(payload), cipher.final());
}

/**
 * Opens what {@link wrapBytes} made; the caller owns and zeroes the unpooled result.
 *
 * @throws {LocalHsmError} `InvalidBytes` for anything else, indistinguishably.
 */
export function unwrapBytes(algorithm: WrapAlgorithm, key: Uint8Array, wrapped: Uint8Array): Buffer {
  const { cipher: name, iv, minWrappedBytes } = WRAPS[algorithm];
  // OpenSSL opens no bytes at all to no bytes at all.
  if (wrapped.length < minWrappedBytes || wrapped.length % 8 !== 0) throw invalidBytes();
  try {
    const decipher = createDecipheriv(name, key, iv);
    return ownBytes(decipher.update(wrapped), decipher.final());
  } catch {
    throw invalidBytes();
  }
}
