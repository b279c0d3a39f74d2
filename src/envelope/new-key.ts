import { createHmac } from "node:crypto";
import type { Random } from "#core/clock.ts";
import { KEY_BYTES, unpooledCopy } from "./key-bytes.ts";

/**
 * Makes a branch or version key: HKDF-Extract(SHA-512, salt = 32 bytes of the kernel, ikm = 32 bytes of node:crypto || contributions)[0..32).
 * Unpredictable as long as one of its sources is, and fresh in a cloned machine, whose kernel reseeds.
 *
 * The result is an unpooled buffer that the caller owns and zeroes; `contributions` (random bytes of recipients) stay the caller's.
 */
export function createKeyMaterial(random: Random, contributions: readonly Uint8Array[] = []): Buffer {
  const salt = random.kernelBytes(32);
  const own = random.bytes(32);
  const extract = createHmac("sha512", salt).update(own); // RFC 5869 § 2.2
  for (const contribution of contributions) extract.update(contribution);
  const extracted = extract.digest();
  const key = unpooledCopy(extracted.subarray(0, KEY_BYTES));
  for (const spent of [salt, own, extracted]) spent.fill(0);
  return key;
}
