/** Whether a caller may send the request again: never, later (after Retry-After), or with the same Idempotency-Key. */
export type Retry = "never" | "later" | "same-key";

type ErrorTraits = { readonly status: number; readonly retry: Retry; readonly title: string };

/**
 * What a caller is told. Codes are public: never renamed, never reused.
 * `title` is fixed per code; variable parts stand in the detail and, apart, in the metadata.
 */
export const ERROR_CODES = {
  INVALID_ARGUMENT: { status: 400, retry: "never", title: "A value in the request is not acceptable" },
  MALFORMED_JSON: { status: 400, retry: "never", title: "The body is not well-formed JSON" },
  PLAINTEXT_TOO_LARGE: { status: 400, retry: "never", title: "The plaintext is larger than the key allows" },
  CIPHERTEXT_INVALID: { status: 400, retry: "never", title: "The ciphertext cannot be opened" },
  UNAUTHENTICATED: { status: 401, retry: "never", title: "The credential is missing or not valid" },
  PERMISSION_DENIED: { status: 403, retry: "never", title: "The caller may not do this" },
  SEPARATION_OF_DUTIES: { status: 403, retry: "never", title: "Another person must do this" },
  KEY_NOT_FOUND: { status: 404, retry: "never", title: "There is no such key" },
  NOT_FOUND: { status: 404, retry: "never", title: "There is no such resource" },
  METHOD_NOT_ALLOWED: { status: 405, retry: "never", title: "The resource does not have this method" },
  NOT_ACCEPTABLE: { status: 406, retry: "never", title: "The answer cannot be given in an accepted type" },
  NAME_TAKEN: { status: 409, retry: "never", title: "The name is taken" },
  KEY_NOT_ACTIVE: { status: 409, retry: "never", title: "The key's state does not allow the operation" },
  VERSION_NOT_USABLE: { status: 409, retry: "never", title: "The key version does not allow the operation" },
  ILLEGAL_TRANSITION: { status: 409, retry: "never", title: "The lifecycle has no such transition" },
  KEY_HELD: { status: 409, retry: "never", title: "The key is held until a person decides" },
  IDEMPOTENCY_KEY_IN_USE: { status: 409, retry: "later", title: "The first request with this key still runs" },
  PLAN_STALE: { status: 409, retry: "never", title: "The plan no longer matches" },
  KEY_DESTROYED: { status: 410, retry: "never", title: "The key is destroyed" },
  GENERATION_MISMATCH: { status: 412, retry: "never", title: "The key has another generation" },
  BODY_TOO_LARGE: { status: 413, retry: "never", title: "The body is too large" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: "never", title: "The content type is not supported" },
  PURPOSE_MISMATCH: { status: 422, retry: "never", title: "The key's purpose does not have this operation" },
  UNSUPPORTED_COMBINATION: { status: 422, retry: "never", title: "No candidate supports this combination" },
  REQUIREMENT_UNMET: { status: 422, retry: "never", title: "The policy forbids every candidate" },
  IMMUTABLE_FIELD: { status: 422, retry: "never", title: "The field cannot be changed" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, retry: "never", title: "The Idempotency-Key was used for another request" },
  RATE_LIMITED: { status: 429, retry: "later", title: "Too many requests" },
  PROVIDER_THROTTLED: { status: 429, retry: "later", title: "The key service throttles" },
  HEADERS_TOO_LARGE: { status: 431, retry: "never", title: "The headers are too large" },
  INTERNAL: { status: 500, retry: "never", title: "Something went wrong inside" },
  INTEGRITY_FAILURE: { status: 500, retry: "never", title: "Stored key material does not match its commitment" },
  NO_PROVIDER: { status: 503, retry: "later", title: "No provider can do this now" },
  QUORUM_NOT_REACHED: { status: 503, retry: "later", title: "Too few providers can hold the key now" },
  CATALOG_STALE: { status: 503, retry: "later", title: "The gateway has not read the store for too long" },
  AUDIT_UNAVAILABLE: { status: 503, retry: "later", title: "The audit trail cannot be written" },
  SEALED: { status: 503, retry: "later", title: "The gateway is sealed" },
  SHUTTING_DOWN: { status: 503, retry: "later", title: "The gateway is shutting down" },
  UNKNOWN_OUTCOME: { status: 503, retry: "same-key", title: "It is not known whether the change was made" },
  DEADLINE_EXCEEDED: { status: 504, retry: "later", title: "The deadline has passed" },
} as const satisfies Record<string, ErrorTraits>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One wrong field of a request. `pointer` is RFC 6901, such as `/labels/residency`. */
export type FieldError = {
  readonly pointer: string;
  readonly code:
    | "unknown-field"
    | "required"
    | "type"
    | "format"
    | "range"
    | "length"
    | "enum"
    | "duplicate"
    | "conflict";
  readonly detail: string;
};

export type KmsErrorOptions = {
  /** Every variable part of the public message, by name. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly errors?: readonly FieldError[];
  /** What the caller can do next. */
  readonly help?: string;
  /** Whole seconds, for codes whose retry is `later`. */
  readonly retryAfterSeconds?: number;
  /** Kept for operators; never crosses a door. */
  readonly cause?: unknown;
};

/**
 * The one error class. A caller sees `code` and `publicMessage` (and `metadata`, `errors`, `help`); `cause` stays inside.
 * Messages: lower case, no full stop, which field, what was wanted, what came; never a secret, a plaintext or a stack.
 */
export class KmsError extends Error {
  override readonly name = "KmsError";
  readonly code: ErrorCode;
  readonly publicMessage: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly errors: readonly FieldError[];
  readonly help: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, publicMessage: string, options: KmsErrorOptions = {}) {
    super(`${code}: ${publicMessage}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.publicMessage = publicMessage;
    this.metadata = options.metadata ?? {};
    this.errors = options.errors ?? [];
    this.help = options.help;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The one error of every bad ciphertext, whatever was wrong with it: one code, one message, no oracle. */
export function ciphertextInvalid(cause?: unknown): KmsError {
  return new KmsError("CIPHERTEXT_INVALID", "the ciphertext cannot be opened with this key and context", { cause });
}
