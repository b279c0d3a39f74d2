import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_CONTEXT } from "#core/context.ts";
import { createKeyBody, updateKeyBody } from "#doors/rest/schema/key-requests.ts";
import { characters, time } from "#doors/rest/schema/primitives.ts";
import { context, contextPairs, labels } from "#doors/rest/schema/string-maps.ts";

const codesOf = (
  schema: {
    safeParse: (input: unknown) => {
      error?: { issues: readonly { path: readonly PropertyKey[]; params?: unknown }[] };
    };
  },
  input: unknown,
): unknown =>
  schema
    .safeParse(input)
    .error?.issues.map(({ path, params }) => [path.join("/"), (params as { code: string } | undefined)?.code]);

describe("a context", () => {
  it("keeps every pair, whatever its name", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), fc.string({ maxLength: 20 }), {
          minKeys: 1,
          maxKeys: 10,
        }),
        (pairs) => {
          const own = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(pairs)))) as object;
          expect(context.parse(own)).toEqual({ kind: "map", pairs: new Map(Object.entries(own)) });
        },
      ),
      { numRuns: 100 },
    );
  });

  it("has no special member", () => {
    const parsed = context.parse(JSON.parse('{"__proto__":"a","constructor":"b"}'));
    expect(parsed).toEqual({
      kind: "map",
      pairs: new Map([
        ["__proto__", "a"],
        ["constructor", "b"],
      ]),
    });
    expect(Object.entries(contextPairs.parse(JSON.parse('{"__proto__":"a"}')))).toEqual([["__proto__", "a"]]);
  });

  it("is none where it is empty or null", () => {
    expect([context.parse({}), context.parse(null)]).toEqual([NO_CONTEXT, NO_CONTEXT]);
  });

  it.for([
    {
      name: "32 pairs",
      input: Object.fromEntries(Array.from({ length: 32 }, (_, at) => [`n${at}`, ""])),
      codes: undefined,
    },
    {
      name: "33 pairs",
      input: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`n${at}`, ""])),
      codes: [["", "length"]],
    },
    { name: "a name of 128 characters beyond the basic plane", input: { ["😀".repeat(128)]: "" }, codes: undefined },
    { name: "a name of 129 characters", input: { ["😀".repeat(129)]: "" }, codes: [["😀".repeat(129), "length"]] },
    { name: "8192 bytes encoded", input: context8192(0), codes: undefined },
    { name: "8193 bytes encoded", input: context8192(1), codes: [["", "length"]] },
    { name: "a number", input: { a: 1 }, codes: [["a", "type"]] },
    { name: "a list", input: ["a"], codes: [["", "type"]] },
  ])("of $name", ({ input, codes }) => {
    expect(codesOf(context, input)).toEqual(codes);
  });
});

/** Eight pairs of 1023 and so many more bytes: 01, a count of two bytes, and four bytes of lengths per pair. */
function context8192(more: number): object {
  const names = Array.from({ length: 8 }, (_, at) => `n${at}`);
  const rest = 8192 - 3 - 8 * 4 - 8 * 2 - 7 * 1024 + more;
  return Object.fromEntries(names.map((name, at) => [name, "v".repeat(at === 7 ? rest : 1024)]));
}

describe("labels", () => {
  it.for([
    { name: "an empty value", input: { team: "" }, codes: undefined },
    { name: "a capital", input: { Team: "" }, codes: [["Team", "format"]] },
    { name: "a value of 256 characters", input: { team: "é".repeat(256) }, codes: [["team", "length"]] },
    { name: "null", input: { team: null }, codes: [["team", "type"]] },
    { name: "nothing", input: undefined, codes: [["", "type"]] },
  ])("with $name", ({ input, codes }) => {
    expect(codesOf(labels, input)).toEqual(codes);
  });
});

describe("a text of so many characters", () => {
  it("counts code points, not units and not bytes", () => {
    expect(characters(2, 2).safeParse("😀é").success).toBe(true);
    expect(characters(2, 2).safeParse("😀").success).toBe(false);
    expect(characters(0, 1).safeParse("😀").success).toBe(true);
  });
});

describe("a time", () => {
  it.for([
    ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"],
    ["2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00.000Z"],
    ["2029-12-31T23:59:59.123-00:30", "2030-01-01T00:29:59.123Z"],
  ])("%s is %s", ([text = "", utc]) => {
    expect(new Date(time.parse(text)).toISOString()).toBe(utc);
  });

  it.for([
    "2030-01-01",
    "2030-01-01T00:00:00",
    "2030-02-30T00:00:00Z",
    "2030-01-01T25:00:00Z",
    "2030-1-1T0:0:0Z",
    "now",
    "",
  ])("%s is refused", (text) => {
    expect(time.safeParse(text).success).toBe(false);
  });
});

describe("a new key", () => {
  it("has every default, for what is absent and for null", () => {
    const absent = createKeyBody.parse({ name: "orders" });
    expect(absent).toMatchObject({ aliases: [], labels: {}, description: "", purpose: "encrypt" });
    expect(
      createKeyBody.parse({ name: "orders", aliases: null, labels: null, description: null, purpose: null }),
    ).toEqual(absent);
  });

  it("cannot have its own name as an alias", () => {
    expect(codesOf(createKeyBody, { name: "orders", aliases: ["a", "orders"] })).toEqual([["aliases/1", "duplicate"]]);
  });
});

describe("a change of a key", () => {
  it("tells what is absent from what is null", () => {
    expect(updateKeyBody.parse({})).toEqual({});
    expect(updateKeyBody.parse({ labels: null, owner: null, rotation: { everyDays: null } })).toEqual({
      labels: null,
      owner: null,
      rotation: { everyDays: null },
    });
  });
});
