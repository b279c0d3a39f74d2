import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { KEY_OPERATIONS } from "#core/purposes.ts";
import { ROLES } from "#core/records.ts";
import { canonicalSubject } from "#core/subject-name.ts";
import { parseTime } from "../arguments.ts";

export type Place = { readonly line: number; readonly column: number };

/** One service of the file. */
export type Service = {
  readonly name: string;
  readonly role: string;
  readonly keys: readonly string[];
  readonly allow: readonly string[];
  readonly contextEquals: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly expireTime: string | undefined;
  readonly credential: "api-key" | "mtls";
  /** Canonical; undefined for an API key. */
  readonly subject: string | undefined;
  /** Where it stands in the file; lines and columns count from 1. */
  readonly at: Place;
};

export type Mistake = Place & { readonly message: string };

/**
 * Reads the services of a YAML text: a list of `{name, role, keys, allow, contextEquals?, expireTime?, credential, subject?}`. Strict, and total:
 * every mistake is in the answer, in the order of the text; services with mistakes are left out.
 */
export function parseServices(text: string): {
  readonly services: readonly Service[];
  readonly mistakes: readonly Mistake[];
} {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", schema: "core" });
  const mistakes: Mistake[] = [];
  const tell = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    mistakes.push({ line: Math.max(line, 1), column: Math.max(col, 1), message });
  };
  for (const { code, message, pos } of [...document.errors, ...document.warnings])
    tell(pos[0], code === "DUPLICATE_KEY" ? "the member stands here twice" : message);
  if (mistakes.length > 0) return { services: [], mistakes };
  if (!isSeq(document.contents)) {
    tell(document.contents?.range?.[0] ?? 0, "wanted a list of services");
    return { services: [], mistakes };
  }
  const reader = new Reader(tell);
  const found = document.contents.items.flatMap((item) => reader.service(item as Node) ?? []);
  for (const { offset, member, value } of reader.twins()) tell(offset, `${member}: another service has ${value}`);
  const services = found.map(({ offset, ...service }) => {
    const { line, col } = lines.linePos(offset);
    return { ...service, at: { line, column: col } };
  });
  return { services, mistakes: mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

type Tell = (offset: number, message: string) => void;
type Value<T> = { readonly value: T; readonly offset: number };
type Found = Omit<Service, "at"> & { readonly offset: number };

const MEMBERS = ["name", "role", "keys", "allow", "contextEquals", "expireTime", "credential", "subject"] as const;
type Member = (typeof MEMBERS)[number];
const WANTED: readonly Member[] = ["name", "role", "keys", "allow", "credential"];
const CREDENTIALS = ["api-key", "mtls"] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u;
const MAX_KEYS = 100;
const MAX_GLOB = 255;

class Reader {
  readonly #tell: Tell;
  readonly #seen: (Value<string> & { readonly member: string })[] = [];

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  service(node: Node): Found | undefined {
    const offset = node.range?.[0] ?? 0;
    if (!isMap(node)) return this.#refuse(offset, "wanted a mapping such as { name: checkout, … }");
    const members = this.#members(node.items);
    const missing = WANTED.filter((name) => !members.has(name));
    for (const name of missing) this.#tell(offset, `${name}: wanted, and not there`);
    const name = this.#text(members, "name", (text) => NAME.test(text), `a name that matches ${NAME.source}`);
    const role = this.#choice(members, "role", ROLES);
    const keys = this.#list(members, "keys", (glob) => glob.length <= MAX_GLOB, "globs on names of keys");
    const allow = this.#list(members, "allow", isOperation, `* alone, or operations of ${OPERATIONS.join(", ")}`);
    if (allow !== undefined && allow.length > 1 && allow.includes("*"))
      this.#tell(members.get("allow")?.range?.[0] ?? offset, "allow: wanted * alone, or operations");
    const contextEquals = this.#pairs(members);
    const expireTime = this.#time(members);
    const credential = this.#choice(members, "credential", CREDENTIALS);
    const subject = this.#subject(members, credential?.value, offset);
    for (const [member, value] of [["name", name] as const, ["subject", subject] as const])
      if (value !== undefined) this.#seen.push({ member, ...value });
    if (name === undefined || role === undefined || keys === undefined || allow === undefined) return undefined;
    if (credential === undefined) return undefined;
    const bounds = { contextEquals, expireTime, subject: subject?.value };
    const limits = { role: role.value, keys, allow, credential: credential.value };
    return { name: name.value, ...limits, ...bounds, offset };
  }

  /** What must differ between services and does not. */
  twins(): readonly (Value<string> & { readonly member: string })[] {
    return this.#seen.filter(
      (one, index) => this.#seen.findIndex(({ member, value }) => member === one.member && value === one.value) < index,
    );
  }

  #members(items: readonly Pair[]): ReadonlyMap<Member, Node> {
    const members = new Map<Member, Node>();
    for (const { key, value } of items) {
      const name = isScalar(key) ? key.value : undefined;
      const known = MEMBERS.find((member) => member === name);
      if (known !== undefined) members.set(known, value as Node);
      else
        this.#tell((key as Node).range?.[0] ?? 0, `there is no member ${String(name)}; wanted ${MEMBERS.join(", ")}`);
    }
    return members;
  }

  #text(
    members: ReadonlyMap<Member, Node>,
    member: Member,
    fits: (text: string) => boolean,
    wanted: string,
  ): Value<string> | undefined {
    const node = members.get(member);
    if (node === undefined) return undefined;
    const offset = node.range?.[0] ?? 0;
    if (isScalar(node) && typeof node.value === "string" && node.value !== "" && fits(node.value))
      return { value: node.value, offset };
    return this.#refuse(offset, `${member}: wanted ${wanted}`);
  }

  #choice<T extends string>(
    members: ReadonlyMap<Member, Node>,
    member: Member,
    choices: readonly T[],
  ): Value<T> | undefined {
    const isOne = (text: string): text is T => choices.some((choice) => choice === text);
    const found = this.#text(members, member, isOne, `one of ${choices.join(", ")}`);
    return found === undefined || !isOne(found.value) ? undefined : { value: found.value, offset: found.offset };
  }

  #list(
    members: ReadonlyMap<Member, Node>,
    member: Member,
    fits: (text: string) => boolean,
    wanted: string,
  ): readonly string[] | undefined {
    const node = members.get(member);
    if (node === undefined) return undefined;
    if (!isSeq(node) || node.items.length > MAX_KEYS)
      return this.#refuse(node.range?.[0] ?? 0, `${member}: wanted a list of ${wanted}`);
    const texts = node.items.map((item, index) => {
      const text = isScalar(item) && typeof item.value === "string" && fits(item.value) ? item.value : "";
      const offset = (item as Node).range?.[0] ?? 0;
      if (text === "") return this.#refuse(offset, `${member}[${index}]: wanted ${wanted}`);
      return { text, offset, index };
    });
    const whole = texts.filter((text) => text !== undefined);
    const twins = whole.filter(({ text }, at) => whole.findIndex((other) => other.text === text) < at);
    for (const { text, offset, index } of twins) this.#tell(offset, `${member}[${index}]: ${text} stands here twice`);
    return whole.length < texts.length || twins.length > 0 ? undefined : whole.map(({ text }) => text);
  }

  #pairs(members: ReadonlyMap<Member, Node>): Readonly<Record<string, string>> {
    const node = members.get("contextEquals");
    if (node === undefined) return {};
    if (!isMap(node)) {
      this.#tell(node.range?.[0] ?? 0, "contextEquals: wanted a mapping of names to texts");
      return {};
    }
    const pairs: (readonly [string, string])[] = [];
    for (const { key, value } of node.items) {
      const [name, text] = [isScalar(key) ? key.value : undefined, isScalar(value) ? value.value : undefined];
      if (typeof name === "string" && typeof text === "string") pairs.push([name, text]);
      else this.#tell((key as Node).range?.[0] ?? 0, `contextEquals.${String(name)}: wanted a text; quote it`);
    }
    return Object.fromEntries(pairs);
  }

  #time(members: ReadonlyMap<Member, Node>): string | undefined {
    const wanted = "a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z";
    const found = this.#text(members, "expireTime", (text) => timeOf(text) !== undefined, wanted);
    return found === undefined ? undefined : timeOf(found.value);
  }

  #subject(
    members: ReadonlyMap<Member, Node>,
    credential: string | undefined,
    offset: number,
  ): Value<string> | undefined {
    const node = members.get("subject");
    if (credential === "mtls" && node === undefined)
      return this.#refuse(offset, "subject: wanted for a certificate, and not there");
    if (credential === "api-key" && node !== undefined)
      return this.#refuse(node.range?.[0] ?? 0, "subject: an api-key has none");
    const wanted = "a spiffe:// id, or a name such as CN=checkout,O=Example";
    const found = this.#text(members, "subject", (text) => canonicalSubject(text) !== undefined, wanted);
    const value = found === undefined ? undefined : canonicalSubject(found.value);
    return found === undefined || value === undefined ? undefined : { value, offset: found.offset };
  }

  #refuse(offset: number, message: string): undefined {
    this.#tell(offset, message);
  }
}

const OPERATIONS = Object.keys(KEY_OPERATIONS);

function isOperation(text: string): boolean {
  return text === "*" || OPERATIONS.includes(text);
}

function timeOf(text: string): string | undefined {
  try {
    return parseTime(text);
  } catch {
    return undefined; // the caller says what was wanted
  }
}
