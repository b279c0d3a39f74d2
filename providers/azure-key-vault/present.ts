import { ProviderError } from "#core/failures.ts";

/**
 * What an answer was asked for. The SDK takes a 200 with `{}` for a success, as a proxy may send it: that is an OUTAGE, and
 * UNKNOWN_OUTCOME where the call was to change something.
 */
export function present<T>(value: T | null | undefined, field: string, { changes = false } = {}): T {
  if (value !== undefined && value !== null) return value;
  throw new ProviderError({ failure: changes ? "UNKNOWN_OUTCOME" : "OUTAGE", detail: `an answer without ${field}` });
}

/** Bytes that were asked for. */
export function presentBytes(value: unknown, field: string): Uint8Array {
  return present(value instanceof Uint8Array ? value : undefined, field);
}

/** Secret bytes of an answer in an unpooled buffer that the caller owns. The SDK's copy, which may lie in Node's pool, is zeroed. */
export function takeBytes(value: unknown, field: string): Buffer {
  const bytes = presentBytes(value, field);
  const own = Buffer.alloc(bytes.length);
  own.set(bytes);
  bytes.fill(0);
  return own;
}
