import { z } from "zod";
import { createDocument } from "zod-openapi";
import { ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import type { Route } from "#http/route.ts";
import {
  ANSWER_HEADERS,
  DRY_RUN,
  LABEL_FILTERS,
  PATH_PARAMETERS,
  REQUEST_HEADERS,
  tagOf,
  TAGS,
} from "./openapi-parts.ts";
import { errorCodesOf } from "./openapi-errors.ts";
import { problemAnswer } from "./schema/problem.ts";
import { tidy } from "./openapi-tidy.ts";

type Input = Parameters<typeof createDocument>[0];
type Operation = NonNullable<NonNullable<Input["paths"]>[string]["get"]>;
type Answers = Operation["responses"];

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** The OpenAPI 3.1 document of a door: every route, from the schemas that parse its requests. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/gu, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describe(guarded(route)) };
  }
  const document = createDocument(
    {
      openapi: "3.1.0",
      info: { title: "Claviger", version, summary: SUMMARY, description: DESCRIPTION, license: LICENSE },
      servers: [{ url: "/", description: "The gateway that serves this document" }],
      tags: TAGS.map(({ name, description }) => ({ name, description })),
      paths,
      components: { ...COMPONENTS, responses: errorAnswers() } as Input["components"] & object,
    },
    {
      override: ({ jsonSchema, io }) => {
        // an answer may have more than is described
        if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    },
  );
  return tidy(document);
}

const SUMMARY = "One endpoint for every key";
const DESCRIPTION = [
  "Requests and answers are JSON in UTF-8. Unknown or duplicate members, more than 8 levels and lone surrogates are refused.",
  "A field that is absent takes its default; `null` means the same in POST, and clears in PATCH.",
  "Bytes are canonical, padded base64 (RFC 4648 section 4); times are RFC 3339.",
  "New fields, new enum values and new error codes may appear in answers: ignore what you do not know.",
  "Errors are problem documents (RFC 9457); each code is explained at `/docs/errors`.",
].join(" ");
const LICENSE = { name: "Apache-2.0", identifier: "Apache-2.0" };

const COMPONENTS = {
  securitySchemes: {
    bearer: { type: "http", scheme: "bearer", description: "An API key of a client: `clv_sk_…`." },
    certificate: {
      type: "mutualTLS",
      description:
        "A certificate of a client, where the gateway has `listen.clientCertificates`. An Authorization header goes before it.",
    },
  },
  parameters: Object.fromEntries(
    Object.entries(REQUEST_HEADERS).map(([id, header]) => [id, { ...header, in: "header" }]),
  ),
  headers: ANSWER_HEADERS,
} as const;

/** Metrics are open to anybody where the listener is on a loopback address: told as what they are elsewhere. */
function guarded(route: Route): Route {
  return route.operation === "metrics" ? { ...route, access: "authenticated" } : route;
}

function describe(route: Route): Operation {
  return {
    operationId: route.operationId ?? camelCase(route.operation),
    tags: [tagOf(route.path)],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: securityOf(route),
    parameters: parametersOf(route),
    ...queryOf(route),
    ...bodyOf(route),
    responses: answersOf(route),
    "x-error-codes": errorCodesOf(route),
  } as Operation;
}

function camelCase(name: string): string {
  return name.replaceAll(/[.-]([a-z])/gu, (_, letter: string) => letter.toUpperCase());
}

function securityOf({ access, operation }: Route): Operation["security"] {
  if (operation === "metrics") return [{}, { bearer: [] }, { certificate: [] }];
  return access === "public" ? [] : [{ bearer: [] }, { certificate: [] }];
}

