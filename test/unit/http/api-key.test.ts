import { createHash, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { unsafeRevealSecret } from "#core/secret.ts";
import { apiKeyDigest, createApiKey } from "#http/api-key.ts";

const random = { bytes: (length: number) => randomBytes(length), kernelBytes: (length: number) => randomBytes(length) };
const bearer = (text: string): string | undefined => apiKeyDigest({ headers: { authorization: `Bearer ${text}` } });

describe("an API key", () => {
  it("is clv_sk_, 43 characters of 32 random bytes and 6 of checksum", () => {
    const bytes = Buffer.alloc(32, 0xa5);
    const { secret, hint } = createApiKey({ ...random, bytes: () => bytes });
    const text = unsafeRevealSecret(secret);
    expect(text).toMatch(/^clv_sk_[A-Za-z0-9_-]{49}$/u);
    expect(text.slice(7, 50)).toBe(Buffer.alloc(32, 0xa5).toString("base64url"));
    expect(text.startsWith(hint)).toBe(true);
    expect(hint).toHaveLength(11);
  });

  it("is known by the SHA-256 of its text", () => {
    const { secret, digest } = createApiKey(random);
    const text = unsafeRevealSecret(secret);
    expect(digest).toBe(createHash("sha256").update(text).digest("base64"));
    expect(bearer(text)).toBe(digest);
    expect(apiKeyDigest({ headers: { authorization: `bEARER ${text}` } })).toBe(digest);
  });

  it("does not print", () => {
    const made = createApiKey(random);
    const text = unsafeRevealSecret(made.secret);
    expect(JSON.stringify(made) + inspect(made, { depth: 9 })).not.toContain(text);
  });

  it("with any one character changed is none", () => {
    const text = unsafeRevealSecret(createApiKey(random).secret);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === "A" ? "B" : "A";
      expect(bearer(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    }
  });

  it("is asked for by its digest before its checksum is", () => {
    const { secret, digest } = createApiKey(random);
    const text = unsafeRevealSecret(secret);
    const mistyped = `${text.slice(0, -1)}${text.endsWith("A") ? "B" : "A"}`;
    const asked: string[] = [];
    const ask = (given: string): string | undefined =>
      apiKeyDigest({ headers: { authorization: `Bearer ${given}` } }, (one) => asked.push(one) > 0 && one === digest);
    expect([ask(text), ask(mistyped)]).toEqual([digest, undefined]);
    expect(asked).toEqual([digest, createHash("sha256").update(mistyped).digest("base64")]);
  });

  it.for([
    ["no header", undefined],
    ["an empty header", ""],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["no space", "Bearer"],
    ["nothing after the scheme", "Bearer "],
    ["a short text", "Bearer clv_sk_abc"],
    ["a jwt", "Bearer eyJhbGciOiJub25lIn0.e30."],
    ["characters beyond ASCII in the checksum", `Bearer clv_sk_${"a".repeat(43)}${"é".repeat(6)}`],
  ])("is not found in %s", ([, authorization]) => {
    expect(apiKeyDigest({ headers: authorization === undefined ? {} : { authorization } })).toBeUndefined();
  });

  it("is not found with anything around it", () => {
    const text = unsafeRevealSecret(createApiKey(random).secret);
    for (const around of [` ${text}`, `${text} `, `${text},${text}`, `"${text}"`])
      expect(bearer(around)).toBeUndefined();
  });
});
