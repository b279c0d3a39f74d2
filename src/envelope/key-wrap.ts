import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { unpooledCopy } from "./key-bytes.ts";

/** The ciphers and their initial values: AES-256-KW (RFC 3394 § 2.2.3.1) and AES-256-KWP (RFC 5649 § 3). */
const MODES = {
  kw: { cipher: "id-aes256-wrap", iv: Buffer.from("a6a6a6a6a6a6a6a6", "hex") },
  kwp: { cipher: "id-aes256-wrap-pad", iv: Buffer.from("a65959a6", "hex") },
} as const;

export type KeyWrapMode = keyof typeof MODES;

/**
 * Wraps `key` under the 32-byte `kek`: `kw` takes a multiple of 8 bytes, at least 16, and adds 8; `kwp` takes 1 byte or more and pads.
 * Deterministic: there is no nonce.
 */
export function wrapKey(
  mode: KeyWrapMode,
  { kek, key }: { readonly kek: Uint8Array; readonly key: Uint8Array },
): Buffer {
  const { cipher, iv } = MODES[mode];
  const wrap = createCipheriv(cipher, createSecretKey(kek), iv);
  return Buffer.concat([wrap.update(key), wrap.final()]);
}

/**
 * Opens what {@link wrapKey} made; undefined for anything else. The result is an unpooled buffer that the caller owns and zeroes.
 */
export function unwrapKey(
  mode: KeyWrapMode,
  { kek, wrapped }: { readonly kek: Uint8Array; readonly wrapped: Uint8Array },
): Buffer | undefined {
  // OpenSSL opens nothing at all to nothing at all.
  if (wrapped.length < 16 || wrapped.length % 8 !== 0) return undefined;
  const { cipher, iv } = MODES[mode];
  const unwrap = createDecipheriv(cipher, createSecretKey(kek), iv);
  try {
    const opened = unwrap.update(wrapped);
    const key = unpooledCopy(opened);
    opened.fill(0);
    unwrap.final();
    return key;
  } catch {
    return undefined;
  }
}
