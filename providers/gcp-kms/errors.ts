import { type Failure, ProviderError, type ProviderFault } from "#core/failures.ts";

/** Refuses before the call. */
export function refused(detail: string): ProviderError {
  return new ProviderError({ failure: "INTERNAL", detail });
}

/** What a call does to the service, and what a verdict of it is about. */
export type CallKind =
  /** Looks, or protects bytes of ours: INVALID_ARGUMENT is our own mistake. */
  | "plain"
  /** Opens bytes of the caller's: INVALID_ARGUMENT is a verdict on them. */
  | "verdict"
  /** Changes something: a lost answer leaves its outcome unknown. */
  | "mutation";

/** Codes of gRPC (google.rpc.Code) to failures; where a call changes something, in the second column. */
const CODES: Readonly<Record<number, readonly [name: string, failure: Failure, ofMutation?: Failure]>> = {
  1: ["CANCELLED", "OUTAGE", "UNKNOWN_OUTCOME"],
  2: ["UNKNOWN", "OUTAGE", "UNKNOWN_OUTCOME"],
  3: ["INVALID_ARGUMENT", "INTERNAL"],
  4: ["DEADLINE_EXCEEDED", "OUTAGE", "UNKNOWN_OUTCOME"],
  5: ["NOT_FOUND", "NOT_FOUND"],
  6: ["ALREADY_EXISTS", "INTERNAL", "UNKNOWN_OUTCOME"],
  7: ["PERMISSION_DENIED", "DENIED"],
  8: ["RESOURCE_EXHAUSTED", "THROTTLED"],
  9: ["FAILED_PRECONDITION", "STATE"],
  10: ["ABORTED", "OUTAGE", "UNKNOWN_OUTCOME"],
  11: ["OUT_OF_RANGE", "INTERNAL"],
  12: ["UNIMPLEMENTED", "INTERNAL"],
  13: ["INTERNAL", "OUTAGE", "UNKNOWN_OUTCOME"],
  14: ["UNAVAILABLE", "OUTAGE", "UNKNOWN_OUTCOME"],
  15: ["DATA_LOSS", "OUTAGE", "UNKNOWN_OUTCOME"],
  16: ["UNAUTHENTICATED", "CREDENTIALS"],
};

const DETAILS: Partial<Readonly<Record<Failure, string>>> = {
  CHECKSUM: "a checksum did not match on the way",
  CREDENTIALS: "the service does not take the credentials: look at credentials, and at gcloud auth",
  DENIED: "the service denies it: look at the roles on the key ring, at billing, and whether the API is enabled",
  INVALID: "the service refuses the bytes",
  NOT_FOUND: "the service has no such key",
  OUTAGE: "no usable answer",
  STATE: "the key is not in a state for it",
  THROTTLED: "the quota is used up",
  UNKNOWN_OUTCOME: "no answer to a change",
};

/** Names what a call of the SDK rejected with. */
export function failed(
  error: unknown,
  { kind, signal }: { readonly kind: CallKind; readonly signal: AbortSignal },
): ProviderError {
  if (error instanceof ProviderError) return error;
  if (signal.aborted) return new ProviderError({ failure: "CANCELLED", detail: "the call was cancelled" }, error);
  const code = codeOf(error);
  const row = code === undefined ? undefined : CODES[code];
  if (row === undefined)
    return new ProviderError({ failure: "INTERNAL", detail: "an error without a code of the service's" }, error);
  const [name, failure, ofMutation] = row;
  const said = kind === "mutation" ? (ofMutation ?? failure) : failure;
  const meant = name === "INVALID_ARGUMENT" ? invalidArgument(error, kind) : said;
  const unanswered = name === "UNAVAILABLE" || name === "DEADLINE_EXCEEDED";
  const fault: ProviderFault = {
    failure: meant,
    nativeCode: name,
    ...(unanswered ? { answered: false } : {}),
    ...retryAfter(error),
    detail: DETAILS[meant] ?? "the service refuses the call",
  };
  return new ProviderError(fault, error);
}

/** A checksum that did not fit is told by the text alone (providers.md 4.6, and the fake's table); everything else by the call. */
function invalidArgument(error: unknown, kind: CallKind): Failure {
  const { details } = error as { readonly details?: unknown };
  if (typeof details === "string" && /crc32c/u.test(details)) return "CHECKSUM";
  return kind === "verdict" ? "INVALID" : "INTERNAL";
}

/** The RetryInfo of an answer (google.rpc.error_details), where it has one. */
function retryAfter(error: unknown): { readonly retryAfterMs?: number } {
  const { statusDetails } = error as { readonly statusDetails?: unknown };
  for (const detail of Array.isArray(statusDetails) ? (statusDetails as readonly unknown[]) : []) {
    const { retryDelay } = (detail ?? {}) as { readonly retryDelay?: { seconds?: unknown; nanos?: unknown } | null };
    const ms = Math.ceil(Number(retryDelay?.seconds ?? 0) * 1000 + Number(retryDelay?.nanos ?? 0) / 1e6);
    if (Number.isFinite(ms) && ms > 0) return { retryAfterMs: ms };
  }
  return {};
}

function codeOf(error: unknown): number | undefined {
  const { code } = (typeof error === "object" && error !== null ? error : {}) as { readonly code?: unknown };
  return typeof code === "number" && Object.hasOwn(CODES, code) ? code : undefined;
}

/** Never throws: what is not of ours is INTERNAL. */
export function faultOf(error: unknown): ProviderFault {
  try {
    if (error instanceof ProviderError) return error.fault;
  } catch {
    // something that does not even tell its prototype
  }
  return { failure: "INTERNAL", detail: "an error that is not of the service's" };
}

/** The credentials themselves cannot be had: no file, a refused grant, no metadata server. */
export function noCredentials(cause: unknown): ProviderError {
  const detail =
    "no credentials can be had: set credentials, or GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login";
  return new ProviderError({ failure: "CREDENTIALS", answered: false, detail }, cause);
}
