import { hmac } from "./hmac.ts";
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
const EMPTY = Buffer.alloc(0);

/**
 * HKDF with SHA-512 of a 32-byte key (RFC 5869). The result is an unpooled buffer that the caller owns and zeroes.
 *
 * @throws {KmsError} `INTERNAL` for a key that was dropped
 */
export function hkdfSha512({ key, salt = EMPTY, info, length }: Derivation): Buffer {
  checkKey(key);
  if (length > 255 * HASH_BYTES) throw new RangeError("hkdf: wanted at most 255 blocks");
  const pseudorandom = hmac("sha512", salt, key);
  const output = Buffer.allocUnsafeSlow(length);
  let block: Buffer = EMPTY;
  for (let at = 0; at < length; at += HASH_BYTES) {
    const next = hmac("sha512", pseudorandom, block, info, Uint8Array.of(at / HASH_BYTES + 1));
    next.copy(output, at);
    block.fill(0);
    block = next;
  }
  block.fill(0);
  pseudorandom.fill(0);
  return output;
}
