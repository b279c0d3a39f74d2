import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derOfRaw, rawOfDer } from "#providers/azure-key-vault/ecdsa-form.ts";

const CURVES = [
  ["ES256", "prime256v1", 32],
  ["ES384", "secp384r1", 48],
  ["ES512", "secp521r1", 66],
  ["ES256K", "secp256k1", 32],
] as const;

describe.each(CURVES)("a signature by %s", (native, namedCurve, bytes) => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve });
  const pairOf = (message: Uint8Array) => ({
    der: sign("sha256", message, privateKey),
    raw: sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }),
  });

  it("has one DER and one raw form, each made of the other", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (message) => {
        const { der, raw } = pairOf(message);
        expect(derOfRaw(rawOfDer(der, native) ?? Buffer.alloc(0), native)).toEqual(der);
        expect(rawOfDer(derOfRaw(raw, native) ?? Buffer.alloc(0), native)).toEqual(raw);
      }),
      { numRuns: 30 },
    );
  });

  it("in any other form is none", () => {
    const { der, raw } = pairOf(Buffer.from("x"));
    expect(rawOfDer(raw, native)).toBeUndefined();
    expect(rawOfDer(Buffer.concat([der, Buffer.alloc(1)]), native)).toBeUndefined();
    for (let length = 0; length < der.length; length++)
      expect(rawOfDer(der.subarray(0, length), native)).toBeUndefined();
    for (const size of [0, 2 * bytes - 1, 2 * bytes + 1])
      expect(derOfRaw(Buffer.alloc(size, 1), native)).toBeUndefined();
  });

  it("of a number that is zero or not below the order is none", () => {
    const one = Buffer.concat([Buffer.alloc(bytes - 1), Buffer.of(1)]);
    const largest = Buffer.alloc(bytes, 0xff);
    const good = derOfRaw(Buffer.concat([one, one]), native) ?? expect.fail();
    expect(rawOfDer(good, native)).toEqual(Buffer.concat([one, one]));
    for (const bad of [Buffer.alloc(bytes), largest]) {
      for (const pair of [
        [bad, one],
        [one, bad],
      ]) {
        expect(rawOfDer(derOfRaw(Buffer.concat(pair), native) ?? expect.fail(), native)).toBeUndefined();
      }
    }
  });
});
