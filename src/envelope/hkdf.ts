import { hash } from "node:crypto";
import { checkKey } from "./key-bytes.ts";

type Derivation = {
  readonly key: Uint8Array;
  /** Empty unless given. */
  readonly salt?: Uint8Array;
  readonly info: Uint8Array;
  /** At most 255 × 64. */
  readonly length: number;
};

const HASH_BYTES = 64;
const BLOCK_BYTES = 128;
const EMPTY = Buffer.alloc(0);

/**
 * HKDF with SHA-512 of a 32-byte key (RFC 5869). The result is an unpooled buffer that the caller owns and zeroes.
 *
 * Written out over one-shot hashes because every message pays for it: node:crypto's own makes three native objects per call, which with their
 * collection take twice as long, and its createHmac longer still. The tests hold it to both.
 *
 * @throws {KmsError} `INTERNAL` for a key that was dropped
 */
export function hkdfSha512({ key, salt = EMPTY, info, length }: Derivation): Buffer {
  checkKey(key);
  if (length > 255 * HASH_BYTES) throw new RangeError("hkdf: wanted at most 255 blocks");
  const pseudorandom = hmacSha512(salt, key);
  const output = Buffer.allocUnsafeSlow(length);
  let block: Buffer = EMPTY;
  for (let at = 0; at < length; at += HASH_BYTES) {
    const next = hmacSha512(pseudorandom, block, info, Uint8Array.of(at / HASH_BYTES + 1));
    next.copy(output, at);
    block.fill(0);
    block = next;
  }
  block.fill(0);
  pseudorandom.fill(0);
  return output;
}

/** HMAC (RFC 2104). What it writes down on the way is zeroed; the result is the caller's to zero. */
function hmacSha512(key: Uint8Array, ...message: readonly Uint8Array[]): Buffer {
  const short = key.length > BLOCK_BYTES ? hash("sha512", key, "buffer") : key;
  const inner = Buffer.allocUnsafe(message.reduce((length, part) => length + part.length, BLOCK_BYTES));
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + HASH_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i += 1) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  let at = BLOCK_BYTES;
  for (const part of message) {
    inner.set(part, at);
    at += part.length;
  }
  const digest = hash("sha512", inner, "buffer");
  outer.set(digest, BLOCK_BYTES);
  const mac = hash("sha512", outer, "buffer");
  for (const used of [inner, outer, digest]) used.fill(0);
  return mac;
}
