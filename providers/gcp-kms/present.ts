import { ProviderError } from "#core/failures.ts";
import { crc32c } from "./crc32c.ts";

/** A field of an answer that was asked for; its absence is an OUTAGE. */
export function present<T>(value: T | null | undefined, field: string): T {
  if (value !== undefined && value !== null) return value;
  throw new ProviderError({ failure: "OUTAGE", detail: `an answer without ${field}` });
}

/** A checksum as a request has it (Int64Value). */
export function sum(bytes: Uint8Array): { readonly value: number } {
  return { value: crc32c(bytes) };
}

/** Bytes of an answer, which must have the checksum beside them: an unpooled copy. */
export function checkedBytes(value: unknown, crc: unknown, field: string): Buffer {
  const bytes = present(value instanceof Uint8Array ? value : undefined, field);
  if (checksumOf(crc) !== String(crc32c(bytes))) throw wrongChecksum(`${field} is not what its checksum says`);
  return Buffer.from(Uint8Array.from(bytes).buffer);
}

/** What we sent must have arrived with its checksum: the proto says to discard an answer that does not say so. */
export function requireVerified(verified: unknown, field: string): void {
  if (verified !== true) throw wrongChecksum(`the service has not seen the checksum of ${field}`);
}

export function requireChecksum(bytes: Uint8Array, crc: unknown, field: string): void {
  if (checksumOf(crc) !== String(crc32c(bytes))) throw wrongChecksum(`${field} is not what its checksum says`);
}

/** Int64Value comes as an object around a number, a decimal text or a Long. */
function checksumOf(crc: unknown): string {
  const inner = typeof crc === "object" && crc !== null && "value" in crc ? crc.value : crc;
  return String(inner);
}

function wrongChecksum(detail: string): ProviderError {
  return new ProviderError({ failure: "CHECKSUM", detail });
}
