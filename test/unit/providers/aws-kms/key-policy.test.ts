import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProviderError } from "#core/failures.ts";
import { isRestrictedPolicy, liftedPolicy, restrictedPolicy } from "#providers/aws-kms/key-policy.ts";

const root = { Sid: "root", Effect: "Allow", Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" };
const other = {
  Effect: "Deny",
  Principal: "*",
  Action: ["kms:Decrypt"],
  Resource: "*",
  Condition: { Bool: { a: "b" } },
};
const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Id: "ours", Statement });
const parse = (text: string) => JSON.parse(text) as { Statement: { Sid?: string; Action: unknown }[] };

describe("a restricted policy", () => {
  it("has what others wrote, and our statement after it", () => {
    const made = parse(restrictedPolicy(policy(root, other)));
    expect(made).toMatchObject({ Version: "2012-10-17", Id: "ours" });
    expect(made.Statement.slice(0, 2)).toEqual([root, other]);
    expect(made.Statement.slice(2)).toEqual([
      {
        Sid: "ClavigerProcessOnly",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: [
          "kms:Encrypt",
          "kms:ReEncryptTo",
          "kms:GenerateDataKey*",
          "kms:Sign",
          "kms:GenerateMac",
          "kms:Encapsulate",
        ],
        Resource: "*",
      },
    ]);
  });

  it("has our statement once, and whole, whatever stood in its place", () => {
    const text = restrictedPolicy(
      policy({ ...root, Sid: "ClavigerProcessOnly" }, root, { Sid: "ClavigerProcessOnly" }),
    );
    expect(text).toBe(restrictedPolicy(policy(root)));
    expect(restrictedPolicy(text)).toBe(text);
  });

  it("may come of one statement without a list", () => {
    expect(restrictedPolicy(JSON.stringify({ Statement: root }))).toBe(
      restrictedPolicy(JSON.stringify({ Statement: [root] })),
    );
  });

  it("is lifted to what it was", () => {
    const before = policy(root, other);
    expect(isRestrictedPolicy(before)).toBe(false);
    expect(isRestrictedPolicy(restrictedPolicy(before))).toBe(true);
    expect(liftedPolicy(restrictedPolicy(before))).toBe(before);
    expect(liftedPolicy(before)).toBe(before);
  });

  it("of any policy keeps every statement of others, in its place, and is lifted to it", () => {
    const name = fc.constantFrom("root", "ClavigerProcessOnlyToo", "__proto__", "");
    const Sid = fc.option(name, { nil: undefined });
    const Condition = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }));
    const statement = fc.record({ Sid, Effect: fc.constantFrom("Allow", "Deny"), Condition });
    fc.assert(
      fc.property(fc.array(statement), (statements) => {
        const before = policy(...statements);
        const restricted = restrictedPolicy(before);
        expect(parse(restricted).Statement.slice(0, -1)).toEqual(parse(before).Statement);
        expect(isRestrictedPolicy(restricted)).toBe(true);
        expect(liftedPolicy(restricted)).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps members that mean something to JavaScript", () => {
    const text = `{"Statement":[{"Sid":"a","Condition":{"StringEquals":{"__proto__":"x"}}}]}`;
    expect(liftedPolicy(text)).toBe(text);
  });
});

it.for(["", "{", "null", "[]", "5", "{}", `{"Statement":"x"}`, `{"Statement":null}`])(
  "%j is no policy: an outage",
  (text) => {
    for (const read of [restrictedPolicy, liftedPolicy, isRestrictedPolicy]) {
      const failing = () => read(text);
      expect(failing).toThrow(ProviderError);
      expect(failing).toThrow(/^OUTAGE: an answer without a key policy$/u);
    }
  },
);
