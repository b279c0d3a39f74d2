import type { AlgorithmName } from "#core/algorithms.ts";

/** Bytes of r, and of s, by curve. */
const FIELD_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "EC-P256-SHA256": 32,
  "EC-P384-SHA384": 48,
  "EC-P521-SHA512": 66,
  "EC-SECP256K1-SHA256": 32,
};

/** r and s side by side (IEEE P1363) from a DER signature (RFC 3279 § 2.2.3); undefined for what is none. */
export function ecdsaToRaw(der: Uint8Array, algorithm: AlgorithmName): Buffer | undefined {
  const field = FIELD_BYTES[algorithm];
  if (field === undefined) return undefined;
  const body = readElement(der, 0x30);
  if (body === undefined || body.rest.length > 0) return undefined;
  const r = readElement(body.content, 0x02);
  const s = r === undefined ? undefined : readElement(r.rest, 0x02);
  if (r === undefined || s === undefined || s.rest.length > 0) return undefined;
  const raw = Buffer.alloc(2 * field);
  return place(r.content, raw.subarray(0, field)) && place(s.content, raw.subarray(field)) ? raw : undefined;
}

type Element = { readonly content: Uint8Array; readonly rest: Uint8Array };

/** One DER element of a tag, at most 255 bytes long. */
function readElement(bytes: Uint8Array, tag: number): Element | undefined {
  if (bytes[0] !== tag) return undefined;
  const first = bytes[1] ?? 0;
  const long = first === 0x81;
  const length = long ? (bytes[2] ?? 0) : first;
  const start = long ? 3 : 2;
  if ((!long && first > 0x7f) || (long && length < 0x80) || bytes.length < start + length) return undefined;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

/** Writes a positive INTEGER right-aligned into `out`; false for one that is not minimal, is negative or too large. */
function place(integer: Uint8Array, out: Buffer): boolean {
  const [first, second] = integer;
  if (first === undefined || first > 0x7f || (first === 0 && (second === undefined || second < 0x80))) return false;
  const digits = first === 0 ? integer.subarray(1) : integer;
  if (digits.length > out.length) return false;
  out.set(digits, out.length - digits.length);
  return true;
}

/** A DER signature from r and s side by side; undefined for another length than the curve's. */
export function ecdsaToDer(raw: Uint8Array, algorithm: AlgorithmName): Buffer | undefined {
  const field = FIELD_BYTES[algorithm];
  if (field === undefined || raw.length !== 2 * field) return undefined;
  const body = Buffer.concat([writeInteger(raw.subarray(0, field)), writeInteger(raw.subarray(field))]);
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

function writeInteger(digits: Uint8Array): Buffer {
  const first = digits.findIndex((digit) => digit !== 0);
  const minimal = first < 0 ? Uint8Array.of(0) : digits.subarray(first);
  const padded = (minimal[0] ?? 0) > 0x7f ? Buffer.concat([Uint8Array.of(0), minimal]) : minimal;
  return Buffer.concat([Uint8Array.of(0x02, padded.length), padded]);
}
