import { hash } from "node:crypto";

/** Bytes of a block and of a digest. */
const SIZES = { sha256: { block: 64, digest: 32 }, sha512: { block: 128, digest: 64 } } as const;

/**
 * HMAC (RFC 2104) of the parts of a message, one after another. What it writes down on the way is zeroed; the result is the caller's.
 *
 * Written out over one-shot hashes because every message, and every line of a journal at a start, pays for it: the objects that node:crypto
 * makes for an HMAC or an HKDF take several times as long as the hashes in them. The tests hold it to node:crypto's.
 */
export function hmac(algorithm: keyof typeof SIZES, key: Uint8Array, ...message: readonly Uint8Array[]): Buffer {
  const { block, digest: digestBytes } = SIZES[algorithm];
  const short = key.length > block ? hash(algorithm, key, "buffer") : key;
  const inner = Buffer.allocUnsafe(message.reduce<number>((length, part) => length + part.length, block));
  const outer = Buffer.allocUnsafe(block + digestBytes);
  for (let i = 0; i < block; i += 1) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  let at = block;
  for (const part of message) {
    inner.set(part, at);
    at += part.length;
  }
  const digest = hash(algorithm, inner, "buffer");
  outer.set(digest, block);
  const mac = hash(algorithm, outer, "buffer");
  for (const used of [inner, outer, digest]) used.fill(0);
  return mac;
}
