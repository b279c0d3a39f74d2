import { ProviderError } from "#core/failures.ts";

/** What every answer of the SDK carries. */
export type Answered = { readonly $metadata: { readonly requestId?: string | undefined } };

/**
 * A field of an answer that was asked for. The SDK takes a 200 with `{}`, `null` or no body at all for a success, as a proxy
 * may send it: that is an OUTAGE, and UNKNOWN_OUTCOME where the call was to change something.
 */
export function present<T>(
  value: T | null | undefined,
  { field, answer, mutates = false }: { readonly field: string; readonly answer: Answered; readonly mutates?: boolean },
): T {
  if (value !== undefined && value !== null) return value;
  const { requestId } = answer.$metadata;
  throw new ProviderError({
    failure: mutates ? "UNKNOWN_OUTCOME" : "OUTAGE",
    ...(requestId === undefined ? {} : { requestId }),
    detail: `an answer without ${field}`,
  });
}

/** Bytes that were asked for. The SDK hands on what is no text where bytes should be. */
export function presentBytes(
  value: unknown,
  { field, answer }: { readonly field: string; readonly answer: Answered },
): Uint8Array {
  return present(value instanceof Uint8Array ? value : undefined, { field, answer });
}

/** The service's request id, for the audit trail. */
export function requestIdOf({ $metadata }: Answered): string | null {
  return $metadata.requestId ?? null;
}
