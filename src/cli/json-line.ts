/** Where a member's value stands in a line of JSON: from `start` up to `end`, in UTF-16 code units. */
export type Member = { readonly value: unknown; readonly start: number; readonly end: number };

/** Tokens of JSON (RFC 8259 § 2), once it is known to be JSON: strings, punctuation, and words or numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/gu;

/**
 * The members of one JSON object, with the place of each value, so that one can be changed and every other character of the line stays.
 * Undefined for what is no JSON object, and for one that has a member twice: which of the two is meant, nobody can say.
 */
export function parseJsonLine(line: string): ReadonlyMap<string, Member> | undefined {
  if (!isJsonObject(line)) return undefined;
  const members = new Map<string, Member>();
  let depth = 0;
  let name: string | undefined;
  let start: number | undefined;
  for (const { 0: token, index } of line.matchAll(TOKENS)) {
    if (depth === 1 && name !== undefined && start !== undefined && (token === "," || token === "}")) {
      if (members.has(name)) return undefined;
      const end = start + line.slice(start, index).trimEnd().length;
      members.set(name, { value: JSON.parse(line.slice(start, end)), start, end });
      [name, start] = [undefined, undefined];
    } else if (name === undefined && token.startsWith('"')) name = JSON.parse(token) as string;
    else if (name !== undefined && token !== ":") start ??= index;
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
  }
  return members;
}

/** The line with a member's value replaced. */
export function replaceMember(line: string, { start, end }: Member, value: string): string {
  return `${line.slice(0, start)}${JSON.stringify(value)}${line.slice(end)}`;
}

function isJsonObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
