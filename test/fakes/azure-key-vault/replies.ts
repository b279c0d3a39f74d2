import { AzureFailure, badParameter, forbidden, keyNotFound } from "./failure.ts";
import type { Fault } from "./faults.ts";
import type { Result } from "./operation.ts";

export type Reply = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const JSON_TYPE = "application/json; charset=utf-8";

export const resultReply = (result: Result): Reply =>
  result === undefined
    ? { status: 204, type: JSON_TYPE, body: "" }
    : { status: 200, type: JSON_TYPE, body: JSON.stringify(result) };

export const failureReply = ({ status, code, inner, message }: AzureFailure): Reply => {
  const error = { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) };
  return { status, type: JSON_TYPE, body: JSON.stringify({ error }) };
};

/** 401. `error` is left out where no token came at all. */
export const challengeReply = (resource: string, error?: string): Reply => {
  const message = error ?? "AKV10000: Request is missing a Bearer or PoP token.";
  const told = error === undefined ? "" : `, error="invalid_token", error_description="${error}"`;
  const authority = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47";
  return {
    ...failureReply(new AzureFailure(401, { code: "Unauthorized", message })),
    headers: { "WWW-Authenticate": `Bearer authorization="${authority}", resource="${resource}"${told}` },
  };
};

const html = (status: number): Reply => ({ status, type: "text/html", body: "<html><body>Service</body></html>" });

/** What a fault answers instead of the operation; undefined if the operation is performed. */
export const faultReply = (fault: Fault, resource: string): Reply | undefined => {
  if (fault.kind === "throttle") return throttled(fault.retryAfter);
  if (fault.kind === "unauthenticated") return challengeReply(resource, "AKV10022: Invalid audience or token.");
  if (fault.kind === "garbage") return html(200);
  if (fault.kind === "error-html") return html(502);
  const failure = FAILURES[fault.kind]?.();
  return failure === undefined ? undefined : failureReply(failure);
};

const throttled = (retryAfter: number | null = 1): Reply => {
  const message = "Request was not processed because too many requests were received.";
  const reply = failureReply(new AzureFailure(429, { code: "Throttled", message }));
  return retryAfter === null ? reply : { ...reply, headers: { "Retry-After": String(retryAfter) } };
};

const FAILURES: { readonly [kind in Fault["kind"]]?: () => AzureFailure } = {
  error500: () => new AzureFailure(500, { code: "InternalServerError", message: "An internal error occurred." }),
  error503: () => new AzureFailure(503, { code: "ServiceUnavailable", message: "The service is unavailable." }),
  "access-denied": () => forbidden("ForbiddenByPolicy", "The caller does not have permission on the key vault."),
  disabled: () => forbidden("KeyDisabled", "Operation is not allowed on a disabled key."),
  "not-found": () => keyNotFound("key"),
  "invalid-ciphertext": () => badParameter(),
};
