import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Request, request as expressRequest, type Response, type Router, Router as createRouter } from "express";
import type { Principal } from "#core/access.ts";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import { z } from "zod";
import { KmsError } from "#core/errors.ts";
import { toFieldErrors } from "./field-errors.ts";
import { asKmsError, PROBLEM_TYPE, toProblem } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { type Budgets, parseFacts, requestIdOf } from "./request-facts.ts";
import type { Params, Reply, RequestFacts, Route, RouteInput } from "./route.ts";
import { parseStrictJson } from "./strict-json.ts";

/** What a finished request was, for metrics and the log. */
export type Served = {
  readonly operation: string;
  readonly requestId: string;
  /** `ok`, or an error code. */
  readonly code: string;
  readonly status: number;
  readonly durationMs: number;
  /** The error that was answered, with its cause; undefined if none. */
  readonly error: KmsError | undefined;
};

/** What the routes of a door share. */
export type Kit = {
  readonly budgets: Budgets;
  readonly newRequestId: () => string;
  readonly monotonicMs: () => number;
  /** Who calls. @throws {KmsError} `UNAUTHENTICATED` */
  readonly authenticate: (request: IncomingMessage) => Principal | Promise<Principal>;
  /** Asked before anything else: what refuses every request now (`SEALED`, `SHUTTING_DOWN`), if anything. */
  readonly refuses: (route: Route) => KmsError | undefined;
  readonly onServed: (served: Served) => void;
};

/**
 * Serves routes in the order of checks of api.md § 4: route and method, credential in the URL, 401, 413, 415 and 406, 400, then the use
 * case. Errors are problem documents; whatever is not of ours is `INTERNAL` outside.
 */
export function mountRoutes(routes: readonly Route[], kit: Kit): Router {
  const router = createRouter({ caseSensitive: true, strict: true });
  for (const [path, methods] of Map.groupBy(routes, (route) => route.path)) {
    const place = router.route(path);
    for (const route of methods)
      place[METHODS[route.method]](async (request, response) => await serve(kit, route, request, response));
    const allow = [...new Set(methods.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])))].join(
      ", ",
    );
    place.all((request, response) => {
      const error = new KmsError("METHOD_NOT_ALLOWED", `${request.method}: wanted ${allow}`, {
        metadata: { method: request.method, allow },
      });
      fail(kit, { operation: "none", request, response, startMs: kit.monotonicMs() }, error, { Allow: allow });
    });
  }
  return router;
}

const METHODS = { GET: "get", POST: "post", PATCH: "patch", DELETE: "delete" } as const;

/** The last handler: nothing has this path. */
export function noRoute(kit: Kit, request: IncomingMessage, response: ServerResponse): void {
  const error = new KmsError("NOT_FOUND", "there is no such resource");
  fail(kit, { operation: "none", request, response, startMs: kit.monotonicMs() }, error);
}

/** What Express itself refuses: a path that does not decode. */
export function badPath(kit: Kit, request: IncomingMessage, response: ServerResponse, cause: unknown): void {
  const error = new KmsError("INVALID_ARGUMENT", "path: wanted percent-encoded utf-8", { cause });
  fail(kit, { operation: "none", request, response, startMs: kit.monotonicMs() }, error);
}

type Exchange = {
  readonly operation: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startMs: number;
};

async function serve(kit: Kit, route: Route, request: Request, response: Response): Promise<void> {
  const exchange: Exchange = { operation: route.operation, request, response, startMs: kit.monotonicMs() };
  const requestId = requestIdOf(request.headers, kit.newRequestId);
  try {
    const refusal = kit.refuses(route);
    if (refusal !== undefined) throw refusal;
    const reply = await answer(kit, route, { request, requestId });
    send(response, requestId, reply);
    const durationMs = kit.monotonicMs() - exchange.startMs;
    kit.onServed({
      operation: route.operation,
      requestId,
      code: "ok",
      status: reply.status,
      durationMs,
      error: undefined,
    });
  } catch (error) {
    fail(kit, exchange, asKmsError(error), {}, requestId);
  }
}

type Asked = { readonly request: Request; readonly requestId: string };

async function answer(kit: Kit, route: Route, { request, requestId }: Asked): Promise<Reply> {
  const url = splitUrl(request.originalUrl);
  requireNoCredential(request.originalUrl);
  const principal = route.access === "public" ? undefined : await kit.authenticate(request);
  const raw = await readBody(request, {
    method: route.method,
    maxBodyBytes: route.maxBodyBytes,
    consumes: route.consumes,
  });
  requireAcceptable(request, route.produces ?? "application/json");
  const { dryRun, query } = parseQuery(route, url.query);
  const { body, digest } = parseBody(route, raw, request.headers["idempotency-key"] !== undefined);
  const parsed = parseFacts({ headers: request.headers, route, path: url.path, dryRun, budgets: kit.budgets });
  const facts: RequestFacts = { ...parsed, requestId, bodyDigest: digest };
  return await route.handle(
    { params: request.params as Params, body, query, facts } as RouteInput<never, never>,
    principal,
  );
}

