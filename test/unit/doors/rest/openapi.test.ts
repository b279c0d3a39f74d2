import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "#core/errors.ts";
import { restRoutes } from "#doors/rest/door.ts";
import type { RestParts } from "#doors/rest/rest-parts.ts";
import { restDocument } from "../../../../deploy/rest-documents.ts";

type Node = { readonly [name: string]: unknown };
type Media = { readonly schema: { readonly $ref?: string; readonly anyOf?: readonly { readonly $ref?: string }[] } };
type Operation = {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters: readonly {
    readonly name?: string;
    readonly in?: string;
    readonly description?: string;
    readonly $ref?: string;
  }[];
  readonly responses: Readonly<Record<string, Node>>;
};

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
const routes = restRoutes({ version, metricsOpen: false } as RestParts);
const document = JSON.parse(JSON.stringify(restDocument(version))) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: Readonly<Record<string, Readonly<Record<string, Node>>>>;
};
const listed = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ place: `${method.toUpperCase()} ${path}`, operation })),
);
const routeOf = (place: string): (typeof routes)[number] | undefined =>
  routes.find(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}` === place);
const schema = (name: string): Node => document.components["schemas"]?.[name] ?? {};
const property = (name: string, member: string): unknown => (schema(name)["properties"] as Node)[member];

describe("the OpenAPI document", () => {
  it("is a valid document of OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>);
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, "3.1"]);
  });

  it("is the one in docs/openapi.json (npm run docs)", () => {
    expect(JSON.parse(readFileSync("docs/openapi.json", "utf8"))).toEqual(document);
  });

  it("does not depend on where metrics are open", () => {
    expect(
      restRoutes({ version, metricsOpen: true } as RestParts).find(({ path }) => path === "/metrics")?.access,
    ).toBe("public");
    const open = restRoutes({ version, metricsOpen: true } as RestParts).find(({ path }) => path === "/openapi.json");
    return expect(open?.handle({} as never, undefined)).resolves.toMatchObject({
      body: JSON.stringify(restDocument(version)),
    });
  });

  it("has every route and nothing else", () => {
    const wanted = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/gu, "{$1}")}`);
    expect(listed.map(({ place }) => place).toSorted()).toEqual(wanted.toSorted());
  });

  it("has one id per operation, which a generator can use as a name", () => {
    const ids = listed.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/u.test(id))).toEqual([]);
  });

  it.for(listed)("describes $place", ({ place, operation }) => {
    const route = routeOf(place);
    expect(operation.summary).toMatch(/[^.]$/u);
    expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0]);
    expect(operation.security.length === 0).toBe(route?.access === "public");
    const names = operation.parameters.map(({ name, $ref }) => name ?? $ref?.split("/").at(-1));
    const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(place.match(/\{\w+\}/gu) ?? []);
    expect(inPath.every(({ description }) => description !== undefined)).toBe(true);
    expect(names.includes("dryRun")).toBe(route?.changes);
    expect(names.includes("IdempotencyKey")).toBe(route?.changes);
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining([...Object.keys(route?.answers ?? {}), "400", "default"]),
    );
  });

  it("refers to nothing that it does not have", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/gu)];
    expect(refs.length).toBeGreaterThan(100);
    const missing = refs.filter(([, kind = "", name = ""]) => document.components[kind]?.[name] === undefined);
    expect(missing.map(([ref]) => ref)).toEqual([]);
  });

  it("tells each error code in the answer of its status", () => {
    for (const [code, { status }] of Object.entries(ERROR_CODES)) {
      expect(document.components["responses"]?.[`Error${status}`]?.["description"]).toContain(`\`${code}\``);
    }
  });

  it("gives examples that the routes take", () => {
    const tried = listed.flatMap(({ place, operation }) => {
      const media = operation.requestBody?.content["application/json"]?.schema;
      const name = (media?.$ref ?? media?.anyOf?.[0]?.$ref)?.split("/").at(-1) ?? "";
      return ((schema(name)["examples"] ?? []) as readonly unknown[]).map((example) => ({ place, example }));
    });
    expect(tried.length).toBeGreaterThan(15);
    for (const { place, example } of tried) {
      expect(routeOf(place)?.body?.safeParse(example).success, `${place}: ${JSON.stringify(example)}`).toBe(true);
    }
  });
});

describe("what the OpenAPI document says of requests", () => {
  it("bytes are canonical base64", () => {
    expect(property("EncryptRequest", "plaintext")).toMatchObject({ type: "string", contentEncoding: "base64" });
    const { pattern } = property("EncryptRequest", "plaintext") as { readonly pattern: string };
    for (const good of ["", "YQ==", "YWI=", "YWJj"]) expect(good).toMatch(new RegExp(pattern, "u"));
    for (const bad of ["YQ", "YQ=", "YQ==\n", "-_-_", "YQ==YQ=="]) expect(bad).not.toMatch(new RegExp(pattern, "u"));
  });

  it("a context is a map of texts within its bounds, or null", () => {
    expect(property("EncryptRequest", "context")).toMatchObject({
      type: ["object", "null"],
      additionalProperties: { type: "string", maxLength: 1024 },
      propertyNames: { minLength: 1, maxLength: 128 },
      maxProperties: 32,
    });
  });

  it("labels are a map of texts, where PATCH takes null", () => {
    expect(property("CreateKeyRequest", "labels")).toMatchObject({
      additionalProperties: { type: "string", maxLength: 255 },
      default: {},
    });
    expect(property("UpdateKeyRequest", "labels")).toMatchObject({
      additionalProperties: { type: ["string", "null"] },
    });
  });

  it("what has a default says which, and takes null", () => {
    expect(property("CreateKeyRequest", "purpose")).toMatchObject({
      type: ["string", "null"],
      enum: ["encrypt", "sign", "mac", "wrap", "agree", "kem", null],
      default: "encrypt",
    });
    expect(property("GenerateDataKeyRequest", "bytes")).toMatchObject({ minimum: 1, maximum: 1024, default: 32 });
    expect(property("DecryptRequest", "upgrade")).toMatchObject({ type: ["boolean", "null"], default: false });
  });

  it("only what has no default is required, and nothing unknown is taken", () => {
    expect(schema("CreateKeyRequest")).toMatchObject({ required: ["name"], additionalProperties: false });
    expect(schema("EncryptRequest")).toMatchObject({ required: ["plaintext"], additionalProperties: false });
    expect(schema("RotateRequest")["required"]).toBeUndefined();
  });
});

describe("what the OpenAPI document says of answers", () => {
  it("they may have more than is described", () => {
    expect(schema("Key")["additionalProperties"]).toBeUndefined();
    expect(property("Key", "labels")).toMatchObject({ additionalProperties: { type: "string" } });
  });

  it("a key has all its fields", () => {
    expect((schema("Key")["required"] as readonly string[]).toSorted()).toEqual(
      Object.keys(schema("Key")["properties"] as Node).toSorted(),
    );
  });
});
