import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, canonicalMembers, type Json } from "#core/canonical-json.ts";

/** An object with its members put in order at every level, as RFC 8785 § 3.2.3 says it; names that are numbers are left out by the test. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((name) => [name, sorted((value as Record<string, unknown>)[name])]),
  );
}

const name = fc.string({ maxLength: 8 }).map((text) => `n${text}`);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false),
    fc.string({ maxLength: 10 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 6 }),
  ),
})).value as fc.Arbitrary<Json>;

describe("canonical JSON", () => {
  it("has members in order at every level, and is otherwise what JSON.stringify writes", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(JSON.stringify(sorted(value)));
      }),
    );
  });

  it("puts names in the order of their UTF-16 code units", () => {
    // the example of RFC 8785 § 3.2.3
    const names = ["\u20ac", "\r", "\ufb33", "1", "\u{1f600}", "\u0080", "\u00f6"];
    const text = canonicalJson(Object.fromEntries(names.map((one) => [one, 0])));
    expect([...text.matchAll(/("(?:[^"\\]|\\.)*"):/gu)].map(([, one]) => JSON.parse(one ?? ""))).toEqual([
      "\r",
      "1",
      "\u0080",
      "\u00f6",
      "\u20ac",
      "\u{1f600}",
      "\ufb33",
    ]);
  });

  it("leaves members out that are undefined", () => {
    expect(canonicalJson({ b: undefined, a: { d: undefined, c: 1 } })).toBe('{"a":{"c":1}}');
  });

  it("has the members of its whole, in their order", () => {
    expect(canonicalMembers({ b: [1, { d: 1, c: 2 }], a: "x", e: undefined })).toEqual([
      ["a", '"a":"x"'],
      ["b", '"b":[1,{"c":2,"d":1}]'],
    ]);
  });
});
