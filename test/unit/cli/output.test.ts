import { stripVTControlCharacters } from "node:util";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { renderList, renderOne } from "#cli/output.ts";
import { createPaint } from "#cli/paint.ts";
import { cellText, renderTable, type View } from "#cli/table.ts";

const plain = createPaint(false, {});
const VIEW: View = {
  name: "name",
  columns: [
    ["NAME", "name"],
    ["STATE", "state"],
    ["KIND", "custody.kind"],
    ["TWICE", ({ n }) => Number(n) * 2],
  ],
};
const ITEMS = [
  { name: "a", state: "active", custody: { kind: "portable" }, n: 1, unknownToUs: [1] },
  { name: "long-name", state: null, n: 21 },
];

describe("a list", () => {
  it("is a table that awk can read", () => {
    expect(renderList(ITEMS, VIEW, { format: "table", paint: plain })).toBe(
      [
        "NAME       STATE   KIND      TWICE",
        "a          active  portable  2",
        "long-name  -       -         42",
        "",
      ].join("\n"),
    );
  });

  it("has headings over nothing too", () => {
    expect(renderList([], VIEW, { format: "table", paint: plain })).toBe("NAME  STATE  KIND  TWICE\n");
  });

  it("is whole as data, with what this version does not know", () => {
    expect(JSON.parse(renderList(ITEMS, VIEW, { format: "json", paint: plain }))).toEqual(ITEMS);
    expect(parse(renderList(ITEMS, VIEW, { format: "yaml", paint: plain }))).toEqual(ITEMS);
    expect(renderList([], VIEW, { format: "json", paint: plain })).toBe("[]\n");
  });

  it("is a name a line", () => {
    expect(renderList(ITEMS, VIEW, { format: "name", paint: plain })).toBe("a\nlong-name\n");
    expect(renderList([], VIEW, { format: "name", paint: plain })).toBe("");
  });
});

it("one resource is a member a line, with what this version does not know", () => {
  expect(renderOne({ id: "key_1", labels: {}, unknownToUs: [1, 2] }, VIEW, { format: "table", paint: plain })).toBe(
    "id           key_1\nlabels       -\nunknownToUs  1, 2\n",
  );
});

describe("a cell", () => {
  it.for([
    { value: undefined, text: "-" },
    { value: null, text: "-" },
    { value: "", text: "-" },
    { value: [], text: "-" },
    { value: {}, text: "-" },
    { value: { a: null }, text: "-" },
    { value: false, text: "false" },
    { value: 0, text: "0" },
    { value: ["a", "b"], text: "a, b" },
    { value: { a: 1, b: ["x", "y"], c: { d: 2 }, e: null }, text: "a=1 b=[x, y] c=(d=2)" },
    { value: [{ a: 1 }, { b: 2 }], text: "(a=1), (b=2)" },
    { value: { "a\nb": "c\u001b[31m" }, text: String.raw`a\u{a}b=c\u{1b}[31m` },
  ])("is $text", ({ value, text }) => {
    expect(cellText(value)).toBe(text);
  });
});

describe("colour", () => {
  it("is for terminals", () => {
    expect(createPaint(true, {})("down")).toBe("\u001b[31mdown\u001b[39m");
    expect(createPaint(false, {})("down")).toBe("down");
  });

  it("is not for those who set NO_COLOR; empty is as absent", () => {
    expect(createPaint(true, { NO_COLOR: "1" })("down")).toBe("down");
    expect(createPaint(true, { NO_COLOR: "" })("down")).not.toBe("down");
    expect(createPaint(true, { TERM: "dumb" })("down")).toBe("down");
  });

  it("moves no column", () => {
    const table = renderTable(
      [
        { s: "down", n: 1 },
        { s: "misconfigured", n: 2 },
      ],
      [
        ["S", "s"],
        ["N", "n"],
      ],
      createPaint(true, {}),
    );
    expect(stripVTControlCharacters(table)).toBe("S              N\ndown           1\nmisconfigured  2\n");
  });

  it("is for words that say how a thing is, and no other text", () => {
    const paint = createPaint(true, {});
    expect(["my-key", "constructor", "__proto__", ""].map((text) => paint(text))).toEqual([
      "my-key",
      "constructor",
      "__proto__",
      "",
    ]);
  });
});
