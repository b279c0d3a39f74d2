/** What RFC 8785 can write. `undefined` members are left out, as JSON.stringify does. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * Writes JSON in the canonical form of RFC 8785: members sorted by UTF-16 code units, no white space, ECMAScript's numbers.
 * 64-bit integers are given as strings by whoever calls.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  return `{${canonicalMembers(value)
    .map(([, text]) => text)
    .join(",")}}`;
}

/** The members of an object in their order, each with its name and as it is written. */
export function canonicalMembers(value: {
  readonly [name: string]: Json | undefined;
}): readonly (readonly [name: string, text: string])[] {
  const members: [string, string][] = [];
  for (const name of Object.keys(value).toSorted()) {
    const member = value[name];
    if (member !== undefined) members.push([name, `${JSON.stringify(name)}:${canonicalJson(member)}`]);
  }
  return members;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
