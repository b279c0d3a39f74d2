import { hash } from "node:crypto";
import { CONTEXT_LIMITS, type Context } from "#core/context.ts";
import { KmsError } from "#core/errors.ts";

const KIND = { none: 0x00, map: 0x01, bytes: 0x02 } as const;

/**
 * Writes a context as the bytes that are bound to a ciphertext: `00` none, `01 count:u16 (klen:u16 key vlen:u16 value)*` a map sorted by the
 * bytes of its keys, `02 len:u32 bytes`. Injective; an empty map is none. Strings are UTF-8, not normalised.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for more than 32 pairs, more than 8,192 encoded bytes, or a string with a lone surrogate
 */
export function encodeContext(context: Context): Buffer {
  if (isNone(context)) return Buffer.of(KIND.none);
  return context.kind === "map" ? encodeMap(context.pairs) : encodeBytes(context.bytes);
}

/** SHA-256 of the encoding: what derivations take in. The caller owns the 32 bytes. */
export function contextDigest(context: Context): Buffer {
  return isNone(context) ? Buffer.from(DIGEST_OF_NONE, "hex") : hash("sha256", encodeContext(context), "buffer");
}

/** SHA-256 of the one byte 00. */
const DIGEST_OF_NONE = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";

type None = Extract<Context, { kind: "none" }>;

function isNone(context: Context): context is None {
  return context.kind === "none" || (context.kind === "map" && context.pairs.size === 0);
}

function encodeMap(pairs: ReadonlyMap<string, string>): Buffer {
  if (pairs.size > CONTEXT_LIMITS.pairs) throw tooLarge();
  const fields: Buffer[] = [];
  let size = 3;
  for (const [key, value] of sortedPairs(pairs)) {
    size += 4 + key.length + value.length;
    fields.push(uint16(key.length), key, uint16(value.length), value);
  }
  if (size > CONTEXT_LIMITS.encodedBytes) throw tooLarge();
  return Buffer.concat([Buffer.of(KIND.map), uint16(pairs.size), ...fields], size);
}

/** Distinct strings have distinct UTF-8 as long as they are well formed, so the keys stay distinct. */
function sortedPairs(pairs: ReadonlyMap<string, string>): readonly (readonly [key: Buffer, value: Buffer])[] {
  return [...pairs]
    .map(([key, value]) => [utf8(key), utf8(value)] as const)
    .toSorted(([left], [right]) => Buffer.compare(left, right));
}

function utf8(text: string): Buffer {
  // Before the text is copied, so that a caller cannot make this expensive.
  if (text.length > CONTEXT_LIMITS.encodedBytes) throw tooLarge();
  if (!text.isWellFormed()) throw new KmsError("INVALID_ARGUMENT", "a string of the context has a lone surrogate");
  return Buffer.from(text, "utf8");
}

function uint16(value: number): Buffer {
  // A length beyond the limit is refused by whoever adds it up; it wraps here only on the way there.
  return Buffer.of((value >>> 8) & 0xff, value & 0xff);
}

function encodeBytes(bytes: Uint8Array): Buffer {
  if (bytes.length + 5 > CONTEXT_LIMITS.encodedBytes) throw tooLarge();
  const head = Buffer.alloc(5);
  head.writeUInt8(KIND.bytes);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function tooLarge(): KmsError {
  const { pairs, encodedBytes } = CONTEXT_LIMITS;
  return new KmsError(
    "INVALID_ARGUMENT",
    `the context may have ${pairs} pairs and ${encodedBytes} bytes once encoded`,
    {
      metadata: { maxPairs: String(pairs), maxEncodedBytes: String(encodedBytes) },
    },
  );
}
