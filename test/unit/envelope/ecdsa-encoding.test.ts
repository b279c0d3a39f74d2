import { generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ecdsaToDer, ecdsaToRaw } from "#envelope/ecdsa-encoding.ts";

const CURVES = [
  ["EC-P256-SHA256", "P-256", "sha256"],
  ["EC-P384-SHA384", "P-384", "sha384"],
  ["EC-P521-SHA512", "P-521", "sha512"],
  ["EC-SECP256K1-SHA256", "secp256k1", "sha256"],
] as const;
const message = Buffer.from("a message");

describe.each(CURVES)("an ECDSA signature of %s", (algorithm, namedCurve, hash) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });

  it("is the same in both forms, as node:crypto writes and reads them", () => {
    // enough to meet integers with and without a leading zero
    for (let i = 0; i < 40; i += 1) {
      const der = sign(hash, message, privateKey);
      const raw = ecdsaToRaw(der, algorithm);
      expect(verify(hash, message, { key: publicKey, dsaEncoding: "ieee-p1363" }, raw ?? Buffer.alloc(0))).toBe(true);
      expect(ecdsaToDer(raw ?? Buffer.alloc(0), algorithm)?.toString("hex")).toBe(der.toString("hex"));
    }
  });

  it("has no other form", () => {
    const der = sign(hash, message, privateKey);
    const long = der[1] === 0x81 ? 1 : 0;
    const bad = [
      Buffer.alloc(0),
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.from([0])]),
      Buffer.concat([Buffer.from([0x31]), der.subarray(1)]),
      // r without its tag, and a negative one
      Buffer.from(der).fill(0x03, 2 + long, 3 + long),
      Buffer.from(der).fill(0xff, 4 + long, 5 + long),
    ];
    for (const bytes of bad) expect(ecdsaToRaw(bytes, algorithm), bytes.toString("hex")).toBeUndefined();
    const raw = ecdsaToRaw(der, algorithm) ?? Buffer.alloc(0);
    expect(ecdsaToDer(raw.subarray(1), algorithm)).toBeUndefined();
  });
});

it("other algorithms have one form", () => {
  expect(ecdsaToRaw(Buffer.from("3006020101020101", "hex"), "ED25519")).toBeUndefined();
  expect(ecdsaToDer(Buffer.alloc(64), "ED25519")).toBeUndefined();
});

it("small integers are padded to the field", () => {
  const raw = ecdsaToRaw(Buffer.from("3006020101020102", "hex"), "EC-P256-SHA256");
  expect(raw?.toString("hex")).toBe(`${"0".repeat(63)}1${"0".repeat(63)}2`);
});
