import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { encodeContext } from "#core/context-encoding.ts";
import { NO_CONTEXT, type Context } from "#core/context.ts";

const map = (pairs: Iterable<readonly [string, string]>): Context => ({ kind: "map", pairs: new Map(pairs) });
const bytes = (data: Uint8Array): Context => ({ kind: "bytes", bytes: data });
const join = (...parts: readonly string[]): string => parts.join("");
const hex = (context: Context): string => encodeContext(context).toString("hex");

describe("the encoding of a context", () => {
  it.each([
    { name: "none", context: NO_CONTEXT, expected: "00" },
    { name: "an empty map", context: map([]), expected: "00" },
    { name: "one pair", context: map([["a", "bc"]]), expected: join("010001", "000161", "00026263") },
    { name: "an empty value", context: map([["a", ""]]), expected: join("010001", "000161", "0000") },
    { name: "no bytes", context: bytes(Buffer.alloc(0)), expected: "0200000000" },
    { name: "two bytes", context: bytes(Buffer.from([0, 255])), expected: "020000000200ff" },
  ])("is exact for $name", ({ context, expected }) => {
    expect(hex(context)).toBe(expected);
  });

  it("sorts pairs by the bytes of their keys, not by UTF-16 units", () => {
    // U+FF61 is EF BD A1 and U+1F511 is F0 9F 94 91: UTF-16 would put the surrogate pair first.
    const encoded = hex(
      map([
        ["\u{1F511}", "x"],
        ["\uFF61", "y"],
        ["__proto__", "z"],
      ]),
    );
    expect(encoded).toBe(
      join("010003", "00095f5f70726f746f5f5f", "00017a", "0003efbda1", "000179", "0004f09f9491", "000178"),
    );
  });

  it("does not normalise", () => {
    expect(hex(map([["é", ""]]))).not.toBe(hex(map([["e\u0301", ""]])));
  });

  it("does not depend on the order of pairs, and differs where the context does", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 6 });
    const pairs = fc.dictionary(text, text, { maxKeys: 6 }).map((dictionary) => Object.entries(dictionary));
    fc.assert(
      fc.property(pairs, fc.oneof(pairs, fc.constant([])), (one, other) => {
        expect(hex(map(one.toReversed()))).toBe(hex(map(one)));
        const same = isDeepStrictEqual(new Map(one), new Map(other));
        expect(hex(map(one)) === hex(map(other))).toBe(same);
      }),
      { numRuns: 200 },
    );
  });

  it("takes 32 pairs and 8,192 bytes, and no more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => [`k${at}`, ""] as const);
    expect(encodeContext(map(many(32)))[2]).toBe(32);
    expect(() => encodeContext(map(many(33)))).toThrow("INVALID_ARGUMENT: context: wanted at most 32 pairs, got 33");
    expect(encodeContext(bytes(Buffer.alloc(8187)))).toHaveLength(8192);
    expect(() => encodeContext(bytes(Buffer.alloc(8188)))).toThrow("wanted at most 8192 bytes encoded");
    expect(encodeContext(map([["k", "v".repeat(8184)]]))).toHaveLength(8192);
    expect(() => encodeContext(map([["k", "v".repeat(8185)]]))).toThrow("wanted at most 8192 bytes encoded");
    expect(() => encodeContext(map([["k", "v".repeat(70_000)]]))).toThrow("wanted at most 8192 bytes encoded");
  });

  it.each(["\uD800", "a\uDC00b"])("refuses a lone surrogate", (broken) => {
    expect(() => encodeContext(map([[broken, "v"]]))).toThrow("INVALID_ARGUMENT");
    expect(() => encodeContext(map([["k", broken]]))).toThrow("INVALID_ARGUMENT");
  });

  it("gives a buffer of the caller's own", () => {
    encodeContext(NO_CONTEXT).fill(9);
    expect(hex(NO_CONTEXT)).toBe("00");
  });
});
