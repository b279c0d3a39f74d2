/** What is wrong around the body: paths, methods, credentials, types, sizes, parameters, headers (api.md §§ 1-4). */
import type { Asked } from "../live-gateway.ts";
import { type BadCase, encrypt, ENCRYPT, PLAINTEXT_BASE64 as P, post } from "./case.ts";

const good = { plaintext: P };
const refused =
  (status: number, code: string) =>
  (name: string, asked: Asked, header?: BadCase["header"]): BadCase => ({
    name,
    asked,
    status,
    code,
    ...(header === undefined ? {} : { header }),
  });
const notFound = refused(404, "NOT_FOUND");
const noKey = refused(404, "KEY_NOT_FOUND");
const notAllowed = refused(405, "METHOD_NOT_ALLOWED");
const unauthenticated = refused(401, "UNAUTHENTICATED");
const tooLarge = refused(413, "BODY_TOO_LARGE");
const wrongType = refused(415, "UNSUPPORTED_MEDIA_TYPE");
const notAcceptable = refused(406, "NOT_ACCEPTABLE");
const invalid = refused(400, "INVALID_ARGUMENT");

export const BAD_PATHS: readonly BadCase[] = [
  notFound("a path that there is not", { path: "/v2/keys" }),
  notFound("a path that there is not, before the credential", { path: "/v2/keys", apiKey: null }),
  notFound("a slash at the end", { path: "/v1/keys/" }),
  notFound("two slashes", { path: "//v1/keys" }),
  notFound("capitals", { path: "/V1/keys" }),
  notFound("a step up", { path: "/v1/keys/../clients" }),
  notFound("a slash in {key} that is not escaped", post("/v1/keys/a/b/encrypt", good)),
  notFound("an operation that there is not", post("/v1/keys/orders/encrypts", good)),
  invalid("an escape that is none", { path: "/v1/keys/%zz" }),
  invalid("an escape that is no utf-8", { path: "/v1/keys/%ff" }),
  noKey("a key that there is not", post("/v1/keys/nothing/encrypt", good)),
  noKey("an escaped slash", post("/v1/keys/a%2Fb/encrypt", good)),
  noKey("an escaped step up", { path: "/v1/keys/%2e%2e%2f%2e%2e%2fetc%2fpasswd" }),
  noKey("a name that is escaped twice", { path: "/v1/keys/ord%2565rs" }),
  noKey("a NUL", { path: "/v1/keys/orders%00" }),
  noKey("a name of 10 kB", { path: `/v1/keys/${"a".repeat(10_240)}` }),
  noKey("version 0", post("/v1/keys/orders@0/encrypt", good)),
  noKey("a version that does not exist", post("/v1/keys/orders@2/encrypt", good)),
  noKey("a version with a leading zero", post("/v1/keys/orders@01/encrypt", good)),
  noKey("a version that is no number", post("/v1/keys/orders@latest/encrypt", good)),
  noKey("two versions", post("/v1/keys/orders@1@1/encrypt", good)),
  noKey("a version beyond 2^53", post("/v1/keys/orders@99999999999999999999/encrypt", good)),
  noKey("another case", post("/v1/keys/Orders/encrypt", good)),
  noKey("__proto__", post("/v1/keys/__proto__/encrypt", good)),
  noKey("constructor", { path: "/v1/keys/constructor" }),
  noKey("an id that there is not", { path: "/v1/keys/key_00000000-0000-7000-8000-000000000000" }),
  noKey("an id in capitals", { path: "/v1/keys/KEY_00000000-0000-7000-8000-000000000000" }),
  noKey("another namespace", encrypt(good, { headers: { "claviger-namespace": "nowhere" } })),
  noKey(
    "a key that there is not, before its state and the body's purpose",
    post("/v1/keys/nothing/suspend", { reason: "hold" }),
  ),
  notFound("a provider that there is not", { path: "/v1/providers/nowhere" }),
  notFound("a client that there is not", { path: "/v1/clients/nobody" }),
];

export const BAD_METHODS: readonly BadCase[] = [
  notAllowed("PUT of a list", { method: "PUT", path: "/v1/keys", body: {} }, { allow: "POST, GET, HEAD" }),
  notAllowed("DELETE of a key", { method: "DELETE", path: "/v1/keys/orders" }, { allow: "GET, HEAD, PATCH" }),
  notAllowed("GET of an operation", { path: ENCRYPT }, { allow: "POST" }),
  notAllowed("HEAD of an operation is GET", { method: "OPTIONS", path: ENCRYPT }, { allow: "POST" }),
  notAllowed("POST of health", post("/healthz", {}), { allow: "GET, HEAD" }),
  notAllowed("TRACE", { method: "TRACE", path: "/v1/keys" }, { allow: "POST, GET, HEAD" }),
  notAllowed("a wrong method, before the credential", { method: "PUT", path: "/v1/keys", apiKey: null }),
];

const SECRET = `clv_sk_${"A".repeat(49)}`;

