/** What the operations of the OpenAPI document share: parameters, headers, tags (api.md §§ 1-4). */
import { KEY_OPERATIONS } from "#core/purposes.ts";

type Schema = Readonly<Record<string, unknown>>;
type Named = Readonly<
  Record<string, { readonly description: string; readonly schema: Schema; readonly example?: string }>
>;

const text = (pattern: string): Schema => ({ type: "string", pattern });

/** Parameters of paths, by the name that the path has for them. */
export const PATH_PARAMETERS: Named = {
  key: {
    description: "Id, name or alias of a key, optionally with a version: `orders@2`. A slash in an alias is `%2F`.",
    schema: { type: "string", minLength: 1 },
    example: "orders",
  },
  alias: {
    description: "Alias of a key; a slash in it is `%2F`.",
    schema: { type: "string", minLength: 1 },
    example: "orders-current",
  },
  version: { description: "Number of a version.", schema: { type: "integer", minimum: 1 }, example: "1" },
  provider: { description: "Name of a provider.", schema: text("^[a-z][a-z0-9-]{0,62}$"), example: "hsm-a" },
  entry: { description: "Id of an entry of the inventory.", schema: text("^inv_[0-9a-f-]{36}$"), example: "inv_…" },
  operation: { description: "Id of an operation.", schema: text("^op_[0-9a-f-]{36}$"), example: "op_…" },
  client: { description: "Id or name of a client.", schema: { type: "string", minLength: 1 }, example: "checkout" },
  credential: { description: "Id of a credential.", schema: { type: "string", minLength: 1 }, example: "key_…" },
};

/** Headers of requests, by the name that references have for them. */
export const REQUEST_HEADERS = {
  Namespace: {
    name: "Claviger-Namespace",
    description: "The namespace that is meant; the credential's own unless told.",
    schema: text("^[a-z][a-z0-9-]{0,62}$"),
  },
  Deadline: {
    name: "Claviger-Deadline-Ms",
    description:
      "How long the caller waits, in milliseconds. It may only shorten what the gateway gives: 2,000 for data operations, 30,000 otherwise.",
    schema: { type: "integer", minimum: 1 },
  },
  RequestId: {
    name: "X-Request-Id",
    description:
      "An id of the caller's own; the gateway makes one otherwise. It is echoed, and stands in the audit trail.",
    schema: text("^[A-Za-z0-9._:-]{1,128}$"),
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    description:
      "Makes a change safe to repeat for 24 hours: the same key with the same body finishes what is unfinished, and answers the current resource with `Idempotent-Replayed: true`.",
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[ -~]+$" },
  },
  IfMatch: {
    name: "If-Match",
    description: 'The generation that the key must have, in quotes as its `ETag` has it: `"3"`.',
    schema: text('^"(0|[1-9][0-9]{0,15})"$'),
  },
} as const;

export const DRY_RUN = {
  name: "dryRun",
  in: "query",
  description: "`true`: every check and the same errors, and 200 with what would be; nothing is changed.",
  schema: { type: "boolean", default: false },
} as const;

/** Filters by label are parameters of their own names: `label.team=payments`. */
export const LABEL_FILTERS = {
  name: "label.*",
  in: "query",
  description: "Labels that a key must have, each as a parameter of its own: `label.team=payments`.",
  style: "form",
  explode: true,
  schema: {
    type: "object",
    propertyNames: { pattern: "^label\\.[a-z][a-z0-9._-]{0,62}$" },
    additionalProperties: { type: "string" },
  },
} as const;

/** Headers of answers, by name. */
export const ANSWER_HEADERS: Named = {
  "X-Request-Id": { description: "The request's id.", schema: { type: "string" } },
  ETag: { description: 'The key\'s generation, in quotes: `"3"`.', schema: { type: "string" } },
  Location: { description: "Where the new resource is.", schema: { type: "string" } },
  "Idempotent-Replayed": {
    description: "`true`: the change was made before, by a request with the same key.",
    schema: { type: "string", const: "true" },
  },
  "Retry-After": {
    description: "Seconds to wait before the same request is worth sending again.",
    schema: { type: "integer", minimum: 0 },
  },
  Allow: { description: "The methods of the path.", schema: { type: "string" } },
};

/** The groups of the documentation, in its order: what a path begins with decides. */
export const TAGS: readonly { readonly name: string; readonly description: string; readonly paths: RegExp }[] = [
  {
    name: "Operations",
    description: 'What is done with keys. Each takes one input, or `{ "items": [1..1000 of it] }`.',
    paths: new RegExp(`^/v1/(?:keys/:key/(?:${Object.keys(KEY_OPERATIONS).join("|")}|reencrypt)|decrypt|random)$`, "u"),
  },
  { name: "Keys", description: "Keys, their versions and their lifecycle.", paths: /^\/v1\/(?:keys|aliases)(?:\/|$)/u },
  {
    name: "Providers",
    description: "The configured key services: health, drain and restore, what they offer and what they hold.",
    paths: /^\/v1\/(?:providers|inventory)(?:\/|$)/u,
  },
  {
    name: "Policy",
    description: "Where keys live and who is asked: shown, validated, explained.",
    paths: /^\/v1\/policy(?:\/|$)/u,
  },
  { name: "Clients", description: "Who may call, and with which credentials.", paths: /^\/v1\/clients(?:\/|$)/u },
  {
    name: "Namespaces",
    description: "Keys of one namespace are not seen from another.",
    paths: /^\/v1\/namespaces(?:\/|$)/u,
  },
  { name: "Audit", description: "The trail of what was done.", paths: /^\/v1\/audit(?:\/|$)/u },
  { name: "Gateway", description: "The process itself, and its documentation.", paths: /^\//u },
];

export function tagOf(path: string): string {
  return TAGS.find(({ paths }) => paths.test(path))?.name ?? "Gateway";
}
