import type { Principal } from "#core/access.ts";
import type { Deadline } from "#resilience/deadline.ts";

/** Who asks, and under which bounds: what a door hands to every use case. */
export type Caller = {
  readonly principal: Principal;
  /** The namespace that the request names; the credential's own where it names none. */
  readonly namespace: string;
  readonly requestId: string;
  /** The door's name, for the audit trail. */
  readonly door: string;
  readonly deadline: Deadline;
  /** Everything is checked and nothing is changed. */
  readonly dryRun: boolean;
  /** The generation that `If-Match` wants; undefined if the request has none. */
  readonly ifGeneration?: number;
  readonly idempotency?: IdempotencyRequest;
};

/** The Idempotency-Key of a request, with what makes two requests the same. */
export type IdempotencyRequest = {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** SHA-256 of the RFC 8785 form of the body, base64. */
  readonly bodyDigest: string;
};

/** The answer of a change: the resource, and whether it repeats an earlier answer. */
export type Changed<T> = { readonly value: T; readonly status: number; readonly replayed: boolean };
