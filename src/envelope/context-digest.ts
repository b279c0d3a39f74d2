import { hash } from "node:crypto";
import { encodeContext } from "#core/context-encoding.ts";
import type { Context } from "#core/context.ts";

/**
 * SHA-256 of the encoding of a context: what derivations take in. The caller owns the 32 bytes.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a context beyond its bounds, or with a lone surrogate
 */
export function contextDigest(context: Context): Buffer {
  return hash("sha256", encodeContext(context), "buffer");
}
