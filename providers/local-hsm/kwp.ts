import { createCipheriv, createDecipheriv, createHash, hkdfSync, type KeyObject } from "node:crypto";
import { type Uuid, uuidBytes } from "#core/ids.ts";
import { invalidBytes } from "./errors.ts";

const LABEL = Buffer.from("claviger/1 local-hsm wrap\0");
const CIPHER = "id-aes256-wrap-pad";
const ALTERNATIVE_IV = Buffer.from("a65959a6", "hex");

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
 * Wraps 1..4096 bytes with AES-256-KWP under HKDF-SHA-512(key, "", label || 00 || object id || SHA-256(additional data), 32)
 * (keys.md, "The software HSM has bytes too").
 *
 * @see RFC 5649 § 4.1
 */
export function wrapUnder(wrapKey: WrapKey, payload: Uint8Array): Buffer {
  using kek = deriveKek(wrapKey);
  const cipher = createCipheriv(CIPHER, kek.bytes, ALTERNATIVE_IV);
  return ownBuffer(cipher.update(payload), cipher.final());
}

/**
 * Opens what {@link wrapUnder} made; the caller owns and zeroes the unpooled result.
 *
 * @throws {LocalHsmError} `InvalidBytes` for anything else, indistinguishably.
 */
export function unwrapUnder(wrapKey: WrapKey, wrap: Uint8Array): Buffer {
  // OpenSSL opens no bytes at all to no bytes at all.
  if (wrap.length === 0) throw invalidBytes();
  using kek = deriveKek(wrapKey);
  try {
    const decipher = createDecipheriv(CIPHER, kek.bytes, ALTERNATIVE_IV);
    return ownBuffer(decipher.update(wrap), decipher.final());
  } catch {
    throw invalidBytes();
  }
}

function deriveKek({ key, objectId, additionalData }: WrapKey): Disposable & { readonly bytes: Buffer } {
  const digest = createHash("sha256").update(additionalData).digest();
  const info = Buffer.concat([LABEL, uuidBytes(objectId), digest]);
  const bytes = Buffer.from(hkdfSync("sha512", key, Buffer.alloc(0), info, 32));
  return { bytes, [Symbol.dispose]: () => bytes.fill(0) };
}

/** One unpooled buffer of two parts, of which the first is zeroed. */
function ownBuffer(first: Buffer, last: Buffer): Buffer {
  const whole = Buffer.alloc(first.length + last.length);
  first.copy(whole);
  last.copy(whole, first.length);
  first.fill(0);
  return whole;
}