function parseBody(
  route: Route,
  raw: Buffer,
  wantsDigest: boolean,
): { readonly body: unknown; readonly digest: string } {
  if (route.consumes !== undefined) return { body: raw.toString("utf8"), digest: "" };
  const value = raw.length === 0 ? {} : parseStrictJson(raw);
  // RFC 8785, so that two writings of a body are one
  const digest = wantsDigest && route.changes ? hash("sha256", canonicalJson(value as Json), "base64") : "";
  const parsed = (route.body ?? NOTHING).safeParse(value);
  if (parsed.success) return { body: parsed.data, digest };
  throw invalid(toFieldErrors(parsed.error, value));
}

/** The body of a route that takes none: nothing, or `{}`. */
const NOTHING = z.strictObject({});

function parseQuery(route: Route, text: string): { readonly dryRun: boolean; readonly query: unknown } {
  if (text === "" && route.query === undefined) return { dryRun: false, query: undefined };
  const members = Object.create(null) as Record<string, string>; // so that no name is special
  for (const [name, value] of new URLSearchParams(text)) {
    // schemas pass over a member of this name
    if (name === "__proto__")
      throw invalid([{ pointer: "/__proto__", code: "unknown-field", detail: "there is no such parameter" }]);
    if (Object.hasOwn(members, name))
      throw invalid([{ pointer: `/${name}`, code: "duplicate", detail: "wanted once" }]);
    members[name] = value;
  }
  const { dryRun, ...others } = members;
  const rest = route.changes ? others : members;
  if (route.changes && dryRun !== undefined && dryRun !== "true" && dryRun !== "false") {
    throw invalid([{ pointer: "/dryRun", code: "enum", detail: "wanted true or false" }]);
  }
  return { dryRun: route.changes && dryRun === "true", query: parseMembers(route, rest) };
}

function parseMembers(route: Route, members: Readonly<Record<string, string>>): unknown {
  if (route.query === undefined) {
    const unknown = Object.keys(members);
    if (unknown.length === 0) return undefined;
    throw invalid(
      unknown.map((name) => ({ pointer: `/${name}`, code: "unknown-field", detail: "there is no such parameter" })),
    );
  }
  const parsed = route.query.safeParse(members);
  if (parsed.success) return parsed.data;
  throw invalid(toFieldErrors(parsed.error, members));
}

function invalid(errors: KmsError["errors"]): KmsError {
  const [first] = errors;
  const detail = first === undefined ? "wanted another value" : `${first.pointer.slice(1) || "body"}: ${first.detail}`;
  return new KmsError("INVALID_ARGUMENT", detail, { errors });
}

function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

const CREDENTIAL_NAME = /(?:^|[&;])(?:access[-_]?token|api[-_]?key|authorization|bearer|token|secret)=/iu;

/** Whether a URL carries a credential, percent-encoded or not: it is then refused, and must not be logged as it came. */
export function hasCredential(url: string): boolean {
  const plain = url.includes("%") ? decodeLoosely(url) : url;
  return plain.includes("clv_sk_") || CREDENTIAL_NAME.test(splitUrl(plain).query);
}

/** Every escape of an ASCII character undone; what does not decode stays as it is. */
function decodeLoosely(url: string): string {
  return url.replaceAll(/%([0-7][0-9a-f])/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function requireNoCredential(url: string): void {
  if (!hasCredential(url)) return;
  throw new KmsError("INVALID_ARGUMENT", "a credential has no place in a url", {
    help: "send it in the Authorization header, and replace it: urls are written to logs",
  });
}

function requireAcceptable(request: Request, type: string): void {
  const { accept } = request.headers;
  if (accept === undefined || accept === "*/*" || accept === type) return;
  if (expressRequest.accepts.call(request, type) !== false) return;
  throw new KmsError("NOT_ACCEPTABLE", `accept: wanted ${type} among the accepted types`, {
    metadata: { wanted: type },
  });
}

function send(response: ServerResponse, requestId: string, { status, body, headers }: Reply): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": bytes,
    "X-Request-Id": requestId,
    "Cache-Control": "no-store",
    ...headers,
  });
  // Of ASCII alone both are the same bytes, and Node writes them in half the time
  response.end(text, bytes === text.length ? "latin1" : "utf8");
}

function fail(
  kit: Kit,
  exchange: Exchange,
  error: KmsError,
  headers: Readonly<Record<string, string>> = {},
  known?: string,
): void {
  const { operation, request, response, startMs } = exchange;
  const requestId = known ?? requestIdOf(request.headers, kit.newRequestId);
  const problem = toProblem(error, requestId);
  const retry = error.retryAfterSeconds ?? (problem.status === 429 || problem.status === 503 ? 1 : undefined);
  kit.onServed({
    operation,
    requestId,
    code: error.code,
    status: problem.status,
    durationMs: kit.monotonicMs() - startMs,
    error,
  });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const close = error.code === "BODY_TOO_LARGE" ? { Connection: "close" } : {};
  send(response, requestId, {
    status: problem.status,
    body: problem,
    headers: {
      "Content-Type": PROBLEM_TYPE,
      ...(retry === undefined ? {} : { "Retry-After": String(retry) }),
      ...(error.code === "UNAUTHENTICATED" ? { "WWW-Authenticate": "Bearer" } : {}),
      ...close,
      ...headers,
    },
  });
}
