import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toFieldErrors } from "#http/field-errors.ts";

const Schema = z.strictObject({
  name: z.string().regex(/^[a-z]+$/u),
  count: z.int().min(1).max(10).optional(),
  tags: z.array(z.string()).max(2).optional(),
  kind: z.enum(["one", "two"]).optional(),
  flag: z.boolean().optional(),
  text: z.string().max(3).optional(),
  inner: z.strictObject({ "a/b~c": z.string() }).optional(),
  custody: z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("native") })]).optional(),
  days: z.union([z.int().max(10), z.null()]).optional(),
  word: z.union([z.literal("*"), z.enum(["a", "b"]), z.strictObject({ x: z.int() })]).optional(),
  pair: z
    .string()
    .refine(() => false, { message: "wanted another pair", params: { code: "conflict" } })
    .optional(),
});

const errorsOf = (input: unknown): unknown => {
  const parsed = Schema.safeParse(input);
  return parsed.success ? [] : toFieldErrors(parsed.error, input).map(({ pointer, code }) => [pointer, code]);
};

describe("field errors", () => {
  it.for([
    { name: "a missing member", input: {}, errors: [["/name", "required"]] },
    { name: "a wrong type", input: { name: 1 }, errors: [["/name", "type"]] },
    { name: "null where there is no null", input: { name: null }, errors: [["/name", "type"]] },
    { name: "a wrong form", input: { name: "A" }, errors: [["/name", "format"]] },
    { name: "an unknown member", input: { name: "a", nmae: 1 }, errors: [["/nmae", "unknown-field"]] },
    {
      name: "two unknown members",
      input: { name: "a", x: 1, y: 2 },
      errors: [
        ["/x", "unknown-field"],
        ["/y", "unknown-field"],
      ],
    },
    { name: "a number out of range", input: { name: "a", count: 11 }, errors: [["/count", "range"]] },
    { name: "a fraction", input: { name: "a", count: 1.5 }, errors: [["/count", "range"]] },
    { name: "a number beyond 2^53", input: { name: "a", count: 2 ** 60 }, errors: [["/count", "range"]] },
    { name: "a number as a text", input: { name: "a", count: "1" }, errors: [["/count", "type"]] },
    { name: "too many items", input: { name: "a", tags: ["a", "b", "c"] }, errors: [["/tags", "length"]] },
    { name: "an item of the wrong type", input: { name: "a", tags: ["a", 1] }, errors: [["/tags/1", "type"]] },
    { name: "a text that is too long", input: { name: "a", text: "abcd" }, errors: [["/text", "length"]] },
    { name: "a value outside an enumeration", input: { name: "a", kind: "three" }, errors: [["/kind", "enum"]] },
    { name: "another type than an enumeration's", input: { name: "a", kind: 3 }, errors: [["/kind", "type"]] },
    {
      name: "another discriminator",
      input: { name: "a", custody: { kind: "portable" } },
      errors: [["/custody/kind", "enum"]],
    },
    { name: "a number out of the range of a union", input: { name: "a", days: 11 }, errors: [["/days", "range"]] },
    { name: "a type that no option of a union has", input: { name: "a", days: "x" }, errors: [["/days", "type"]] },
    { name: "a text outside a union of enumerations", input: { name: "a", word: "c" }, errors: [["/word", "enum"]] },
    {
      name: "a member inside the option that fits",
      input: { name: "a", word: { x: 1.5 } },
      errors: [["/word/x", "range"]],
    },
    { name: "no object", input: [], errors: [["", "type"]] },
    {
      name: "names that RFC 6901 escapes",
      input: { name: "a", inner: { "a/b~c": 1 } },
      errors: [["/inner/a~1b~0c", "type"]],
    },
    { name: "a code that a schema gives", input: { name: "a", pair: "x" }, errors: [["/pair", "conflict"]] },
    {
      name: "several mistakes at once",
      input: { name: 1, count: 0, x: 1 },
      errors: [
        ["/name", "type"],
        ["/count", "range"],
        ["/x", "unknown-field"],
      ],
    },
  ])("name $name", ({ input, errors }) => {
    expect(errorsOf(input)).toEqual(errors);
  });

  it("find __proto__ to be unknown", () => {
    expect(errorsOf(JSON.parse('{"name":"a","__proto__":{"x":1}}'))).toEqual([["/__proto__", "unknown-field"]]);
  });

  it("never tell what came", () => {
    const input = { name: "TOP-SECRET", text: "TOP-SECRET", kind: "TOP-SECRET", count: "TOP-SECRET" };
    const parsed = Schema.safeParse(input);
    expect(parsed.success ? "" : JSON.stringify(toFieldErrors(parsed.error, input))).not.toContain("TOP-SECRET");
  });
});
