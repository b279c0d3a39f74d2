import type { AlgorithmName } from "#core/algorithms.ts";

const BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "EC-P256-SHA256": 32,
  "EC-P384-SHA384": 48,
  "EC-P521-SHA512": 66,
  "EC-SECP256K1-SHA256": 32,
};

/** The bytes of each number of an ECDSA signature; undefined for other algorithms. */
export function curveBytes(algorithm: AlgorithmName): number | undefined {
  return BYTES[algorithm];
}

/** DER (RFC 3279 § 2.2.3) of a token's r || s. */
export function derOfRaw(raw: Uint8Array, bytes: number): Buffer {
  const numbers = Buffer.concat([integer(raw.subarray(0, bytes)), integer(raw.subarray(bytes))]);
  return element(0x30, numbers);
}

/** r || s of a signature in strict DER; undefined for any other form, or numbers that are too long. */
export function rawOfDer(der: Uint8Array, bytes: number): Buffer | undefined {
  const numbers = numbersOf(Buffer.from(der));
  if (numbers === undefined || numbers.some(({ length }) => length > bytes || length === 0)) return undefined;
  const raw = Buffer.concat(numbers.map((number) => Buffer.concat([Buffer.alloc(bytes - number.length), number])));
  return derOfRaw(raw, bytes).equals(der) ? raw : undefined; // there is one encoding only
}

function numbersOf(der: Buffer): readonly Buffer[] | undefined {
  const start = der[1] === 0x81 ? 3 : 2;
  const rLength = der[start + 1] ?? 0;
  const sStart = start + 2 + rLength;
  const sLength = der[sStart + 1] ?? 0;
  if (der[0] !== 0x30 || der[start] !== 0x02 || der[sStart] !== 0x02) return undefined;
  return [der.subarray(start + 2, sStart), der.subarray(sStart + 2, sStart + 2 + sLength)].map(withoutZeros);
}

function integer(number: Uint8Array): Buffer {
  const magnitude = withoutZeros(number);
  const sign = (magnitude[0] ?? 0x80) >= 0x80 ? [0] : [];
  return element(0x02, Buffer.concat([Buffer.from(sign), magnitude]));
}

function element(tag: number, content: Buffer): Buffer {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function withoutZeros(bytes: Uint8Array): Buffer {
  const at = bytes.findIndex((byte) => byte !== 0);
  return Buffer.from(at < 0 ? bytes.subarray(bytes.length) : bytes.subarray(at));
}
