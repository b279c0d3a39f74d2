import { encodeContext } from "#core/context-encoding.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { sha256 } from "./sha256.ts";

const OF_NONE = sha256(encodeContext(NO_CONTEXT));

/**
 * SHA-256 of the encoding of a context: what derivations take in. The caller owns the 32 bytes.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a context beyond its bounds, or with a lone surrogate
 */
export function contextDigest(context: Context): Buffer {
  return context.kind === "none" ? Buffer.from(OF_NONE) : sha256(encodeContext(context));
}
