import { KmsError } from "#core/errors.ts";

const MAX_DEPTH = 8;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses JSON as the interface wants it (api.md § 1.1): UTF-8, no member twice, at most 8 levels, no lone surrogate, nothing behind it.
 * Every member is an own property, `__proto__` too.
 *
 * @throws {KmsError} `MALFORMED_JSON`, which says where but never what
 */
export function parseStrictJson(body: Uint8Array): unknown {
  const text = decode(body);
  const value = parse(text);
  if (typeof value === "object" && value !== null) new Scanner(text).scan();
  if (!text.isWellFormed() || (text.includes("\\u") && !isWellFormed(value)))
    throw malformed("a text has a lone surrogate");
  return value;
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw malformed("the body is not valid utf-8", error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed("the body does not parse", error);
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}

function malformed(detail: string, cause?: unknown): KmsError {
  return new KmsError("MALFORMED_JSON", detail, { cause });
}

/** Walks a text that JSON.parse has accepted, so that its syntax is known: counts levels and compares the names of members. */
class Scanner {
  readonly #text: string;
  /** The names seen so far in each open object; undefined for an open list. */
  readonly #open: (Set<string> | undefined)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    const text = this.#text;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) this.#string();
      else if (code === 0x7b) this.#enter(new Set());
      else if (code === 0x5b) this.#enter(undefined);
      else {
        if (code === 0x7d || code === 0x5d) this.#open.pop();
        this.#at += 1;
      }
    }
  }

  #enter(names: Set<string> | undefined): void {
    if (this.#open.length === MAX_DEPTH) throw malformed(`wanted at most ${MAX_DEPTH} levels`);
    this.#open.push(names);
    this.#at += 1;
  }

  #string(): void {
    const start = this.#at;
    const end = this.#endOfString(start + 1);
    this.#at = end + 1;
    const names = this.#open.at(-1);
    if (names === undefined || !this.#isName()) return;
    const raw = this.#text.slice(start, end + 1);
    const name = raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1);
    if (names.has(name)) throw malformed("an object has the same member twice");
    names.add(name);
  }

  /** The index of the closing quote. */
  #endOfString(from: number): number {
    const text = this.#text;
    let end = text.indexOf('"', from);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    return end;
  }

  /** Whether a colon comes next: what was read is the name of a member. */
  #isName(): boolean {
    const text = this.#text;
    let at = this.#at;
    while (text.charCodeAt(at) <= 0x20) at += 1;
    return text.charCodeAt(at) === 0x3a;
  }
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}
