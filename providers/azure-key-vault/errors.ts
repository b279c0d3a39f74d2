import { type Failure, ProviderError, type ProviderFault } from "#core/failures.ts";
import { codeOf, hasNoAnswer, isCertificateRefused, isNeverSent } from "./network-errors.ts";
import { retryAfterMs } from "./retry-after.ts";

type Row = { readonly failure: Failure; readonly detail: string };

/**
 * What a call is, as far as its errors depend on it: it reads, it uses a key, it opens or checks the caller's bytes with one, or it
 * changes something over there.
 */
export type CallKind = "read" | "use" | "open" | "change";

/** What the service's codes mean, inner codes first: the outer one of every 403 is `Forbidden`, of every 409 `Conflict`. */
export const AZURE_FAULTS = {
  // the key
  KeyDisabled: { failure: "STATE", detail: "the key is disabled" },
  KeyExpired: { failure: "STATE", detail: "the key has expired" },
  KeyNotYetValid: { failure: "STATE", detail: "the key is not valid yet" },
  KeyNotFound: { failure: "NOT_FOUND", detail: "no such key or version" },
  NotFound: { failure: "NOT_FOUND", detail: "no such key or version" },

  // our standing
  KeyOperationForbidden: { failure: "DENIED", detail: "key_ops or the permissions do not have this operation" },
  ForbiddenByPolicy: { failure: "DENIED", detail: "an access policy denies this" },
  ForbiddenByRbac: { failure: "DENIED", detail: "no role of the identity allows this" },
  ForbiddenByFirewall: { failure: "DENIED", detail: "the firewall of the vault lets nobody through from this address" },
  ForbiddenByConnection: { failure: "DENIED", detail: "the vault is for private endpoints only" },
  AccessDenied: { failure: "DENIED", detail: "the identity may not do this" },
  Forbidden: { failure: "DENIED", detail: "the identity may not do this" },
  Unauthorized: { failure: "CREDENTIALS", detail: "the vault does not take the token" },

  // a change that meets another, which may be the echo of a try of ours that was lost
  ObjectIsDeletedButRecoverable: { failure: "UNKNOWN_OUTCOME", detail: "a deleted key has the name" },
  ObjectIsBeingDeleted: { failure: "UNKNOWN_OUTCOME", detail: "the key is being deleted" },
  ObjectIsBeingRecovered: { failure: "UNKNOWN_OUTCOME", detail: "the key is being recovered" },
  Conflict: { failure: "UNKNOWN_OUTCOME", detail: "another change is running" },
  ConflictError: { failure: "UNKNOWN_OUTCOME", detail: "another change is running" },

  // limits, and the service itself
  Throttled: { failure: "THROTTLED", detail: "too many requests" },
  TooManyRequests: { failure: "THROTTLED", detail: "too many requests" },
  InternalServerError: { failure: "OUTAGE", detail: "the service failed inside" },
  ServiceUnavailable: { failure: "OUTAGE", detail: "the service is not available" },

  // malformed by us, or asked of a key that cannot; on opening calls the verdict on the caller's bytes
  BadParameter: { failure: "INTERNAL", detail: "the request does not fit the key" },
} as const satisfies Readonly<Record<string, Row>>;

/** Answers without a code of the service's own go by their status. */
const STATUS_FAILURES: Readonly<Record<number, Failure>> = {
  401: "CREDENTIALS",
  403: "DENIED",
  404: "NOT_FOUND",
  408: "OUTAGE",
  409: "UNKNOWN_OUTCOME",
  429: "THROTTLED",
};

/** Errors of @azure/identity that say that no token is to be had. */
const NO_TOKEN = /^(?:CredentialUnavailable|Authentication|AuthenticationRequired|AggregateAuthentication)Error$/u;

/** What the client saw of the answer: the SDK loses it where the body is not what it expects. */
export type Seen = {
  status?: number;
  requestId?: string;
  headers?: Readonly<Record<string, string>>;
};

/** Names a failure in our words. Total: whatever `error` is, there is an answer. */
export function faultOf(error: unknown, kind: CallKind = "read", seen: Seen = {}): ProviderFault {
  try {
    if (error instanceof ProviderError) return error.fault;
    const fault = faultOfParts(error, kind, seen);
    const isLost = kind === "change" && fault.failure === "OUTAGE" && !isNeverSent(error);
    return isLost ? { ...fault, failure: "UNKNOWN_OUTCOME" } : fault;
  } catch {
    return { failure: "INTERNAL", detail: "an error that cannot be read" };
  }
}

/** The failure to get a token: no answer of the vault's, whatever it was that failed. */
export function credentialsFault(error: unknown): ProviderFault {
  const { status } = partsOf(error, {});
  const isOutage = (status !== undefined && status >= 500) || (status === undefined && hasNoAnswer(error));
  const detail = isOutage
    ? "the source of tokens cannot be reached"
    : "no token is to be had: check the credentials, or the identity that the process runs under";
  return { failure: isOutage ? "OUTAGE" : "CREDENTIALS", ...nativeCode(nameOf(error)), answered: false, detail };
}

