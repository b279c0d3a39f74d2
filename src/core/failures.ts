/**
 * What a failed attempt means for the attempts after it: the whole vocabulary, as data.
 * - `again`: the same provider once more. `if-unanswered` (never a mutation that was sent), `if-retry-after-fits`, `if-changed` (we changed the
 *   key so short a time ago that the service may not show it yet), `once`, `no`.
 * - `next`: the next provider. `hold-rule`: as the hold rule of the architecture says.
 * - `breaker`: `counts` as a failure, `ignored` (the provider is alive), `neither` (proves nothing), `counts-unless-answered`.
 */
type FailureTraits = {
  readonly again:
    | "no"
    | "once"
    | "if-unanswered"
    | "if-retry-after-fits"
    | "if-changed"
    | "refresh-credentials"
    | "after-read-back";
  readonly next: "yes" | "no" | "hold-rule";
  readonly breaker: "counts" | "ignored" | "neither" | "counts-unless-answered";
};

export const FAILURES = {
  OUTAGE: { again: "if-unanswered", next: "yes", breaker: "counts" },
  THROTTLED: { again: "if-retry-after-fits", next: "yes", breaker: "ignored" },
  EXHAUSTED: { again: "no", next: "yes", breaker: "ignored" },
  CREDENTIALS: { again: "refresh-credentials", next: "yes", breaker: "counts" },
  DENIED: { again: "no", next: "hold-rule", breaker: "ignored" },
  STATE: { again: "if-changed", next: "hold-rule", breaker: "ignored" },
  NOT_FOUND: { again: "if-changed", next: "hold-rule", breaker: "ignored" },
  INVALID: { again: "no", next: "no", breaker: "ignored" },
  BAD_WRAP: { again: "no", next: "yes", breaker: "ignored" },
  UNKNOWN_OUTCOME: { again: "after-read-back", next: "no", breaker: "counts-unless-answered" },
  CHECKSUM: { again: "once", next: "yes", breaker: "counts" },
  CANCELLED: { again: "no", next: "no", breaker: "neither" },
  LOCAL: { again: "no", next: "yes", breaker: "ignored" },
  INTERNAL: { again: "no", next: "yes", breaker: "ignored" },
} as const satisfies Record<string, FailureTraits>;

export type Failure = keyof typeof FAILURES;

/** A provider's error in our words. Says nothing of keys, plaintexts or credentials. */
export type ProviderFault = {
  readonly failure: Failure;
  /** The service's own code, such as `ThrottlingException`; absent where it gave none. */
  readonly nativeCode?: string;
  /** The service's own request id. */
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  /** False where the service gave no answer at all (connect refused, reset, our timeout); absent where it answered. */
  readonly answered?: boolean;
  /** For operators: lower case, no secret. */
  readonly detail: string;
};

/** An attempt that failed, as `resilience` and the adapters' own checks throw it. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly fault: ProviderFault;

  constructor(fault: ProviderFault, cause?: unknown) {
    super(`${fault.failure}: ${fault.detail}`, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
