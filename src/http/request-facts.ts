import type { IncomingHttpHeaders } from "node:http";
import { KmsError } from "#core/errors.ts";
import { NAMESPACE_NAME } from "#core/names.ts";
import type { Method, RequestFacts, Route } from "./route.ts";

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/u;
const IDEMPOTENCY_KEY = /^[\u0020-\u007e]{1,255}$/u;
const IF_MATCH = /^"(0|[1-9][0-9]{0,15})"$/u;
const WHOLE = /^[1-9][0-9]{0,15}$/u;

/** Budgets by plane, in milliseconds: a header may only shorten them. */
export type Budgets = { readonly dataMs: number; readonly otherMs: number };

/** The request id: the caller's own where it has the form, otherwise a new one. */
export function requestIdOf(headers: IncomingHttpHeaders, fresh: () => string): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : fresh();
}

type FactsInput = {
  readonly headers: IncomingHttpHeaders;
  readonly route: Route;
  readonly path: string;
  readonly dryRun: boolean;
  readonly budgets: Budgets;
};

/** @throws {KmsError} `INVALID_ARGUMENT` for a header that has another form */
export function parseFacts({
  headers,
  route,
  path,
  dryRun,
  budgets,
}: FactsInput): Omit<RequestFacts, "requestId" | "bodyDigest"> {
  const budgetMs = route.plane === "data" ? budgets.dataMs : budgets.otherMs;
  return {
    method: route.method satisfies Method,
    path,
    namespace: header(headers, "claviger-namespace", NAMESPACE_NAME),
    deadlineMs: Math.min(budgetMs, Number(header(headers, "claviger-deadline-ms", WHOLE) ?? budgetMs)),
    ifGeneration: route.changes ? generation(header(headers, "if-match", IF_MATCH)) : undefined,
    idempotencyKey: route.changes ? header(headers, "idempotency-key", IDEMPOTENCY_KEY) : undefined,
    dryRun,
  };
}

function header(headers: IncomingHttpHeaders, name: string, form: RegExp): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && form.test(value)) return value;
  throw new KmsError("INVALID_ARGUMENT", `${name}: wanted a value that matches ${form.source}`, {
    metadata: { header: name },
  });
}

function generation(etag: string | undefined): number | undefined {
  return etag === undefined ? undefined : Number(etag.slice(1, -1));
}
