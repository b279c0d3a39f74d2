import { createHash, hkdfSync, type KeyObject } from "node:crypto";
import { type Uuid, uuidBytes } from "#core/ids.ts";
import { unwrapBytes, wrapBytes } from "./aes-wrap.ts";

const LABEL = Buffer.from("claviger/1 local-hsm wrap\0");

/** Of a wrap over its payload, where the payload is a multiple of eight bytes. */
export const WRAP_OVERHEAD_BYTES = 8;

export type WrapKey = {
  /** 32 bytes: a wrapping key, or the master key. */
  readonly key: Uint8Array | KeyObject;
  /** The object that wraps, or the one that is sealed. */
  readonly objectId: Uuid;
  readonly additionalData: Uint8Array;
};

/**
 * Wraps 1 byte and more with AES-256-KWP under HKDF-SHA-512(key, "", label || 00 || object id || SHA-256(additional data), 32)
 * (keys.md, "The software HSM has bytes too").
 *
 * @see RFC 5649 § 4.1
 */
export function wrapUnder(wrapKey: WrapKey, payload: Uint8Array): Buffer {
  using kek = deriveKek(wrapKey);
  return wrapBytes("AES-KWP", kek.bytes, payload);
}

/**
 * Opens what {@link wrapUnder} made; the caller owns and zeroes the unpooled result.
 *
 * @throws {LocalHsmError} `InvalidBytes` for anything else, indistinguishably.
 */
export function unwrapUnder(wrapKey: WrapKey, wrap: Uint8Array): Buffer {
  using kek = deriveKek(wrapKey);
  return unwrapBytes("AES-KWP", kek.bytes, wrap);
}

function deriveKek({ key, objectId, additionalData }: WrapKey): Disposable & { readonly bytes: Buffer } {
  const digest = createHash("sha256").update(additionalData).digest();
  const info = Buffer.concat([LABEL, uuidBytes(objectId), digest]);
  const bytes = Buffer.from(hkdfSync("sha512", key, Buffer.alloc(0), info, 32));
  return { bytes, [Symbol.dispose]: () => bytes.fill(0) };
}
