import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalSubject, subjectOfLines } from "#core/subject-name.ts";

describe("a SPIFFE id", () => {
  it.for(["spiffe://example.org", "spiffe://example.org/ns/prod/sa/check_out-1.a"])("is taken as it is: %s", (text) => {
    expect(canonicalSubject(text)).toBe(text);
  });

  it.for(
    [
      "spiffe:/example.org/a",
      "spiffe://",
      "spiffe:///a",
      "SPIFFE://example.org/a",
      "spiffe://Example.org/a",
      "spiffe://example.org/",
      "spiffe://example.org//a",
      "spiffe://example.org/a/",
      "spiffe://example.org/../a",
      "spiffe://example.org/./a",
      "spiffe://example.org/a?b",
      "spiffe://example.org/a#b",
      "spiffe://user@example.org/a",
      "spiffe://example.org:8443/a",
      "spiffe://example.org/a%2Fb",
      `spiffe://example.org/${"a".repeat(2048)}`,
    ].map((text) => ({ text, name: text.slice(0, 30) })),
  )("is refused in another form: $name", ({ text }) => {
    expect(canonicalSubject(text)).toBeUndefined();
  });
});

describe("a distinguished name", () => {
  it.for([
    { written: "CN=checkout,O=Example", canonical: "CN=checkout,O=Example" },
    { written: " cn = checkout , o = Example ", canonical: "CN=checkout,O=Example" },
    { written: "2.5.4.3=checkout,2.5.4.10=Example", canonical: "CN=checkout,O=Example" },
    { written: String.raw`CN=Example\2C Inc.`, canonical: String.raw`CN=Example\, Inc.` },
    { written: String.raw`CN=J\C3\B6hn`, canonical: "CN=Jöhn" },
    { written: String.raw`CN=\ two \ `, canonical: String.raw`CN=\ two \ ` },
    { written: String.raw`CN=a\=b`, canonical: "CN=a=b" },
    { written: String.raw`CN=\#1`, canonical: String.raw`CN=\#1` },
    { written: "CN=a#b", canonical: "CN=a#b" },
    { written: String.raw`CN=line\0Aend`, canonical: String.raw`CN=line\0Aend` },
    { written: "UID=b+CN=a,DC=example,DC=net", canonical: "CN=a+UID=b,DC=example,DC=net" },
    { written: "1.3.6.1.4.1.1466.0=x", canonical: "1.3.6.1.4.1.1466.0=x" },
    { written: "CN=", canonical: "CN=" },
    { written: "CN=Case Counts", canonical: "CN=Case Counts" },
  ])("has one writing: $written", ({ written, canonical }) => {
    expect(canonicalSubject(written)).toBe(canonical);
  });

  it.for(
    [
      "",
      "checkout",
      "=checkout",
      "CN=a,",
      "CN=a,,O=b",
      "CN=a+",
      "/CN=a/O=b",
      String.raw`CN=a\q`,
      "CN=a\\",
      "CN=a\\C",
      String.raw`CN=\FF`,
      "CN=#0c0161",
      'CN="quoted"',
      "CN=a;O=b",
      "CN=a<b",
      "CN=a\0b",
      "1=a",
      "-a=b",
      `CN=${"a".repeat(2048)}`,
    ].map((text) => ({ text, name: text.slice(0, 20) })),
  )("is refused in another form: $name", ({ text }) => {
    expect(canonicalSubject(text)).toBeUndefined();
  });

  it("is as a certificate lists it, from the other end", () => {
    const lines = String.raw`C=DE${"\n"}O=Acme\, Inc.${"\n"}OU=b + OU=a \+ c${"\n"}CN=x`;
    expect(subjectOfLines(lines)).toBe(String.raw`CN=x,OU=a \+ c+OU=b,O=Acme\, Inc.,C=DE`);
    expect(subjectOfLines("")).toBeUndefined();
  });

  it("means the same after it was written, whatever the value", () => {
    const escaped = (value: string): string =>
      [...Buffer.from(value, "utf8")].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const canonical = canonicalSubject(`CN=${escaped(one)},O=${escaped(other)}`) ?? "";
        expect(canonicalSubject(canonical)).toBe(canonical);
        // two names are one only if their values are
        expect(canonical === canonicalSubject(`CN=${escaped(other)},O=${escaped(one)}`)).toBe(one === other);
      }),
      { numRuns: 300 },
    );
  });
});
