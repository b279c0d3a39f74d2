/** As much of JSON Schema as our own documents have. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
};

/** One line of a table of fields: `rotation.everyDays`, what it is, and what is said of it. */
export type Field = {
  readonly name: string;
  readonly type: string;
  /** The component that it is, for a link. */
  readonly component: string | undefined;
  readonly isRequired: boolean;
  readonly values: readonly string[];
  readonly bounds: string;
  readonly default: string | undefined;
  readonly description: string;
};

/** The name of the component that a schema refers to. */
export function componentOf({ $ref }: { readonly $ref?: string }): string | undefined {
  return $ref?.slice($ref.lastIndexOf("/") + 1);
}

/** The fields of an object, nested ones behind their parents; those of a component that is referred to are not repeated. */
export function fieldsOf(schema: Schema, prefix = ""): readonly Field[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => [
    fieldOf(`${prefix}${name}`, member, schema.required?.includes(name) ?? false),
    ...nested(`${prefix}${name}`, member),
  ]);
  return [...own, ...variantFields(schema.oneOf ?? [], prefix)];
}

/** The fields of variants that a member tells apart, each once: with the variants that have it, if that is not all. */
function variantFields(variants: readonly Schema[], prefix: string): readonly Field[] {
  const tags = variants.map(tagOf);
  const all = variants.flatMap((variant, at) => fieldsOf(variant, prefix).map((field) => ({ field, tag: tags[at] })));
  return [...Map.groupBy(all, ({ field }) => field.name)].map(([name, having]) => {
    const [{ field } = { field: fieldOf(name, {}, false) }] = having;
    if (having.every(({ tag }) => tag !== undefined && name === `${prefix}${tag.name}`)) {
      return { ...field, type: "string", values: having.map(({ tag }) => tag?.value ?? "") };
    }
    const only =
      having.length === variants.length ? "" : ` For ${having.map(({ tag }) => `\`${tag?.value}\``).join(", ")}.`;
    return { ...field, description: `${field.description}${only}`.trim() };
  });
}

/** The member by which a variant is told apart, and its value. */
function tagOf({ properties = {} }: Schema): { readonly name: string; readonly value: string } | undefined {
  const tag = Object.entries(properties).find(([, member]) => member.const !== undefined);
  return tag === undefined ? undefined : { name: tag[0], value: String(tag[1].const) };
}

function nested(name: string, schema: Schema): readonly Field[] {
  if (schema.items !== undefined) return nested(`${name}[]`, schema.items);
  const [first, second] = schema.anyOf ?? [];
  if (first !== undefined && second?.type === "null") return nested(name, first);
  return fieldsOf(schema, `${name}.`);
}

function fieldOf(name: string, schema: Schema, isRequired: boolean): Field {
  const values = valuesOf(schema);
  return {
    name,
    type: typeOf(schema),
    component: linkOf(schema),
    isRequired,
    values: values.map(String),
    bounds: boundsOf(schema),
    default: schema.default === undefined ? undefined : JSON.stringify(schema.default),
    description: schema.description ?? "",
  };
}

function linkOf(schema: Schema): string | undefined {
  return componentOf(schema) ?? (schema.items === undefined ? undefined : linkOf(schema.items)) ?? firstLink(schema);
}

function firstLink({ anyOf = [] }: Schema): string | undefined {
  return anyOf.map(linkOf).find((name) => name !== undefined);
}

function valuesOf({ enum: values, items, anyOf = [] }: Schema): readonly unknown[] {
  if (values !== undefined) return values.filter((value) => value !== null);
  return items === undefined ? anyOf.flatMap(valuesOf) : valuesOf(items);
}

/** A schema in a few words: `base64`, `integer or null`, `list of strings`. */
export function typeOf(schema: Schema): string {
  const component = componentOf(schema);
  if (component !== undefined) return component;
  const { anyOf, oneOf, items } = schema;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(" or ");
  if (oneOf !== undefined) return [...new Set(oneOf.map(typeOf))].join(" or ");
  if (items !== undefined) return `list of ${typeOf(items)}${orNull(schema)}`;
  if (typeof schema.additionalProperties === "object")
    return `map of ${typeOf(schema.additionalProperties)}${orNull(schema)}`;
  return `${simpleType(schema)}${orNull(schema)}`;
}

function simpleType({ type, contentEncoding, format }: Schema): string {
  if (contentEncoding !== undefined) return contentEncoding;
  if (format === "date-time") return "time";
  const [first] = typeof type === "string" ? [type] : (type ?? []).filter((name) => name !== "null");
  return first ?? "any";
}

function orNull({ type }: Schema): string {
  return Array.isArray(type) && type.includes("null") ? " or null" : "";
}

function boundsOf(schema: Schema): string {
  const inner = schema.anyOf?.[0] ?? schema;
  const { minimum, exclusiveMinimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties } = inner;
  const ranges = [
    exclusiveMinimum === undefined ? range(minimum, maximum, "") : `more than ${exclusiveMinimum}, at most ${maximum}`,
    range(minLength === 1 && maxLength === undefined ? undefined : minLength, maxLength, " characters"),
    range(minItems, maxItems, " items"),
    range(undefined, maxProperties, " members"),
  ];
  return ranges.filter((text) => text !== "").join(", ");
}

function range(low: number | undefined, high: number | undefined, unit: string): string {
  if (low === undefined) return high === undefined ? "" : `at most ${high}${unit}`;
  return high === undefined ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
}
