/** The names that a client certificate is known by: a SPIFFE id, or its subject as RFC 4514 writes it. */

const MAX_LENGTH = 2048;

/**
 * One writing for every name that means the same, so that names are compared as texts. A `spiffe://` id is taken as it is; a distinguished name gets the
 * order of RFC 4514, no space around its separators, known attribute types by their short names, and the fewest escapes.
 * Values are compared exactly, letter case included. Undefined for what is neither.
 *
 * @see SPIFFE-ID § 2; RFC 4514 § 2 and § 3
 */
export function canonicalSubject(text: string): string | undefined {
  if (text.length === 0 || text.length > MAX_LENGTH) return undefined;
  if (/^spiffe:/iu.test(text)) return isSpiffeId(text) ? text : undefined;
  const name = parseName(text);
  return name === undefined || name.length === 0 ? undefined : name.map((parts) => writeParts(parts)).join(",");
}

/**
 * The RFC 4514 name, canonical, of a subject that lists its relative names from the root on, one per line, as OpenSSL does with
 * `sep_multiline` and `esc_2253`; undefined for an empty subject.
 */
export function subjectOfLines(lines: string): string | undefined {
  const names = lines.split("\n").filter((line) => line !== "");
  // only a separator has a plus that is not escaped
  const text = names.toReversed().map((line) => line.replaceAll(" + ", "+"));
  return canonicalSubject(text.join(","));
}

const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,255}(?<path>(?:\/[A-Za-z0-9._-]+)*)$/u;

function isSpiffeId(text: string): boolean {
  const path = SPIFFE.exec(text)?.groups?.["path"];
  return path !== undefined && !path.split("/").some((segment) => segment === "." || segment === "..");
}

type Part = { readonly type: string; readonly value: string };

const SEPARATORS = new Set([",", "+"]);

/** The relative names in their order; each is one part, or several that stand together. */
function parseName(text: string): readonly (readonly Part[])[] | undefined {
  const names: Part[][] = [[]];
  let at = 0;
  for (;;) {
    const head = /^ *(?<type>[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+) *= */u.exec(text.slice(at));
    if (head?.groups?.["type"] === undefined) return undefined;
    at += head[0].length;
    const read = readValue(text, at);
    if (read === undefined) return undefined;
    names.at(-1)?.push({ type: canonicalType(head.groups["type"]), value: read.value });
    at = read.end;
    if (at === text.length) return names;
    if (text[at] === ",") names.push([]);
    at += 1;
  }
}

type Read = { readonly value: string; readonly end: number };

/** A value up to the next separator that is not escaped, spaces around it left out, escapes undone. */
function readValue(text: string, start: number): Read | undefined {
  if (text[start] === "#") return undefined; // the bytes of a value, of which no certificate's text has any
  const bytes: number[] = [];
  let kept = 0;
  let at = start;
  while (at < text.length && !SEPARATORS.has(text[at] ?? "")) {
    const [character = ""] = text.slice(at, at + 2);
    if (character === "\\") {
      const pair = /^\\(?:(?<hex>[0-9A-Fa-f]{2})|(?<special>[ "#+,;<=>\\]))/u.exec(text.slice(at, at + 3));
      if (pair === null) return undefined;
      const { hex, special = "" } = pair.groups ?? {};
      bytes.push(hex === undefined ? special.charCodeAt(0) : Number.parseInt(hex, 16));
      kept = bytes.length; // an escaped space is part of the value
      at += pair[0].length;
      continue;
    }
    if ('";<>\0'.includes(character)) return undefined;
    bytes.push(...Buffer.from(character, "utf8"));
    if (character !== " ") kept = bytes.length;
    at += character.length;
  }
  const value = Buffer.from(bytes.slice(0, kept));
  const decoded = value.toString("utf8");
  return Buffer.from(decoded, "utf8").equals(value) ? { value: decoded, end: at } : undefined;
}

/** The types of RFC 4514 § 3, and those that OpenSSL names; by their short names and their object identifiers. */
const TYPES: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  serialNumber: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  STREET: "2.5.4.9",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  title: "2.5.4.12",
  GN: "2.5.4.42",
  organizationIdentifier: "2.5.4.97",
  UID: "0.9.2342.19200300.100.1.1",
  DC: "0.9.2342.19200300.100.1.25",
  emailAddress: "1.2.840.113549.1.9.1",
};
const SHORT_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(TYPES).flatMap(([name, oid]) => [
    [name.toLowerCase(), name],
    [oid, name],
  ]),
);

function canonicalType(type: string): string {
  return SHORT_NAMES.get(type.toLowerCase()) ?? type.toLowerCase();
}

/** Parts that stand together are a set (RFC 5280 § 4.1.2.4). */
function writeParts(parts: readonly Part[]): string {
  return parts
    .map(({ type, value }) => `${type}=${escapeValue(value)}`)
    .toSorted()
    .join("+");
}

/** RFC 4514 § 2.4; control characters as hex pairs, so that a name is one line. */
function escapeValue(value: string): string {
  return value
    .replaceAll(/["+,;<>\\]/gu, String.raw`\$&`)
    .replaceAll(/\p{Cc}/gu, (character) =>
      [...Buffer.from(character, "utf8")]
        .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`)
        .join(""),
    )
    .replaceAll(/^[ #]|(?<!^) $/gu, String.raw`\$&`);
}
