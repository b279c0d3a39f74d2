import { CONTEXT_LIMITS, type Context } from "./context.ts";
import { KmsError } from "./errors.ts";

const NONE = 0;
const MAP = 1;
const BYTES = 2;

/**
 * Gives a context its bytes (keys.md, Context), big-endian: `00` none, and an empty map is none ·
 * `01 count:u16 (klen:u16 key vlen:u16 value)*` a map, UTF-8, not normalised, sorted by the bytes of the keys · `02 len:u32 bytes`.
 * Different contexts have different bytes; the order of a map's pairs does not matter.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a lone surrogate, for more than 32 pairs, or for more than 8,192 bytes.
 */
export function encodeContext(context: Context): Buffer {
  const encoded = encode(context);
  if (encoded.length > CONTEXT_LIMITS.encodedBytes) {
    throw invalid(`context: wanted at most ${CONTEXT_LIMITS.encodedBytes} bytes encoded, got ${encoded.length}`);
  }
  return encoded;
}

function encode(context: Context): Buffer {
  if (context.kind === "bytes") return encodeBytes(context.bytes);
  if (context.kind === "map" && context.pairs.size > 0) return encodeMap(context.pairs);
  return Buffer.from([NONE]);
}

function encodeBytes(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(BYTES, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function encodeMap(pairs: ReadonlyMap<string, string>): Buffer {
  if (pairs.size > CONTEXT_LIMITS.pairs) {
    throw invalid(`context: wanted at most ${CONTEXT_LIMITS.pairs} pairs, got ${pairs.size}`);
  }
  const sorted = [...pairs]
    .map(([key, value]) => ({ key: utf8(key), value: utf8(value) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key));
  const head = Buffer.alloc(3);
  head.writeUInt8(MAP, 0);
  head.writeUInt16BE(pairs.size, 1);
  return Buffer.concat([head, ...sorted.flatMap(({ key, value }) => [u16(key.length), key, u16(value.length), value])]);
}

/** A lone surrogate would become U+FFFD, and two contexts would have one encoding. */
function utf8(text: string): Buffer {
  if (!text.isWellFormed()) throw invalid("context: wanted well-formed unicode, got a lone surrogate");
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > CONTEXT_LIMITS.encodedBytes) {
    throw invalid(`context: wanted at most ${CONTEXT_LIMITS.encodedBytes} bytes encoded, got more`);
  }
  return bytes;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function invalid(message: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", message);
}
