import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type IndirectionSources, resolveIndirections } from "./indirection.ts";
import type { ConfigPath, ConfigProblem, PathProblem } from "./problem.ts";

/** A YAML text as plain values, with the place of every member. */
export type YamlTree = {
  readonly value: unknown;
  /** Mistakes of the text itself and of its indirections. */
  readonly problems: readonly ConfigProblem[];
  /** Whether a value came from outside the text and must not be told. */
  isIndirect(path: ConfigPath): boolean;
  /** Whether a value could not be read, which is among the problems already. */
  isBroken(path: ConfigPath): boolean;
  locate(problem: PathProblem): ConfigProblem;
};

/** Offsets of a member's name and of its value; a list's item has no name. */
type Place = { readonly name: number | undefined; readonly value: number };

/** Reads one YAML 1.2 document: mappings, lists and plain scalars; nothing that refers elsewhere but `${env:}` and `${file:}`. */
export function readYaml(text: string, sources: IndirectionSources): YamlTree {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2", schema: "core" });
  const faults = [...document.errors, ...document.warnings];
  const reader = new Reader(sources, (offset) => position(lines, offset));
  const value = faults.length === 0 ? reader.read(document.contents, []) : undefined;
  return {
    value,
    problems: [...faults.map((fault) => tell(fault, { text, lines })), ...reader.problems],
    isIndirect: (path) => reader.indirect.has(JSON.stringify(path)),
    isBroken: (path) => reader.broken.has(JSON.stringify(path)),
    locate: (problem) => reader.locate(problem),
  };
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

const PLAIN_TAGS = new Set(
  ["map", "seq", "str", "int", "float", "bool", "null"].map((tag) => `tag:yaml.org,2002:${tag}`),
);

type Fault = { readonly code: string; readonly message: string; readonly pos: readonly [number, number] };

function tell(
  { code, message, pos }: Fault,
  { text, lines }: { readonly text: string; readonly lines: LineCounter },
): ConfigProblem {
  const at = position(lines, pos[0]);
  if (code === "DUPLICATE_KEY") return { ...at, message: "the member stands here twice" };
  if (code === "MULTIPLE_DOCS") return { ...at, message: "wanted one document" };
  const told = `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  const isUnquoted = text.split("\n")[at.line - 1]?.includes("${") === true;
  return { ...at, message: isUnquoted ? `${told}; inside { } a text with \${…} is quoted` : told };
}

class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly indirect = new Set<string>();
  readonly broken = new Set<string>();
  readonly #places = new Map<string, Place>();
  readonly #sources: IndirectionSources;
  readonly #position: (offset: number) => { line: number; column: number };

  constructor(sources: IndirectionSources, positionOf: (offset: number) => { line: number; column: number }) {
    this.#sources = sources;
    this.#position = positionOf;
  }

  read(node: Node | null, path: ConfigPath, name?: number): unknown {
    const value = node?.range?.[0] ?? name ?? 0;
    this.#places.set(JSON.stringify(path), { name, value });
    if (node === null) return null;
    if (isAlias(node)) return this.#refuse(value, path, "aliases are not supported");
    if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) return this.#refuse(value, path, "tags are not supported");
    if (isMap(node)) return this.#readMap(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.read(isNode(item) ? item : null, [...path, index]));
    if (!isScalar(node)) return this.#refuse(value, path, "wanted a mapping, a list or a value");
    return typeof node.value === "string" ? this.#resolve(node.value, value, path) : node.value;
  }

  #readMap(items: readonly { readonly key: unknown; readonly value: unknown }[], path: ConfigPath): unknown {
    const members: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      const name = isScalar(key) ? key.value : undefined;
      if (typeof name === "string" && name !== "__proto__") {
        members[name] = this.read(isNode(value) ? value : null, [...path, name], offset);
      } else {
        this.#refuse(offset, path, "wanted a name");
      }
    }
    return members;
  }

  #resolve(text: string, offset: number, path: ConfigPath): string {
    const resolved = resolveIndirections(text, this.#sources);
    if (resolved.isIndirect) this.indirect.add(JSON.stringify(path));
    for (const message of resolved.problems) this.#refuse(offset, path, message);
    return resolved.text;
  }

  #refuse(offset: number, path: ConfigPath, message: string): undefined {
    this.broken.add(JSON.stringify(path));
    this.problems.push({ ...this.#position(offset), message });
  }

  /** Where a path stands; what is missing is told at the nearest member around it. */
  locate({ path, atName, message, suggestion }: PathProblem): ConfigProblem {
    for (let length = path.length; ; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place === undefined && length > 0) continue;
      const offset = atName === true || length < path.length ? (place?.name ?? place?.value) : place?.value;
      return { ...this.#position(offset ?? 0), message, ...(suggestion === undefined ? {} : { suggestion }) };
    }
  }
}
