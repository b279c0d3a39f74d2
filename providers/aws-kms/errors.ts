import { type Failure, ProviderError, type ProviderFault } from "#core/failures.ts";
import { hasNoAnswer, isNeverSent } from "./network-errors.ts";
import { retryAfterMs } from "./retry-after.ts";

type Row = { readonly failure: Failure; readonly detail: string };

/**
 * What each error of AWS KMS means: every class that the SDK exports, and what its front end and the SDK itself say.
 * Classified by name, because on the wire every client error is a 400. What is in no row goes by its status.
 */
export const AWS_FAULTS = {
  // the service, or what it stands on, is away
  KMSInternalException: { failure: "OUTAGE", detail: "the service failed inside" },
  KeyUnavailableException: { failure: "OUTAGE", detail: "the key is not available now" },
  DependencyTimeoutException: { failure: "OUTAGE", detail: "the service timed out inside" },
  InternalFailure: { failure: "OUTAGE", detail: "the service failed inside" },
  ServiceUnavailable: { failure: "OUTAGE", detail: "the service is not available" },
  RequestTimeoutException: { failure: "OUTAGE", detail: "the service waited too long for the request" },
  RequestAbortedException: { failure: "OUTAGE", detail: "the service aborted the request" },
  CustomKeyStoreInvalidStateException: { failure: "OUTAGE", detail: "the custom key store is not connected" },
  CloudHsmClusterNotActiveException: { failure: "OUTAGE", detail: "the cluster of the key store is not active" },

  // limits: those that time refills, and those that it does not
  ThrottlingException: { failure: "THROTTLED", detail: "too many requests" },
  RequestLimitExceeded: { failure: "THROTTLED", detail: "too many requests" },
  LimitExceededException: { failure: "EXHAUSTED", detail: "a quota of the account is used up" },

  // the key
  DisabledException: { failure: "STATE", detail: "the key is disabled" },
  KMSInvalidStateException: { failure: "STATE", detail: "the state of the key does not allow this" },
  NotFoundException: { failure: "NOT_FOUND", detail: "no such key or alias" },

  // our standing: what we may do, and who we are
  AccessDeniedException: { failure: "DENIED", detail: "iam or the key policy denies this" },
  NotAuthorized: { failure: "DENIED", detail: "iam denies this" },
  NotAuthorizedException: { failure: "DENIED", detail: "the name is reserved for aws" },
  OptInRequired: { failure: "DENIED", detail: "the account has not subscribed to the service" },
  InvalidGrantTokenException: { failure: "DENIED", detail: "the grant token is not valid" },
  ExpiredTokenException: { failure: "CREDENTIALS", detail: "the session token has expired" },
  UnrecognizedClientException: { failure: "CREDENTIALS", detail: "the access key or session token is unknown" },
  InvalidClientTokenId: { failure: "CREDENTIALS", detail: "the access key is unknown" },
  MissingAuthenticationTokenException: { failure: "CREDENTIALS", detail: "the request is not signed" },
  IncompleteSignature: { failure: "CREDENTIALS", detail: "the signature is incomplete" },
  InvalidSignatureException: { failure: "CREDENTIALS", detail: "the secret key or the clock is wrong" },
  SignatureDoesNotMatch: { failure: "CREDENTIALS", detail: "the secret key or the clock is wrong" },
  RequestExpired: { failure: "CREDENTIALS", detail: "the clock is wrong" },
  RequestInTheFuture: { failure: "CREDENTIALS", detail: "the clock is wrong" },
  RequestTimeTooSkewed: { failure: "CREDENTIALS", detail: "the clock is wrong" },
  CredentialsProviderError: { failure: "CREDENTIALS", detail: "no credentials were found" },
  TokenProviderError: { failure: "CREDENTIALS", detail: "no credentials were found" },

  // a verdict on the caller's bytes; one text, because the caller may not learn which it was
  InvalidCiphertextException: { failure: "INVALID", detail: "the ciphertext does not open" },
  IncorrectKeyException: { failure: "INVALID", detail: "the ciphertext does not open" },
  KMSInvalidSignatureException: { failure: "INVALID", detail: "the signature does not fit" },
  KMSInvalidMacException: { failure: "INVALID", detail: "the mac does not fit" },
  IncorrectKeyMaterialException: { failure: "INVALID", detail: "the material is another than before" },
  ExpiredImportTokenException: { failure: "INVALID", detail: "the import token has expired" },
  InvalidImportTokenException: { failure: "INVALID", detail: "the import token is not valid" },

  // a conflict, which may be the echo of a try of ours that was lost
  AlreadyExistsException: { failure: "UNKNOWN_OUTCOME", detail: "the alias exists" },
  ConflictException: { failure: "UNKNOWN_OUTCOME", detail: "another change of the key is running" },

  // malformed by us, or asked of a key that cannot
  ValidationException: { failure: "INTERNAL", detail: "the request is malformed" },
  ValidationError: { failure: "INTERNAL", detail: "the request is malformed" },
  SerializationException: { failure: "INTERNAL", detail: "the request is malformed" },
  MalformedHttpRequestException: { failure: "INTERNAL", detail: "the request is malformed" },
  RequestEntityTooLargeException: { failure: "INTERNAL", detail: "the request is too large" },
  UnknownOperationException: { failure: "INTERNAL", detail: "the service does not know the operation" },
  InvalidArnException: { failure: "INTERNAL", detail: "the reference is no arn of this region" },
  InvalidAliasNameException: { failure: "INTERNAL", detail: "the alias is malformed" },
  InvalidGrantIdException: { failure: "INTERNAL", detail: "the grant id is malformed" },
  InvalidMarkerException: { failure: "INTERNAL", detail: "the marker of the page is malformed" },
  TagException: { failure: "INTERNAL", detail: "a tag is malformed" },
  MalformedPolicyDocumentException: { failure: "INTERNAL", detail: "the key policy is malformed" },
  InvalidKeyUsageException: { failure: "INTERNAL", detail: "the key has another usage or algorithm" },
  UnsupportedOperationException: { failure: "INTERNAL", detail: "the key or the service does not support this" },
  DryRunOperationException: { failure: "INTERNAL", detail: "a dry run, which was not asked for" },

  // calls that create, connect or change a custom key store, and keys in one
  CloudHsmClusterInUseException: { failure: "INTERNAL", detail: "the cluster belongs to another key store" },
  CloudHsmClusterInvalidConfigurationException: { failure: "INTERNAL", detail: "the cluster is configured wrongly" },
  CloudHsmClusterNotFoundException: { failure: "INTERNAL", detail: "no such cluster" },
  CloudHsmClusterNotRelatedException: { failure: "INTERNAL", detail: "the cluster has another history" },
  CustomKeyStoreHasCMKsException: { failure: "INTERNAL", detail: "the key store has keys" },
  CustomKeyStoreNameInUseException: { failure: "INTERNAL", detail: "the name of the key store is taken" },
  CustomKeyStoreNotFoundException: { failure: "INTERNAL", detail: "no such key store" },
  IncorrectTrustAnchorException: { failure: "INTERNAL", detail: "the trust anchor of the key store is wrong" },
  XksKeyAlreadyInUseException: { failure: "INTERNAL", detail: "the external key is in use" },
  XksKeyInvalidConfigurationException: { failure: "INTERNAL", detail: "the external key is configured wrongly" },
  XksKeyNotFoundException: { failure: "INTERNAL", detail: "no such external key" },
  XksProxyIncorrectAuthenticationCredentialException: {
    failure: "INTERNAL",
    detail: "the proxy knows no such credential",
  },
  XksProxyInvalidConfigurationException: { failure: "INTERNAL", detail: "the proxy is configured wrongly" },
  XksProxyInvalidResponseException: { failure: "INTERNAL", detail: "the proxy answers wrongly" },
  XksProxyUriEndpointInUseException: { failure: "INTERNAL", detail: "the endpoint of the proxy is in use" },
  XksProxyUriInUseException: { failure: "INTERNAL", detail: "the uri of the proxy is in use" },
  XksProxyUriUnreachableException: { failure: "INTERNAL", detail: "the proxy cannot be reached" },
  XksProxyVpcEndpointServiceInUseException: { failure: "INTERNAL", detail: "the endpoint service is in use" },
  XksProxyVpcEndpointServiceInvalidConfigurationException: {
    failure: "INTERNAL",
    detail: "the endpoint service is configured wrongly",
  },
  XksProxyVpcEndpointServiceNotFoundException: { failure: "INTERNAL", detail: "no such endpoint service" },
} as const satisfies Readonly<Record<string, Row>>;

