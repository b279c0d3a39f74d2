import { ciphertextInvalid, ERROR_CODES, type ErrorCode, KmsError } from "#core/errors.ts";
import { FAILURES, ProviderError, type ProviderFault } from "#core/failures.ts";
import { type Deadline, deadlineExceeded } from "./deadline.ts";
import { faultOf } from "./provider-pool.ts";

/** An attempt of a plan, as far as failover reads it. */
export type Attempt = { readonly provider: string; readonly timeoutMs: number };

export type Tried<A> = { readonly attempt: A; readonly fault: ProviderFault };

export type FailoverOptions<A, T> = {
  readonly attempts: readonly A[];
  readonly deadline: Deadline;
  /** One attempt; rejects with a ProviderError. `last`: nobody comes after it. */
  readonly run: (attempt: A, last: boolean) => Promise<T>;
  /** Told of each failure, before the next attempt. */
  readonly onFault?: (tried: Tried<A>) => void;
};

/**
 * Goes through the attempts of a plan until one gives an answer, as the failure table says: what is nobody's verdict goes to the next, a
 * verdict on the bytes never does.
 *
 * @throws {KmsError} `DEADLINE_EXCEEDED`, or what the failures together mean for a caller ({@link toKmsError})
 */
export async function runPlan<A extends Attempt, T>({
  attempts,
  deadline,
  run,
  onFault,
}: FailoverOptions<A, T>): Promise<T> {
  const faults: ProviderFault[] = [];
  for (const [index, attempt] of attempts.entries()) {
    if (deadline.forAttemptsMs() <= 0) break;
    try {
      return await run(attempt, index === attempts.length - 1);
    } catch (error) {
      if (error instanceof KmsError) throw error;
      const fault = faultOf(error);
      faults.push(fault);
      onFault?.({ attempt, fault });
      if (FAILURES[fault.failure].next === "no") throw toKmsError(isVerdict(fault) ? [fault] : faults, error);
    }
  }
  throw faults.length === 0 && attempts.length > 0 ? deadlineExceeded() : toKmsError(faults);
}

/** What ends the plan by what it says, whatever others said before; a cancellation ends it and says nothing. */
function isVerdict({ failure }: ProviderFault): boolean {
  return failure !== "CANCELLED";
}

/** What a caller is told when no attempt gave an answer: the failure that says most. */
export function toKmsError(faults: readonly ProviderFault[], cause?: unknown): KmsError {
  for (const { failure, code, detail } of MEANINGS) {
    const fault = faults.find((one) => one.failure === failure);
    if (fault === undefined) continue;
    const told = cause ?? new ProviderError(fault);
    if (code === "CIPHERTEXT_INVALID") return ciphertextInvalid(told);
    return new KmsError(code, detail, { cause: told, ...retryAfter(code, fault) });
  }
  return new KmsError("NO_PROVIDER", NOBODY, { retryAfterSeconds: 1, cause });
}

function retryAfter(code: ErrorCode, { retryAfterMs = 1000 }: ProviderFault): { readonly retryAfterSeconds?: number } {
  return ERROR_CODES[code].retry === "later" ? { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) } : {};
}

const NOBODY = "no provider can do this now";
const MEANINGS: readonly {
  readonly failure: ProviderFault["failure"];
  readonly code: ErrorCode;
  readonly detail: string;
}[] = [
  {
    failure: "INVALID",
    code: "CIPHERTEXT_INVALID",
    detail: "the ciphertext cannot be opened with this key and context",
  },
  { failure: "UNKNOWN_OUTCOME", code: "UNKNOWN_OUTCOME", detail: "a provider did not say whether it made the change" },
  { failure: "OUTAGE", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "LOCAL", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "THROTTLED", code: "PROVIDER_THROTTLED", detail: "the key service throttles" },
  { failure: "DENIED", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "CREDENTIALS", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "EXHAUSTED", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "CHECKSUM", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "STATE", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "NOT_FOUND", code: "NO_PROVIDER", detail: NOBODY },
  { failure: "BAD_WRAP", code: "INTEGRITY_FAILURE", detail: "no wrap of the key opens to what its commitment says" },
  { failure: "CANCELLED", code: "DEADLINE_EXCEEDED", detail: "the deadline passed before there was an answer" },
  { failure: "INTERNAL", code: "INTERNAL", detail: "something went wrong inside" },
];
