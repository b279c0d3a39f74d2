import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Context } from "#core/context.ts";
import { open } from "#envelope/portable.ts";
import { readJournal } from "#envelope/read-journal.ts";
import { decodeText } from "#envelope/text.ts";
import { openVersionKey } from "#envelope/version-seal.ts";
import { refusalOf } from "./fixtures.ts";
import { formatVectors } from "./format-vectors.ts";

type PlainContext =
  | { readonly kind: "none" }
  | { readonly kind: "map"; readonly pairs: readonly (readonly [string, string])[] }
  | { readonly kind: "bytes"; readonly bytes: string };
type Message = { readonly name: string; readonly versionKey: string; readonly context: string; readonly text: string };
type Vectors = {
  readonly contexts: readonly { readonly name: string; readonly context: PlainContext }[];
  readonly messages: readonly (Message & { readonly plaintext: string })[];
  readonly refused: readonly Message[];
  readonly journal: { readonly rowKey: string; readonly branchKey: string; readonly lines: readonly string[] };
};

const file = new URL("../../vectors/format-1.json", import.meta.url);
const bytesOf = (hex: string): Buffer => Buffer.from(hex, "hex");

describe("the vectors of format 1", () => {
  it("are what the code computes; `vitest -u` writes them anew, which no released format survives", async () => {
    await expect(ascii(`${JSON.stringify(formatVectors(), null, 2)}\n`)).toMatchFileSnapshot(file.pathname);
  });

  it("hold every value that docs/format.md quotes", () => {
    const page = readFileSync(new URL("../../../docs/format.md", import.meta.url), "utf8");
    const held = readFileSync(file, "utf8");
    const quoted = page.match(/\b(?:[0-9a-f]{18,}|clv1\.[\w-]{20,})/gu) ?? [];
    expect(quoted.length).toBeGreaterThan(12);
    expect(quoted.filter((value) => !held.includes(value))).toEqual([]);
  });

  const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
  const contexts = new Map(vectors.contexts.map(({ name, context }) => [name, contextOf(context)]));
  const openIt = ({ versionKey, context, text }: Omit<Message, "name">): Buffer =>
    open({
      versionKey: bytesOf(versionKey),
      context: contexts.get(context) ?? { kind: "none" },
      bytes: decodeText(text),
    });

  it.each(vectors.messages)("have a message that opens: $name", (message) => {
    expect(openIt(message)).toEqual(bytesOf(message.plaintext));
  });

  it.each(vectors.refused)("have a text that is refused: $name", (message) => {
    expect(refusalOf(() => openIt(message)).code).toBe("CIPHERTEXT_INVALID");
  });

  it("have a journal that opens the messages with the branch key alone", () => {
    const { rowKey, branchKey, lines } = vectors.journal;
    const text = lines.map((line) => `${line}\n`).join("");
    const [, , line] = readJournal(text, new Map([[1, bytesOf(rowKey)]])).lines;
    if (line?.type !== "version") throw new Error("the third line is of a version");
    const versionKey = openVersionKey({ ...line, branchKey: bytesOf(branchKey) });
    const { plaintext, ...message } = vectors.messages[2] ?? { plaintext: "", versionKey: "", context: "", text: "" };
    expect(openIt({ ...message, versionKey: versionKey.toString("hex") })).toEqual(bytesOf(plaintext));
  });
});

/** Escapes whatever an editor might normalise. */
function ascii(json: string): string {
  return json.replaceAll(/[^\n -~]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

function contextOf(plain: PlainContext): Context {
  if (plain.kind === "map") return { kind: "map", pairs: new Map(plain.pairs) };
  return plain.kind === "bytes" ? { kind: "bytes", bytes: bytesOf(plain.bytes) } : plain;
}