/**
 * Names a failure in our words. Total: whatever `error` is, there is an answer.
 *
 * `mutates` says that the call changes something over there: what would be an OUTAGE is then UNKNOWN_OUTCOME, unless the
 * request cannot have reached the service.
 */
export function faultOf(
  error: unknown,
  { mutates }: { readonly mutates: boolean } = { mutates: false },
): ProviderFault {
  try {
    if (error instanceof ProviderError) return error.fault;
    const fault = faultOfParts(error, partsOf(error));
    return mutates && fault.failure === "OUTAGE" && !isNeverSent(error)
      ? { ...fault, failure: "UNKNOWN_OUTCOME" }
      : fault;
  } catch {
    return { failure: "INTERNAL", detail: "an error that cannot be read" };
  }
}

/** The failure to get credentials before a call: no answer of the key service's, whatever it was that failed. */
export function credentialsFault(error: unknown): ProviderFault {
  const { status = 0, name } = partsOf(error);
  const outage = status >= 500 || (status === 0 && hasNoAnswer(error));
  const failure = outage ? "OUTAGE" : "CREDENTIALS";
  return { failure, ...nativeCodeOf(name), answered: false, detail: "credentials cannot be had from their source" };
}

/** Whether an answer came that the SDK could not read: an error with a response, but none that the service declared. */
export function isUnread(error: unknown): boolean {
  return memberOf(error, "$response") !== undefined && memberOf(error, "$fault") === undefined;
}

