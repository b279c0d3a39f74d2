import type { ErrorCode } from "#core/errors.ts";
import { componentOf, type Schema } from "./schema.ts";

/** As much of an operation as its examples and its view need. */
export type ApiOperation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly ApiParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, ApiAnswer>>;
  readonly "x-error-codes": readonly ErrorCode[];
};
export type ApiParameter = {
  /** Of a parameter that stands among the components: the rest is there. */
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: string;
};
export type ApiAnswer = {
  readonly $ref?: string;
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
};

type Example = {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
  readonly components: Readonly<Record<string, Schema>>;
};

/** A command that runs the operation when pasted, once the shell has CLAVIGER_ADDR, CLAVIGER_CACERT and CLAVIGER_API_KEY. */
export function curlExample({ method, path, operation, components }: Example): string {
  const place = path.replaceAll(/\{(\w+)\}/gu, (_, name: string) => exampleOf(operation, name));
  const body = bodyExample(operation, components);
  return [
    `curl --cacert "$CLAVIGER_CACERT" ${method === "get" || body !== undefined ? "" : `-X ${method.toUpperCase()} `}"$CLAVIGER_ADDR${place}"`,
    ...(operation.security.length === 0 ? [] : ['-H "Authorization: Bearer $CLAVIGER_API_KEY"']),
    ...(body === undefined ? [] : body),
    ...(body !== undefined && method !== "post" ? [`-X ${method.toUpperCase()}`] : []),
  ].join(" \\\n  ");
}

function exampleOf({ parameters }: ApiOperation, name: string): string {
  return parameters.find((parameter) => parameter.name === name)?.example ?? name;
}

function bodyExample({ requestBody }: ApiOperation, components: Example["components"]): readonly string[] | undefined {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined || media === undefined) return undefined;
  if (type !== "application/json") return [`-H "Content-Type: ${type}" --data-binary @claviger.yaml`];
  const example = firstExample(media.schema, components);
  if (example === undefined) return undefined;
  return ['-H "Content-Type: application/json"', `-d '${JSON.stringify(example)}'`];
}

function firstExample(schema: Schema, components: Example["components"]): unknown {
  const name = componentOf(schema);
  const meant = name === undefined ? schema : components[name];
  return (
    meant?.examples?.[0] ?? (meant?.anyOf?.[0] === undefined ? undefined : firstExample(meant.anyOf[0], components))
  );
}
