/**
 * Writes schemas as a person would: `T | null` as one type with two names, and no bounds that bound nothing.
 * Changes no meaning.
 */
export function tidy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => tidy(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, tidy(member)] as const);
  return mergeNull(withoutEmptyBounds(Object.fromEntries(members))) as T;
}

type Members = Readonly<Record<string, unknown>>;

function withoutEmptyBounds(schema: Members): Members {
  if (schema["minLength"] === 0) return omit(schema, "minLength");
  if (schema["type"] !== "integer") return schema;
  const { minimum, maximum, ...rest } = omit(schema, "pattern"); // of the text that a parameter is parsed from
  return {
    ...rest,
    ...(minimum === Number.MIN_SAFE_INTEGER || minimum === undefined ? {} : { minimum }),
    ...(maximum === Number.MAX_SAFE_INTEGER || maximum === undefined ? {} : { maximum }),
  };
}

function omit(schema: Members, name: string): Members {
  return Object.fromEntries(Object.entries(schema).filter(([member]) => member !== name));
}

function mergeNull(schema: Members): Members {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema;
  const [first, second] = anyOf as readonly Members[];
  if (first === undefined || second?.["type"] !== "null" || typeof first["type"] !== "string" || "const" in first)
    return schema;
  const values = first["enum"];
  return {
    ...first,
    type: [first["type"], "null"],
    ...(Array.isArray(values) ? { enum: [...values, null] } : {}),
    ...rest,
  };
}