/** A failure found before the call: what is in no row of the capabilities, or out of its bounds. */
export function refused(detail: string): ProviderError {
  return new ProviderError({ failure: "INTERNAL", detail });
}

/** What an error of the SDK tells beside its class. */
type Parts = { name: string; status?: number; requestId?: string; headers: Readonly<Record<string, string>> };

function faultOfParts(error: unknown, { name, status, requestId, headers }: Parts): ProviderFault {
  if (status === undefined) return faultWithoutAnswer(error, name);
  const wait = retryAfterMs(headers);
  const about = {
    ...(requestId === undefined ? {} : { requestId }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
  if (isRow(name)) return { ...AWS_FAULTS[name], nativeCode: name, ...about };
  const failure = hasNoAnswer(error) ? "OUTAGE" : failureOfStatus(status, name); // the connection broke within the answer
  return { failure, ...nativeCodeOf(name), ...about, detail: `an answer with status ${status}` };
}

function faultWithoutAnswer(error: unknown, name: string): ProviderFault {
  if (name === "AbortError") return { failure: "CANCELLED", answered: false, detail: "the call was cancelled" };
  if (isRow(name)) return { ...AWS_FAULTS[name], nativeCode: name };
  if (!hasNoAnswer(error)) return { failure: "INTERNAL", detail: "an error that the adapter does not know" };
  const reason = textOf(error, "code") ?? name;
  return { failure: "OUTAGE", answered: false, detail: `the service gave no answer: ${reason}` };
}

/** Names of the SDK's own for answers without a code of the service's: an empty body, `{}`, HTML, JSON that is cut. */
const NAMELESS = ["Unknown", "UnknownError", "SyntaxError", "TypeError", "Error"];

/** An answer without a code of the service's own goes by its status; a code that is in no row is INTERNAL, unless it is a 5xx. */
function failureOfStatus(status: number, name: string): Failure {
  if (status < 400 || status >= 500) return "OUTAGE";
  if (!NAMELESS.includes(name)) return "INTERNAL";
  return NAMELESS_STATUS[status] ?? "INTERNAL";
}

const NAMELESS_STATUS: Readonly<Record<number, Failure>> = {
  401: "CREDENTIALS",
  403: "DENIED",
  408: "OUTAGE",
  429: "THROTTLED",
};

function partsOf(error: unknown): Parts {
  const metadata = memberOf(error, "$metadata");
  const response = memberOf(error, "$response");
  const status = memberOf(response, "statusCode") ?? memberOf(metadata, "httpStatusCode");
  const requestId = textOf(metadata, "requestId");
  return {
    name: textOf(error, "name") ?? "",
    headers: (memberOf(response, "headers") ?? {}) as Readonly<Record<string, string>>,
    ...(typeof status === "number" ? { status } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function nativeCodeOf(name: string): { nativeCode?: string } {
  return /^[A-Za-z][\w.-]{0,99}$/u.test(name) && !NAMELESS.includes(name) ? { nativeCode: name } : {};
}

function isRow(name: string): name is keyof typeof AWS_FAULTS {
  return Object.hasOwn(AWS_FAULTS, name);
}

function textOf(value: unknown, member: string): string | undefined {
  const found = memberOf(value, member);
  return typeof found === "string" ? found : undefined;
}

function memberOf(value: unknown, member: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[member] : undefined;
}
