import { FAILURES, type ProviderFault } from "#core/failures.ts";

/** The waits for a service that throttles and says nothing of when, and for the plan's last attempt: a draw between them. */
const UNTOLD_WAIT_MS = { min: 100, max: 300 } as const;
const JITTER_MS = { min: 10, max: 100 } as const;

type Failed = {
  readonly fault: ProviderFault;
  /** How often the call was repeated already. */
  readonly repeated: number;
  /** Nobody comes after this attempt. */
  readonly last: boolean;
  /** The call changes something over there. */
  readonly mutation: boolean;
  /** We changed the key within the time that the service takes to show it everywhere. */
  readonly changed: boolean;
  readonly leftMs: number;
  /** 0..1. */
  readonly draw: number;
};

/**
 * How long to wait before the same provider is asked again, in milliseconds; undefined if it is not. The column "same provider again" of
 * the failure table; a mutation is never repeated here.
 */
export function repetition({ fault, repeated, last, mutation, changed, leftMs, draw }: Failed): number | undefined {
  if (mutation || leftMs <= 0) return undefined;
  const between = ({ min, max }: { min: number; max: number }): number => min + draw * (max - min);
  switch (FAILURES[fault.failure].again) {
    case "if-unanswered": {
      if (fault.answered === false && repeated === 0) return 0;
      const allowed = fault.answered === false ? 2 : 1;
      const waitMs = between(JITTER_MS);
      return last && repeated < allowed && waitMs < leftMs ? waitMs : undefined;
    }
    case "once":
      return repeated === 0 ? 0 : undefined;
    case "if-retry-after-fits": {
      const waitMs = fault.retryAfterMs ?? between(UNTOLD_WAIT_MS);
      return last && repeated === 0 && waitMs <= leftMs / 4 ? waitMs : undefined;
    }
    case "if-changed": {
      const waitMs = between(UNTOLD_WAIT_MS);
      return changed && repeated === 0 && waitMs < leftMs ? waitMs : undefined;
    }
    case "refresh-credentials":
      return repeated === 0 ? 0 : undefined;
    case "no":
    case "after-read-back":
      return undefined;
    default:
      return undefined;
  }
}
