import { describe, expect, it } from "vitest";
import { z } from "zod";
import { operationBody } from "#doors/rest/operation-body.ts";
import { toFieldErrors } from "#http/field-errors.ts";

const Body = operationBody(z.strictObject({ size: z.int().max(3), name: z.string().optional() }));

const errorsOf = (input: unknown): unknown => {
  const parsed = Body.safeParse(input);
  return parsed.success ? "taken" : toFieldErrors(parsed.error, input).map(({ pointer, code }) => [pointer, code]);
};

describe("the body of an operation", () => {
  it("is one input", () => {
    expect(Body.parse({ size: 1 })).toEqual({ kind: "single", item: { size: 1 } });
  });

  it("is a batch of 1 to 1000 where it has items", () => {
    expect(Body.parse({ items: [{ size: 1 }, { size: 2 }] })).toMatchObject({
      kind: "batch",
      items: [{ ok: true }, { ok: true }],
    });
    expect(errorsOf({ items: Array.from({ length: 1000 }, () => ({ size: 1 })) })).toBe("taken");
    expect(errorsOf({ items: Array.from({ length: 1001 }, () => ({ size: 1 })) })).toEqual([["/items", "length"]]);
  });

  it("keeps a wrong value for its own item", () => {
    const parsed = Body.parse({ items: [{ size: 1 }, { size: 4 }] });
    expect(parsed).toMatchObject({
      items: [
        { ok: true },
        { ok: false, error: { code: "INVALID_ARGUMENT", errors: [{ pointer: "/size", code: "range" }] } },
      ],
    });
  });

  it.for([
    {
      name: "an item of another form",
      input: { items: [{ size: 1 }, { size: "1" }] },
      errors: [["/items/1/size", "type"]],
    },
    { name: "an item that lacks a member", input: { items: [{}] }, errors: [["/items/0/size", "required"]] },
    {
      name: "an unknown member of an item",
      input: { items: [{ size: 1, x: 1 }] },
      errors: [["/items/0/x", "unknown-field"]],
    },
    { name: "an item that is none", input: { items: [null] }, errors: [["/items/0", "type"]] },
    {
      name: "a wrong form beside a wrong value",
      input: { items: [{ size: 4, x: 1 }] },
      errors: [
        ["/items/0/size", "range"],
        ["/items/0/x", "unknown-field"],
      ],
    },
    { name: "something beside the items", input: { items: [], size: 1 }, errors: [["/size", "unknown-field"]] },
    { name: "items that are no list", input: { items: { length: 1 } }, errors: [["/items", "type"]] },
    { name: "no items", input: { items: [] }, errors: [["/items", "length"]] },
    { name: "an unknown member of the input", input: { size: 1, "a/b~c": 1 }, errors: [["/a~1b~0c", "unknown-field"]] },
    { name: "a list", input: [], errors: [["", "type"]] },
    { name: "null", input: null, errors: [["", "type"]] },
  ])("is refused as a whole for $name", ({ input, errors }) => {
    expect(errorsOf(input)).toEqual(errors);
  });
});
