import type { Pairs } from "./arguments.ts";
import { type Member, parseJsonLine, replaceMember } from "./json-line.ts";
import type { InputLine } from "./split-lines.ts";

/** What of a line is sent, and how the line looks with the new ciphertext in it. */
export type LineRequest = {
  readonly ciphertext: string;
  readonly context: Readonly<Record<string, string>> | undefined;
  readonly withCiphertext: (ciphertext: string) => string;
};

/** `blank`: nothing to do. `bad`: not sent, with the reason. */
export type ParsedLine =
  | { readonly kind: "request"; readonly request: LineRequest }
  | { readonly kind: "blank" }
  | { readonly kind: "bad"; readonly why: string };

export type LineRules = {
  /** The member that holds the ciphertext, in lines of JSON; undefined where the line is the ciphertext. */
  readonly field: string | undefined;
  /** In lines of JSON `{name}` in a value stands for that member's value. */
  readonly context: Pairs;
};

/** Reads one line of what is to be re-encrypted. */
export function parseLine({ bytes }: InputLine, rules: LineRules): ParsedLine {
  const text = decode(bytes);
  if (text === undefined) return { kind: "bad", why: "it is not UTF-8" };
  if (text.trim() === "") return { kind: "blank" };
  return rules.field === undefined ? parsePlain(text, rules) : parseFielded(text, rules.field, rules);
}

function parsePlain(text: string, { context }: LineRules): ParsedLine {
  const ciphertext = text.trim();
  const request = {
    ciphertext,
    context: asObject(context),
    withCiphertext: (next: string) => text.replace(ciphertext, () => next),
  };
  return { kind: "request", request };
}

function parseFielded(text: string, field: string, rules: LineRules): ParsedLine {
  const members = parseJsonLine(text);
  if (members === undefined) return { kind: "bad", why: "it is not one JSON object with distinct members" };
  const member = members.get(field);
  if (member === undefined) return { kind: "bad", why: `it has no member ${JSON.stringify(field)}` };
  const { value: ciphertext } = member;
  if (typeof ciphertext !== "string")
    return { kind: "bad", why: `its member ${JSON.stringify(field)} is not a string` };
  const filled: [string, string][] = [];
  for (const [name, template] of rules.context) {
    const value = fill(template, members, text);
    if (value === undefined)
      return {
        kind: "bad",
        why: `--context ${name}=${template} names a member that is not there, or is no string or number`,
      };
    filled.push([name, value]);
  }
  const withCiphertext = (next: string): string => replaceMember(text, member, next);
  return { kind: "request", request: { ciphertext, context: asObject(filled), withCiphertext } };
}

/** The template with each `{member}` replaced, numbers as they are written; undefined where one cannot be. */
function fill(template: string, members: ReadonlyMap<string, Member>, line: string): string | undefined {
  let complete = true;
  const text = template.replaceAll(/\{([^{}]+)\}/gu, (_, name: string) => {
    const member = members.get(name);
    if (typeof member?.value === "string") return member.value;
    if (typeof member?.value === "number") return line.slice(member.start, member.end);
    complete = false;
    return "";
  });
  return complete ? text : undefined;
}

function asObject(pairs: Pairs): Readonly<Record<string, string>> | undefined {
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