function parametersOf(route: Route): Operation["parameters"] {
  const names = [...route.path.matchAll(/:(\w+)/gu)].map(([, name = ""]) => name);
  const headers: (keyof typeof REQUEST_HEADERS)[] = [
    ...(route.access === "public" ? [] : (["Namespace", "Deadline"] as const)),
    ...(route.changes ? (["IdempotencyKey"] as const) : []),
    ...(route.changes && names.includes("key") ? (["IfMatch"] as const) : []),
    "RequestId",
  ];
  return [
    ...names.map((name) => ({ name, in: "path", required: true, ...PATH_PARAMETERS[name] }) as never),
    ...(route.operation === "keys.list" ? [LABEL_FILTERS as never] : []),
    ...(route.changes ? [DRY_RUN as never] : []),
    ...headers.map((id) => ({ $ref: `#/components/parameters/${id}` })),
  ];
}

function queryOf({ query }: Route): Pick<Operation, "requestParams"> {
  return query instanceof z.ZodObject ? { requestParams: { query } } : {};
}

function bodyOf(route: Route): Pick<Operation, "requestBody"> {
  const schema = route.bodyDoc ?? route.body;
  if (schema === undefined) return {};
  const types = route.consumes === undefined ? ["application/json"] : [route.consumes];
  if (route.method === "PATCH") types.push("application/merge-patch+json");
  const required = route.consumes !== undefined || !schema.safeParse({}).success;
  return { requestBody: { required, content: Object.fromEntries(types.map((type) => [type, { schema }])) } };
}

function answersOf(route: Route): Answers {
  const good = Object.entries(route.answers).map(([status, schema]) => [
    status,
    goodAnswer(route, Number(status), schema),
  ]);
  const statuses = new Set(errorCodesOf(route).map((code) => ERROR_CODES[code].status));
  const bad = [...statuses].map((status) => [status, { $ref: `#/components/responses/Error${status}` }]);
  return { ...Object.fromEntries([...bad, ...good]), default: { $ref: "#/components/responses/Error" } } as Answers;
}

const MEANINGS: Readonly<Record<number, string>> = {
  200: "Done.",
  201: "Created.",
  202: "Accepted: it goes on.",
  207: "A batch of which some items failed.",
  503: "Not ready.",
};

function goodAnswer(route: Route, status: number, schema: z.ZodType | undefined): Answers[`2${string}`] {
  const type = route.produces ?? "application/json";
  const names = ["X-Request-Id", ...headersOf(route, status)];
  return {
    description: MEANINGS[status] ?? "Done.",
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: { [type]: { schema: schema ?? { type: "string" } } },
  };
}

function headersOf(route: Route, status: number): readonly string[] {
  const isKey =
    route.answers[status] !== undefined &&
    route.operation.startsWith("keys.") &&
    !/list|history|versions/u.test(route.operation);
  return [
    ...(isKey || route.operation === "aliases.move" ? ["ETag"] : []),
    ...(status === 201 && /^(?:keys|clients)\.create$/u.test(route.operation) ? ["Location"] : []),
    ...(route.changes ? ["Idempotent-Replayed"] : []),
  ];
}

/** One answer per status, with the codes that it may carry; and one for what is not described yet. */
function errorAnswers(): NonNullable<NonNullable<Input["components"]>["responses"]> {
  const byStatus = Map.groupBy(Object.keys(ERROR_CODES) as ErrorCode[], (code) => ERROR_CODES[code].status);
  const answers = [...byStatus].map(([status, codes]) => {
    const retry = status === 429 || status >= 503 ? ["Retry-After"] : [];
    const names = ["X-Request-Id", ...retry, ...(status === 405 ? ["Allow"] : [])];
    return [`Error${status}`, errorAnswer(codes.map((code) => `\`${code}\``).join(", "), names)] as const;
  });
  return Object.fromEntries([...answers, ["Error", errorAnswer("Any other error.", ["X-Request-Id"])]]);
}

function errorAnswer(description: string, names: readonly string[]): ErrorAnswer {
  const headers = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
  return { description, headers, content: { "application/problem+json": { schema: problemAnswer } } };
}

type ErrorAnswer = ReturnType<typeof errorAnswers>[string];
