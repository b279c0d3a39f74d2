import type { Detail } from "./rpc-details.ts";

/** The canonical codes, google/rpc/code.proto. */
export const CODES = {
  OK: 0,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type CodeName = keyof typeof CODES;

/** An answer that is not OK: a status, a message and details of google.rpc. */
export class GrpcFailure extends Error {
  readonly code: CodeName;
  readonly details: readonly Detail[];

  constructor(code: CodeName, message: string, details: readonly Detail[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export const invalidArgument = (text: string): GrpcFailure => new GrpcFailure("INVALID_ARGUMENT", text);
export const notFound = (kind: string, name: string): GrpcFailure =>
  new GrpcFailure("NOT_FOUND", `${kind} ${name} not found.`);
export const alreadyExists = (kind: string, name: string): GrpcFailure =>
  new GrpcFailure("ALREADY_EXISTS", `${kind} ${name} already exists.`);

/** A refusal for a state, with the violation that says which. */
export const precondition = (
  text: string,
  violation: { readonly type: string; readonly subject: string },
): GrpcFailure =>
  new GrpcFailure("FAILED_PRECONDITION", text, [{ kind: "precondition", ...violation, description: text }]);

export const notEnabled = (version: string, state: string): GrpcFailure =>
  precondition(`${version} is not enabled, current state is: ${state}.`, { type: `KEY_${state}`, subject: version });

/** The answer to a changed byte and to wrong additional data alike. */
export const decryptionFailed = (): GrpcFailure =>
  invalidArgument("Decryption failed: verify that 'ciphertext' and 'additional_authenticated_data' are correct.");

export const permissionDenied = (permission: string, resource: string): GrpcFailure =>
  new GrpcFailure(
    "PERMISSION_DENIED",
    `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`,
    [
      {
        kind: "error-info",
        reason: "IAM_PERMISSION_DENIED",
        domain: "cloudkms.googleapis.com",
        metadata: { permission, resource },
      },
    ],
  );

export const unauthenticated = (reason: string): GrpcFailure =>
  new GrpcFailure(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    [{ kind: "error-info", reason, domain: "googleapis.com", metadata: { service: "cloudkms.googleapis.com" } }],
  );

/** A quota that is used up, with the time after which to ask again. */
export const quotaExceeded = (retryMs: number): GrpcFailure =>
  new GrpcFailure(
    "RESOURCE_EXHAUSTED",
    "Quota exceeded for quota metric 'Cryptographic requests' and limit 'Cryptographic requests per minute' of service 'cloudkms.googleapis.com' for consumer 'project_number:111122223333'.",
    [
      {
        kind: "error-info",
        reason: "RATE_LIMIT_EXCEEDED",
        domain: "googleapis.com",
        metadata: { service: "cloudkms.googleapis.com", consumer: "projects/111122223333" },
      },
      { kind: "retry", delayMs: retryMs },
    ],
  );
