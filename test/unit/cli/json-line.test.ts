import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonLine, replaceMember } from "#cli/json-line.ts";

describe("a line of JSON", () => {
  it("gives the members of any object, as JSON.parse does", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
        fc.constantFrom(undefined, 1),
        (object, indent) => {
          const line = JSON.stringify(object, null, indent);
          const members = parseJsonLine(line) ?? new Map<string, { value: unknown }>();
          expect([...members].map(([name, { value }]) => [name, value])).toEqual(
            Object.entries(JSON.parse(line) as object),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps every other character when one value is replaced", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
        fc.string(),
        fc.string(),
        (object, name, next) => {
          const line = JSON.stringify({ ...object, [name]: "before" });
          const member = parseJsonLine(line)?.get(name);
          if (member === undefined) throw new Error("the member is there");
          const changed = replaceMember(line, member, next);
          expect(JSON.parse(changed)).toEqual(JSON.parse(JSON.stringify({ ...object, [name]: next })));
          expect(changed.startsWith(line.slice(0, member.start)) && changed.endsWith(line.slice(member.end))).toBe(
            true,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps numbers, white space and escapes that JSON.stringify would not", () => {
    const line = String.raw`  { "id" : 12345678901234567890 ,"é":1.0, "c": "x" , "z": [1,{"c":"y"}], "\u0063c":-0 }  `;
    const member = parseJsonLine(line)?.get("c");
    if (member === undefined) throw new Error("the member is there");
    expect(replaceMember(line, member, 'q"')).toBe(line.replace('"x"', String.raw`"q\""`));
  });

  it.for(["", "null", "[]", '"a"', "1", "{", '{"a":1} {"a":1}', "{'a':1}", '{"a":01}'])("%j is no object", (line) => {
    expect(parseJsonLine(line)).toBeUndefined();
  });

  it.for(['{"a":1,"a":1}', String.raw`{"a":1,"\u0061":2}`])("%s has a member twice and is refused", (line) => {
    expect(parseJsonLine(line)).toBeUndefined();
  });

  it("a member of a member is none of its own", () => {
    expect([...(parseJsonLine('{"a":{"b":1},"c":[{"b":2}]}')?.keys() ?? [])]).toEqual(["a", "c"]);
  });
});
