import { ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import type { Route } from "#http/route.ts";

const EVERY: readonly ErrorCode[] = ["INVALID_ARGUMENT", "NOT_ACCEPTABLE", "HEADERS_TOO_LARGE", "INTERNAL"];
const WITH_CREDENTIAL: readonly ErrorCode[] = [
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "RATE_LIMITED",
  "INTEGRITY_FAILURE",
  "CATALOG_STALE",
  "AUDIT_UNAVAILABLE",
  "SEALED",
  "SHUTTING_DOWN",
  "DEADLINE_EXCEEDED",
];
const WITH_BODY: readonly ErrorCode[] = ["MALFORMED_JSON", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"];
const CHANGE: readonly ErrorCode[] = [
  "SEPARATION_OF_DUTIES",
  "IDEMPOTENCY_KEY_IN_USE",
  "PLAN_STALE",
  "IDEMPOTENCY_KEY_REUSED",
  "UNKNOWN_OUTCOME",
];
const CHANGE_OF_KEY: readonly ErrorCode[] = ["ILLEGAL_TRANSITION", "KEY_HELD", "KEY_DESTROYED", "GENERATION_MISMATCH"];
const ON_PROVIDERS: readonly ErrorCode[] = ["PROVIDER_THROTTLED", "NO_PROVIDER"];
const ON_KEY: readonly ErrorCode[] = [
  "KEY_NOT_ACTIVE",
  "VERSION_NOT_USABLE",
  "KEY_HELD",
  "KEY_DESTROYED",
  "PURPOSE_MISMATCH",
  "UNSUPPORTED_COMBINATION",
];
/** What only some operations answer, besides what follows from their form. */
const OF_OPERATION: Readonly<Record<string, readonly ErrorCode[]>> = {
  encrypt: ["PLAINTEXT_TOO_LARGE"],
  decrypt: ["CIPHERTEXT_INVALID", "KEY_NOT_FOUND"],
  reencrypt: ["CIPHERTEXT_INVALID"],
  "keys.create": [
    "NAME_TAKEN",
    "REQUIREMENT_UNMET",
    "UNSUPPORTED_COMBINATION",
    "QUORUM_NOT_REACHED",
    "PROVIDER_THROTTLED",
    "NO_PROVIDER",
  ],
  "keys.update": ["NAME_TAKEN", "IMMUTABLE_FIELD"],
  "keys.rotate": ["QUORUM_NOT_REACHED", "PROVIDER_THROTTLED", "NO_PROVIDER"],
  "aliases.move": ["KEY_NOT_FOUND", "NAME_TAKEN"],
  "clients.create": ["NAME_TAKEN"],
  "namespaces.create": ["NAME_TAKEN"],
  "policy.explain": ["KEY_NOT_FOUND"],
};

/** The codes that a route answers, by what it is (api.md § 4), in the order of the table. New codes may come. */
export function errorCodesOf(route: Route): readonly ErrorCode[] {
  const isKey = route.path.includes("/:key");
  const isOperation = route.plane === "data" && route.operation !== "random";
  const isWritten = (route.bodyDoc ?? route.body) !== undefined;
  const codes = new Set<ErrorCode>([
    ...EVERY,
    ...(route.access === "public" ? [] : WITH_CREDENTIAL),
    ...(isWritten ? WITH_BODY.filter((code) => route.consumes === undefined || code !== "MALFORMED_JSON") : []),
    ...(isKey ? (["KEY_NOT_FOUND"] as const) : []),
    ...(route.path.includes(":") && !isKey ? (["NOT_FOUND"] as const) : []),
    ...(route.changes ? CHANGE : []),
    ...(route.changes && isKey ? CHANGE_OF_KEY : []),
    ...(isOperation ? ON_KEY : []),
    ...(route.plane === "data" ? ON_PROVIDERS : []),
    ...(OF_OPERATION[route.operation] ?? []),
  ]);
  return (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => codes.has(code));
}