/** A failure found before the call: what is in no row of the capabilities, or out of its bounds. */
export function refused(detail: string): ProviderError {
  return new ProviderError({ failure: "INTERNAL", detail });
}

/** The one refusal of everything that does not open, whatever is wrong with it. */
export function doesNotOpen(): ProviderError {
  return new ProviderError(DOES_NOT_OPEN);
}

const DOES_NOT_OPEN: ProviderFault = { failure: "INVALID", detail: "the bytes do not open" };

/** What the service says of a key in a state that forbids something, found by reading. */
export function forbiddenByState(detail: string): ProviderError {
  return new ProviderError({ failure: "STATE", detail });
}

function faultOfParts(error: unknown, kind: CallKind, seen: Seen): ProviderFault {
  const { status, codes, about } = partsOf(error, seen);
  if (status === undefined) return faultWithoutAnswer(error);
  const code = codes.find(isRow);
  const told = code ?? codes[0];
  const of = { ...nativeCode(told), ...about };
  if (code === undefined)
    return { failure: failureOfStatus(status, told), ...of, detail: `an answer of status ${status}` };
  if (code === "BadParameter" && kind === "open") return { ...DOES_NOT_OPEN, ...of };
  const row: Row = AZURE_FAULTS[code];
  const isUsed = kind !== "change" && row.failure === "UNKNOWN_OUTCOME";
  return { ...row, ...(isUsed ? { failure: "STATE" as const } : {}), ...of };
}

function faultWithoutAnswer(error: unknown): ProviderFault {
  const name = nameOf(error);
  if (name === "AbortError") return { failure: "CANCELLED", answered: false, detail: "the call was cancelled" };
  if (name !== undefined && NO_TOKEN.test(name)) return credentialsFault(error);
  if (!hasNoAnswer(error)) return { failure: "INTERNAL", detail: "an error that the adapter does not know" };
  const code = codeOf(error) ?? "";
  const detail = isCertificateRefused(error)
    ? `the certificate of the endpoint does not verify (${code}): check the url, or name its authority with ca`
    : `the service gave no answer: ${code}; check the name in the url, and the network`;
  return { failure: "OUTAGE", answered: false, detail };
}

function failureOfStatus(status: number, code: string | undefined): Failure {
  if (status < 400 || status >= 500) return "OUTAGE"; // a success that the SDK could not read is none
  return code === undefined || status === 429
    ? (STATUS_FAILURES[status] ?? "INTERNAL")
    : (BY_STATUS[status] ?? "INTERNAL");
}

/** Where the status says it all, an unknown code changes nothing. */
const BY_STATUS: Readonly<Record<number, Failure>> = { 401: "CREDENTIALS", 403: "DENIED", 408: "OUTAGE" };

type Parts = {
  readonly status: number | undefined;
  /** The service's, the innermost first. */
  readonly codes: readonly string[];
  readonly about: Pick<ProviderFault, "requestId" | "retryAfterMs">;
};

function partsOf(error: unknown, seen: Seen): Parts {
  const own = memberOf(error, "statusCode");
  // An error that is none of the SDK's for answers (a TypeError) hides one; the network's have none.
  const status = typeof own === "number" ? own : codeOf(error) === undefined ? seen.status : undefined;
  const outer = memberOf(memberOf(error, "details"), "error");
  const inner = innerCodes(memberOf(outer, "innerError") ?? memberOf(outer, "innererror"));
  const codes = [...inner, memberOf(outer, "code"), status === undefined ? undefined : codeOf(error)];
  const wait = status === undefined ? undefined : retryAfterMs(seen.headers ?? {});
  const { requestId } = seen;
  return {
    status,
    codes: codes.filter((code): code is string => typeof code === "string" && code !== ""),
    about: {
      ...(requestId === undefined || status === undefined ? {} : { requestId }),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    },
  };
}

function innerCodes(error: unknown, depth = 0): unknown[] {
  if (error === undefined || error === null || depth > 4) return [];
  return [...innerCodes(memberOf(error, "innerError"), depth + 1), memberOf(error, "code")];
}

function nativeCode(code: string | undefined): { nativeCode?: string } {
  return code !== undefined && /^[A-Za-z]\w{0,99}$/u.test(code) ? { nativeCode: code } : {};
}

function isRow(code: string): code is keyof typeof AZURE_FAULTS {
  return Object.hasOwn(AZURE_FAULTS, code);
}

function nameOf(error: unknown): string | undefined {
  const name = memberOf(error, "name");
  return typeof name === "string" ? name : undefined;
}

function memberOf(value: unknown, member: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[member] : undefined;
}
