import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { derOfRaw, rawOfDer } from "#providers/pkcs11/ecdsa-form.ts";
import { idOfMarker, readLabel, writeLabel } from "#providers/pkcs11/label.ts";

describe("a label", () => {
  const labels = fc.record({
    algorithm: fc.constantFrom(...ALGORITHM_NAMES),
    marker: fc.stringMatching(/^[a-z0-9-]{1,64}$/u),
    created: fc.nat(2 ** 31),
    mark: fc.stringMatching(/^[0-9a-f]{16}$/u),
    state: fc.constantFrom("new", "enabled", "process-only", "disabled"),
  });

  it("is read as it was written", () => {
    fc.assert(
      fc.property(labels, (label) => {
        expect(readLabel(writeLabel(label))).toEqual(label);
      }),
    );
  });

  it("of anybody else is none", () => {
    for (const text of ["", "my key", "claviger1 NOTHING m 1 0000000000000000 enabled", "claviger1 AES-KW m 1 00 new"])
      expect(readLabel(text)).toBeUndefined();
  });

  it("has an id that follows from its marker alone", () => {
    expect(idOfMarker("key-1")).toMatch(/^[0-9a-f]{32}$/u);
    expect(idOfMarker("key-1")).not.toBe(idOfMarker("key-2"));
  });
});

describe("an ECDSA signature", () => {
  it.each([
    ["P-256", 32],
    ["P-384", 48],
    ["P-521", 66],
  ] as const)("keeps its numbers between DER and r || s: %s", (namedCurve, bytes) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    for (let turn = 0; turn < 50; turn++) {
      const message = Buffer.from(String(turn));
      const raw = sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
      const der = derOfRaw(raw, bytes);
      expect(rawOfDer(der, bytes)?.equals(raw)).toBe(true);
    }
  });

  it("has one DER form: longer lengths, more zeros and more bytes are none", () => {
    const der = derOfRaw(Buffer.alloc(64, 0x11), 32);
    expect(rawOfDer(der, 32)).toBeDefined();
    expect(rawOfDer(Buffer.concat([der, Buffer.alloc(1)]), 32)).toBeUndefined();
    expect(rawOfDer(der.subarray(0, -1), 32)).toBeUndefined();
    expect(rawOfDer(Buffer.concat([Buffer.from([0x30, 0x81, der.length - 2]), der.subarray(2)]), 32)).toBeUndefined();
    expect(rawOfDer(Buffer.alloc(0), 32)).toBeUndefined();
  });
});
