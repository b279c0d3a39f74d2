import { describe, expect, it } from "vitest";
import { z } from "zod";
import { listQuery, readCursor, writeCursor } from "#doors/rest/list.ts";

const filters = { state: "active", "label.team": "payments" };
const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error;

describe("a cursor", () => {
  it("gives its place back under the same filters", () => {
    expect(readCursor(writeCursor("key_1", filters), { ...filters }, z.string())).toBe("key_1");
    expect(writeCursor("key_1", filters)).toMatch(/^[A-Za-z0-9_-]+$/u);
  });

  it.for([
    { name: "other filters", cursor: writeCursor("key_1", { state: "suspended" }) },
    { name: "no filters", cursor: writeCursor("key_1", {}) },
    { name: "a place of another form", cursor: writeCursor({ gateway: 1 }, filters) },
    { name: "no place", cursor: writeCursor(undefined, filters) },
    { name: "no JSON", cursor: "AAAA" },
    { name: "no list", cursor: Buffer.from('{"0":"key_1"}').toString("base64url") },
    { name: "nothing", cursor: "" },
  ])("of $name is refused", ({ cursor }) => {
    expect(() => readCursor(cursor, filters, z.string())).toThrow(refused);
  });
});

describe("the limit of a list", () => {
  const Query = z.strictObject(listQuery);

  it("is 100 unless told, and 1 to 1000", () => {
    expect(Query.parse({}).limit).toBe(100);
    expect(Query.parse({ limit: "1000" }).limit).toBe(1000);
    for (const limit of ["0", "1001", "01", "1e2", " 5", "-1", ""])
      expect(Query.safeParse({ limit }).success, limit).toBe(false);
  });
});
