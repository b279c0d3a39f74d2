/** Whether bytes are the one DER encoding of an ECDSA signature: a SEQUENCE of two positive, minimal INTEGERs (RFC 3279 § 2.2.3). */
export function isStrictEcdsaDer(bytes: Buffer): boolean {
  const parts = readIntegers(bytes);
  return parts !== undefined && sequence(...parts.map(integer)).equals(bytes);
}

/** Forms of a good signature that are none: raw, BER with a long length, padded or negative integers, swapped, zero, and with more inside. */
export function ecdsaMisforms(signature: Buffer, fieldBytes: number): Buffer[] {
  const [r, s] = readIntegers(signature) ?? [];
  if (r === undefined || s === undefined) throw new Error("the signature is no DER");
  const raw = Buffer.concat([leftPad(r, fieldBytes), leftPad(s, fieldBytes)]);
  const padded = element(2, Buffer.concat([Buffer.alloc(1), contentOf(r)]));
  const body = Buffer.concat([integer(r), integer(s)]);
  const longLength = Buffer.concat([Buffer.of(0x30, 0x82, body.length >> 8, body.length & 255), body]);
  const zero = integer(Buffer.alloc(1));
  return [
    raw,
    longLength,
    sequence(padded, integer(s)),
    sequence(integer(s), integer(r)),
    sequence(zero, zero),
    sequence(integer(r), zero),
    sequence(zero, integer(s)),
    sequence(integer(r)),
    sequence(integer(r), integer(s), Buffer.of(5, 0)),
    sequence(element(2, Buffer.alloc(0)), integer(s)),
    Buffer.of(0x30, 0),
    Buffer.concat([Buffer.of(0x31), signature.subarray(1)]),
  ];
}

/** Magnitudes of the two integers, without leading zeros; undefined for what is no such sequence at all. */
function readIntegers(bytes: Buffer): readonly [Buffer, Buffer] | undefined {
  const outer = readElement(bytes, 0x30);
  const r = outer && readElement(outer.content, 2);
  const s = r && readElement(r.rest, 2);
  if (!outer || !r || !s || outer.rest.length > 0 || s.rest.length > 0) return undefined;
  if (((r.content[0] ?? 128) | (s.content[0] ?? 128)) >= 128) return undefined;
  return [withoutZeros(r.content), withoutZeros(s.content)];
}

function readElement(bytes: Buffer, tag: number): { readonly content: Buffer; readonly rest: Buffer } | undefined {
  if (bytes.length < 2 || bytes[0] !== tag) return undefined;
  const isLong = bytes[1] === 0x81;
  const length = (isLong ? bytes[2] : bytes[1]) ?? 256;
  const start = isLong ? 3 : 2;
  if (length > (isLong ? 255 : 127) || bytes.length < start + length) return undefined;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

function integer(magnitude: Buffer): Buffer {
  return element(2, contentOf(magnitude));
}

function contentOf(magnitude: Buffer): Buffer {
  return (magnitude[0] ?? 0) >= 128 ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function element(tag: number, content: Buffer): Buffer {
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

function withoutZeros(bytes: Buffer): Buffer {
  const at = bytes.findIndex((byte) => byte !== 0);
  return at < 0 ? Buffer.alloc(1) : bytes.subarray(at);
}

function leftPad(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes]);
}
