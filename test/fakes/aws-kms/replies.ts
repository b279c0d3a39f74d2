import { AwsFailure, accessDenied, invalidCiphertext, limitExceeded, notFound } from "./failure.ts";
import type { Fault } from "./faults.ts";

/** What goes on the wire, headers of every answer apart. */
export type Reply = { readonly status: number; readonly type: string; readonly body: string };

export const jsonReply = (body: Readonly<Record<string, unknown>>, status = 200): Reply => ({
  status,
  type: "application/x-amz-json-1.1",
  body: JSON.stringify(body),
});

export const failureReply = ({ type, message, status }: AwsFailure): Reply =>
  jsonReply({ __type: type, ...(message === "" ? {} : { message }) }, status);

/** The ready-made answer of a fault, instead of the operation's; undefined for faults that are no answer. */
export const faultReply = (fault: Fault): Reply | undefined => {
  const html = HTML[fault.kind];
  if (html !== undefined) return { status: html, type: "text/html", body: PAGE };
  const failure = FAILURES[fault.kind];
  if (failure !== undefined) return failureReply(failure());
  return fault.kind === "empty-200" ? jsonReply({}) : undefined;
};

const PAGE = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>";
const HTML: { readonly [kind in Fault["kind"]]?: number } = { garbage: 200, "error-html": 502 };

const FAILURES: { readonly [kind in Fault["kind"]]?: () => AwsFailure } = {
  error500: () => new AwsFailure("KMSInternalException", "", 500),
  error503: () => new AwsFailure("DependencyTimeoutException", "", 503),
  throttle: () =>
    new AwsFailure(
      "ThrottlingException",
      "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    ),
  limit: () => limitExceeded("You have exceeded a limit of your account."),
  "access-denied": () => accessDenied("You are not authorized to perform this operation."),
  "expired-token": () =>
    new AwsFailure("ExpiredTokenException", "The security token included in the request is expired"),
  disabled: () => new AwsFailure("DisabledException", "The key is disabled."),
  "not-found": () => notFound("The key does not exist"),
  "invalid-ciphertext": invalidCiphertext,
};
