import type { ErrorCode } from "#core/errors.ts";

/** What stands above the table of codes. */
export const ERRORS_INTRODUCTION =
  "Every error is a problem document (RFC 9457, `application/problem+json`). `code` is stable; `retry` says whether the same request may be sent again: `never`, `later` (after `Retry-After`), or `same-key` (with the same `Idempotency-Key`).";

/** What a code means to who meets it, and what to do next; in sentences, for the documentation. */
export type ErrorNote = { readonly means: string; readonly next: string };

export const ERROR_NOTES = {
  INVALID_ARGUMENT: {
    means: "A field, a parameter, a header or the path has a value of another form than the interface wants.",
    next: "Read `errors`: each entry has the pointer of a field and what was wanted. Mend the request.",
  },
  MALFORMED_JSON: {
    means: "The body is no JSON, has a member twice, nests deeper than 8 levels, or has a lone surrogate.",
    next: "Write the body with a JSON library, in UTF-8 and without a byte order mark.",
  },
  PLAINTEXT_TOO_LARGE: {
    means: "The plaintext is larger than the key takes in one message: `maxPlaintextBytes` of the key.",
    next: "Encrypt the data yourself under a data key from `generate-data-key`, or cut it.",
  },
  CIPHERTEXT_INVALID: {
    means:
      "A byte, the context, the key or the version is not the one that the ciphertext was made with. Which of them is not told, on purpose.",
    next: "Send the ciphertext exactly as it was answered, with the same context. If it is unchanged, ask for the audit trail of the request id.",
  },
  UNAUTHENTICATED: {
    means: "There is no credential, or it is unknown, revoked or expired.",
    next: "Send `Authorization: Bearer` with an API key of a client that exists, or show a certificate that is enrolled; an admin makes a new one.",
  },
  PERMISSION_DENIED: {
    means: "The caller's role, its `allow` list or its `contextEquals` does not cover the request.",
    next: "Ask an admin of the namespace for the operation, or use another credential.",
  },
  SEPARATION_OF_DUTIES: {
    means: "Whoever proposed a change cannot approve it.",
    next: "Have another person approve it.",
  },
  KEY_NOT_FOUND: {
    means: "No key of the namespace has this id, name or alias, or the caller may not see it; versions likewise.",
    next: "Look at the name and at `Claviger-Namespace`.",
  },
  NOT_FOUND: {
    means: "There is nothing at this path.",
    next: "Look at the path; a slash in an alias is written `%2F`.",
  },
  METHOD_NOT_ALLOWED: {
    means: "The path is right, the method is not.",
    next: "Use one of the methods in the `Allow` header.",
  },
  NOT_ACCEPTABLE: {
    means: "`Accept` excludes the type of the answer.",
    next: "Accept `application/json`, or send no `Accept`.",
  },
  NAME_TAKEN: {
    means:
      "Another key of the namespace has the name or alias, another client or namespace has the name, or another credential the subject of the certificate.",
    next: "Take another name. An alias is moved with `POST /v1/aliases/{alias}/move`.",
  },
  KEY_NOT_ACTIVE: {
    means: "The key's state, or one of its dates, does not allow the operation.",
    next: "Read the key's `state` and `stateReason`; an admin may activate or resume it.",
  },
  VERSION_NOT_USABLE: {
    means: "The version that was named is not the one that protects, or its state does not allow the operation.",
    next: "Leave `@N` away to use the primary version.",
  },
  ILLEGAL_TRANSITION: {
    means: "The lifecycle has no way from the key's state to the wanted one, or a date would move a state backwards.",
    next: "Read the key's `state` and its history.",
  },
  KEY_HELD: {
    means: "The key was changed behind the gateway's back, and stands still until a person has looked.",
    next: "An operator looks at the binding or drift that `metadata` names, and adopts or repairs.",
  },
  IDEMPOTENCY_KEY_IN_USE: {
    means: "The first request with this `Idempotency-Key` has not finished.",
    next: "Send the same request again after `Retry-After`.",
  },
  PLAN_STALE: {
    means: "What a plan or an approval was made for has changed since.",
    next: "Make a new plan and have it approved.",
  },
  KEY_DESTROYED: {
    means: "The key's material is gone for good.",
    next: "Nothing brings it back; use another key.",
  },
  GENERATION_MISMATCH: {
    means: "`If-Match` names another generation than the key has: somebody changed it.",
    next: "Read the key again and decide again.",
  },
  BODY_TOO_LARGE: {
    means: "The body has more bytes than the route takes.",
    next: "Send less at once: fewer items, or shorter ones.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    means: "`Content-Type` is not the one that the route takes.",
    next: "Send `application/json`, or the type that `detail` names.",
  },
  PURPOSE_MISMATCH: {
    means: "The key is for another purpose than the operation's.",
    next: "Use a key of the right purpose: one key, one purpose.",
  },
  UNSUPPORTED_COMBINATION: {
    means: "No candidate has this operation, algorithm, custody or format; `detail` gives each candidate's reason.",
    next: "Ask for what one of the candidates has, or configure a provider that has it.",
  },
  REQUIREMENT_UNMET: {
    means: "The policy forbids every candidate, or the holders can never meet the minimum.",
    next: "Change the request, or the policy; `POST /v1/policy/explain` shows who is refused and why.",
  },
  IMMUTABLE_FIELD: {
    means: "The field is fixed when the key is created.",
    next: "Create another key and move to it.",
  },
  IDEMPOTENCY_KEY_REUSED: {
    means: "This `Idempotency-Key` was used for another body or path.",
    next: "Take a new `Idempotency-Key` for each change.",
  },
  RATE_LIMITED: {
    means: "The caller asks more often than the gateway allows it to.",
    next: "Wait for `Retry-After`, then send it again.",
  },
  PROVIDER_THROTTLED: {
    means: "Every key service that could answer throttles the gateway.",
    next: "Wait for `Retry-After`, then send it again; an operator may raise the quota.",
  },
  HEADERS_TOO_LARGE: {
    means: "The headers have more than 32 KiB.",
    next: "Send fewer or shorter headers.",
  },
  INTERNAL: {
    means: "A mistake of the gateway's. Its log has the cause under the request id.",
    next: "Give the request id to an operator.",
  },
  INTEGRITY_FAILURE: {
    means: "A wrap, a seal or a row does not match its commitment. Nothing was used; somebody is paged.",
    next: "Give the request id to an operator, who looks at the store and the journal.",
  },
  NO_PROVIDER: {
    means: "Each provider that could do it is down, drained or throttled.",
    next: "Wait for `Retry-After`, then send it again; `GET /v1/providers` shows what stands against them.",
  },
  QUORUM_NOT_REACHED: {
    means: "Fewer failure domains than the key's minimum could take a wrap. Nothing was created.",
    next: "Send it again later, or ask for a smaller minimum.",
  },
  CATALOG_STALE: {
    means: "The gateway has not read the store for too long, so that it might miss a restriction.",
    next: "Send it again, to another gateway if there is one.",
  },
  AUDIT_UNAVAILABLE: {
    means: "The audit trail cannot be written, and nothing is done unseen.",
    next: "Send it again later; an operator looks at the disk of the trail.",
  },
  SEALED: {
    means: "The gateway has no root key yet: no provider has opened it.",
    next: "Send it again later; an operator looks at the providers.",
  },
  SHUTTING_DOWN: {
    means: "The gateway ends and takes nothing new.",
    next: "Send it again, to another gateway if there is one.",
  },
  UNKNOWN_OUTCOME: {
    means: "The change was begun and its end is not known: it may have been made.",
    next: "Send the same request with its `Idempotency-Key`: the gateway finishes it or says what became of it.",
  },
  DEADLINE_EXCEEDED: {
    means: "The deadline of the request passed before there was an answer.",
    next: "Send it again; `Claviger-Deadline-Ms` can only shorten what the gateway gives.",
  },
} as const satisfies Record<ErrorCode, ErrorNote>;