export const BAD_CREDENTIALS: readonly BadCase[] = [
  unauthenticated("none", encrypt(good, { apiKey: null }), { "www-authenticate": "Bearer" }),
  unauthenticated("one that is empty", encrypt(good, { apiKey: "" })),
  unauthenticated("one with a wrong checksum", encrypt(good, { apiKey: SECRET })),
  unauthenticated("one of another form", encrypt(good, { apiKey: "hunter2" })),
  unauthenticated("Basic", encrypt(good, { apiKey: null, headers: { authorization: "Basic YTpi" } })),
  unauthenticated("two in one header", encrypt(good, { apiKey: `${SECRET}, Bearer ${SECRET}` })),
  unauthenticated("none, before the size of the body", encrypt(Buffer.alloc(1_048_577, " "), { apiKey: null })),
  unauthenticated(
    "none, before the type of the body",
    encrypt("x", { apiKey: null, headers: { "content-type": "text/plain" } }),
  ),
  unauthenticated("none, before the body", encrypt("{", { apiKey: null })),
  unauthenticated("none, before the key", post("/v1/keys/nothing/encrypt", good, { apiKey: null })),
  ...[
    "access_token=x",
    "token=x",
    "api_key=x",
    "apikey=x",
    "Authorization=x",
    `x=${SECRET}`,
    `x=clv%5Fsk%5F${"A".repeat(49)}`,
  ].flatMap((query): BadCase[] => [
    invalid(`one in the url: ${query.slice(0, 12)}`, { path: `/v1/keys?${query}` }),
    invalid(`one in the url, before 401: ${query.slice(0, 12)}`, { path: `/v1/keys?${query}`, apiKey: null }),
  ]),
  invalid("one in the path", { path: `/v1/keys/${SECRET}`, apiKey: null }),
];

export const BAD_BODIES: readonly BadCase[] = [
  tooLarge("a body of more than 1 MiB", encrypt(Buffer.alloc(1_048_577, " "))),
  tooLarge("a body of more than 1 MiB in chunks", encrypt(Buffer.alloc(1_048_577, " "), { chunked: true })),
  tooLarge(
    "a large body of another type: size comes first",
    encrypt(Buffer.alloc(1_048_577, " "), { headers: { "content-type": "text/plain" } }),
  ),
  tooLarge(
    "a large body that accepts nothing: size comes first",
    encrypt(Buffer.alloc(1_048_577, " "), { headers: { accept: "image/png" } }),
  ),
  ...[
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/merge-patch+json",
    "application/json; charset=latin1",
    "json",
  ].map((type) => wrongType(`the content type ${type}`, encrypt(good, { headers: { "content-type": type } }))),
  wrongType("no content type", encrypt(good, { headers: { "content-type": undefined } })),
  wrongType("a wrong type, before malformed JSON", encrypt("{", { headers: { "content-type": "text/plain" } })),
  wrongType("JSON where YAML is wanted", post("/v1/policy/validate", {})),
  ...["text/html", "application/xml", "image/*", "application/json;q=0", "application/json;q=0, text/html"].map(
    (accept) => notAcceptable(`Accept: ${accept}`, encrypt(good, { headers: { accept } })),
  ),
  notAcceptable("a wrong Accept, before malformed JSON", encrypt("{", { headers: { accept: "text/html" } })),
  invalid("a body with GET", { path: "/v1/keys", body: { a: 1 } }),
];

const list = (query: string): Asked => ({ path: `/v1/keys?${query}` });

const cursorOf = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString("base64url");

export const BAD_PARAMETERS: readonly BadCase[] = [
  ...[
    "limit=0",
    "limit=1001",
    "limit=ten",
    "limit=1.5",
    "limit=",
    "limit=+5",
    "limit=1&limit=2",
    "cursor=x",
    "cursor=W10",
    "nme=orders",
    "state=sleeping",
    "state=active&state=active",
    "purpose=",
    "label.Team=x",
    "label.=x",
    "labels=x",
    "__proto__=x",
    "constructor=x",
    "dryRun=true",
  ].map((query) => invalid(`a list with ${query}`, list(query))),
  invalid("a parameter of an operation", encrypt(good, { path: `${ENCRYPT}?verbose=1` })),
  invalid("dryRun of an operation, which changes nothing", encrypt(good, { path: `${ENCRYPT}?dryRun=true` })),
  invalid("dryRun=yes", post("/v1/keys?dryRun=yes", { name: "fresh" })),
  invalid("dryRun twice", post("/v1/keys?dryRun=true&dryRun=true", { name: "fresh" })),
  invalid("a parameter of health", { path: "/healthz?verbose=1" }),
  // written as ours are, around another place or other filters
  ...[[null, {}], [{ x: "y" }, {}], [{ gateway: -1 }, {}], [[1], {}], [{}, { key: "orders" }], []].map((place) =>
    invalid(`a cursor of somebody else: ${JSON.stringify(place)}`, { path: `/v1/audit?cursor=${cursorOf(place)}` }),
  ),
  invalid("a cursor with other filters", { path: `/v1/keys?state=active&cursor=${cursorOf(["key_1", {}])}` }),
  invalid("since that is no time", { path: "/v1/audit?since=yesterday" }),
];

const headers = (named: Record<string, string>): Asked => encrypt(good, { headers: named });
const change = (named: Record<string, string>): Asked =>
  post("/v1/keys?dryRun=true", { name: "fresh" }, { headers: named });

export const BAD_HEADERS: readonly BadCase[] = [
  ...["0", "-1", "1.5", "soon", "1e3", "", "0x10", "99999999999999999999"].map((value) =>
    invalid(`Claviger-Deadline-Ms: ${value}`, headers({ "claviger-deadline-ms": value })),
  ),
  ...["Default", "a b", "", "a".repeat(64), "../x"].map((value) =>
    invalid(`Claviger-Namespace: ${value.slice(0, 10)}`, headers({ "claviger-namespace": value })),
  ),
  ...["1", "*", 'W/"1"', '"1", "2"', '"one"', '"-1"'].map((value) =>
    invalid(`If-Match: ${value}`, change({ "if-match": value })),
  ),
  invalid("an empty Idempotency-Key", change({ "idempotency-key": "" })),
  invalid("an Idempotency-Key of 256 characters", change({ "idempotency-key": "k".repeat(256) })),
  invalid("an Idempotency-Key beyond ASCII", change({ "idempotency-key": "caf\u00e9" })),
  refused(431, "HEADERS_TOO_LARGE")("headers of more than 32 KiB", headers({ "x-filler": "a".repeat(33_000) })),
];
