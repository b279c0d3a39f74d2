/** A curve's order, and the bytes of each of the two numbers of a signature (SEC 2). */
type Curve = { readonly bytes: number; readonly order: bigint };

const CURVES: Readonly<Record<string, Curve>> = {
  ES256: { bytes: 32, order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  ES384: {
    bytes: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  ES512: {
    bytes: 66,
    order: BigInt(`0x01${"ff".repeat(32)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
  },
  ES256K: { bytes: 32, order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n },
};

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** DER (RFC 3279 § 2.2.3) of the service's r || s (RFC 7518 § 3.4); undefined for what is no such signature. */
export function derOfRaw(raw: Uint8Array, native: string): Buffer | undefined {
  const bytes = CURVES[native]?.bytes ?? 0;
  if (raw.length !== 2 * bytes) return undefined;
  return element(SEQUENCE, Buffer.concat([integer(raw.subarray(0, bytes)), integer(raw.subarray(bytes))]));
}

/** The r || s of a signature in strict DER; undefined for any other form, and for numbers that fit no signature of the curve. */
export function rawOfDer(der: Uint8Array, native: string): Buffer | undefined {
  const curve = CURVES[native];
  const parts = curve && numbersOf(der);
  if (!parts || !parts.every((number) => isWithin(number, curve.order))) return undefined;
  const raw = Buffer.concat(parts.map((number) => leftPadded(number, curve.bytes)));
  return derOfRaw(raw, native)?.equals(der) === true ? raw : undefined; // there is one encoding only
}

function isWithin(number: Uint8Array, order: bigint): boolean {
  const value = BigInt(`0x0${Buffer.from(number).toString("hex")}`);
  return value > 0n && value < order;
}

function numbersOf(der: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  const outer = readElement(der, SEQUENCE);
  const r = outer && readElement(outer.content, INTEGER);
  const s = r && readElement(r.rest, INTEGER);
  return s && [withoutZeros(r.content), withoutZeros(s.content)];
}

/** One element at the start of the bytes, of a length of one or two octets: no signature here is longer. */
function readElement(bytes: Uint8Array, tag: number): { content: Uint8Array; rest: Uint8Array } | undefined {
  const isLong = bytes[1] === 0x81;
  const start = isLong ? 3 : 2;
  const length = bytes[isLong ? 2 : 1];
  if (bytes[0] !== tag || length === undefined || (!isLong && length >= 0x80)) return undefined;
  if (bytes.length < start + length) return undefined;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

function integer(number: Uint8Array): Buffer {
  const magnitude = withoutZeros(number);
  const sign = (magnitude[0] ?? 0x80) >= 0x80 ? [0] : [];
  return element(INTEGER, Buffer.concat([Buffer.from(sign), magnitude]));
}

function element(tag: number, content: Buffer): Buffer {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const at = bytes.findIndex((byte) => byte !== 0);
  return at < 0 ? bytes.subarray(bytes.length) : bytes.subarray(at);
}

function leftPadded(bytes: Uint8Array, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, length - bytes.length)), bytes]);
}
