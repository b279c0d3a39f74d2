import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictJson } from "#http/strict-json.ts";

const malformed = expect.objectContaining({ code: "MALFORMED_JSON" }) as Error;
const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("strict JSON", () => {
  it.for([
    { name: "nothing", body: utf8("") },
    { name: "white space only", body: utf8(" \n") },
    { name: "half an object", body: utf8('{"a":1') },
    { name: "trailing data", body: utf8('{"a":1} {"b":2}') },
    { name: "a trailing comma", body: utf8('{"a":1,}') },
    { name: "a comment", body: utf8('{"a":1} // why') },
    { name: "single quotes", body: utf8("{'a':1}") },
    { name: "a number with leading zero", body: utf8('{"a":01}') },
    { name: "NaN", body: utf8('{"a":NaN}') },
    { name: "a control character in a text", body: utf8('{"a":"\u0001"}') },
    { name: "a byte order mark", body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8("{}")]) },
    { name: "invalid utf-8 in a text", body: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]) },
    { name: "an overlong form", body: Buffer.from([0x22, 0xc0, 0xaf, 0x22]) },
    { name: "a surrogate in utf-8", body: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) },
    { name: "utf-16", body: Buffer.from('{"a":1}', "utf16le") },
    { name: "a member twice", body: utf8('{"a":1,"a":2}') },
    { name: "a member twice, once escaped", body: utf8('{"a":1,"\\u0061":2}') },
    { name: "a member twice, both escaped in two ways", body: utf8('{"\\/":1,"\\u002f":2}') },
    { name: "a member twice with white space before its colon", body: utf8('{"a":1,"a"\n :2}') },
    { name: "a member twice deep inside", body: utf8('[{"x":{"a":[{}],"b":{"a":1},"a":2}}]') },
    { name: "a member twice after a text with quotes", body: utf8('{"t":"\\\\\\"","a":"\\\\","a":1}') },
    { name: "__proto__ twice", body: utf8('{"__proto__":1,"__proto__":2}') },
    { name: "an empty name twice", body: utf8('{"":1,"":2}') },
    { name: "nine levels of lists", body: utf8(nested(9)) },
    { name: "nine levels of both", body: utf8('{"a":'.repeat(5) + nested(4) + "}".repeat(5)) },
    { name: "many levels", body: utf8(nested(100_000)) },
    { name: "a lone high surrogate", body: utf8('{"a":"\\ud800"}') },
    { name: "a lone low surrogate", body: utf8('["\\udc00"]') },
    { name: "surrogates in the wrong order", body: utf8('"\\udc00\\ud800"') },
    { name: "a lone surrogate in a name", body: utf8('{"\\uD800":1}') },
    { name: "a lone surrogate deep inside", body: utf8('[[{"a":["x","\\ud83d "]}]]') },
  ])("refuses $name", ({ body }) => {
    expect(() => parseStrictJson(body)).toThrow(malformed);
  });

  it.for([
    { name: "an empty object", text: "{}", value: {} },
    { name: "eight levels", text: nested(8), value: [[[[[[[[]]]]]]]] },
    { name: "white space around", text: ' \r\n\t{ "a" : [ 1 , 2 ] } \n', value: { a: [1, 2] } },
    { name: "the same name in two objects", text: '[{"a":1},{"a":{"a":2}}]', value: [{ a: 1 }, { a: { a: 2 } }] },
    { name: "a text that looks like a member", text: '{"a":"\\"a\\":1","b":"a"}', value: { a: '"a":1', b: "a" } },
    { name: "texts with brackets", text: '{"a":"}]","b":"{[[[[[[[[[["}', value: { a: "}]", b: "{[[[[[[[[[[" } },
    { name: "a pair of surrogates, escaped or not", text: '["\\ud83d\\ude00","😀"]', value: ["😀", "😀"] },
    { name: "an escaped backslash before u", text: '"\\\\ud800"', value: "\\ud800" },
    { name: "a bare value", text: "null", value: null },
  ])("reads $name", ({ text, value }) => {
    expect(parseStrictJson(utf8(text))).toEqual(value);
  });

  it("keeps __proto__ as a member like any other", () => {
    const value = parseStrictJson(utf8('{"__proto__":{"admin":true},"constructor":1}')) as object;
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });

  it("says where it is wrong, never what came", () => {
    try {
      parseStrictJson(utf8('{"plaintext":"c2VjcmV0","plaintext":"c2VjcmV0"}'));
      expect.unreachable();
    } catch (error) {
      expect((error as { publicMessage: string }).publicMessage).not.toContain("c2VjcmV0");
    }
  });

  it("agrees with JSON.parse on whatever JSON.stringify writes within eight levels", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, depthSize: "small" }), (value) => {
        const text = JSON.stringify(value, null, 1);
        expect(parseStrictJson(utf8(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 100 },
    );
  });

  it("reads every object whose names differ, and refuses it with one name repeated", () => {
    const names = fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 5 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, fc.nat(), (all, pick) => {
        const members = all.map((name) => `${JSON.stringify(name)}:1`);
        expect(parseStrictJson(utf8(`{${members.join(",")}}`))).toBeTypeOf("object");
        const again = `${JSON.stringify(all[pick % all.length])}:2`;
        expect(() => parseStrictJson(utf8(`{${[...members, again].join(",")}}`))).toThrow(malformed);
      }),
      { numRuns: 200 },
    );
  });
});
