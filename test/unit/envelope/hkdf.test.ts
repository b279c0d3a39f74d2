import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hkdfSha512 } from "#envelope/hkdf.ts";
import { countingKey, refusalOf } from "./fixtures.ts";

/** RFC 5869 § 2, written down as it stands there. */
function rfc5869({ key, salt, info, length }: { key: Buffer; salt: Buffer; info: Buffer; length: number }): Buffer {
  const prk = createHmac("sha512", salt.length === 0 ? Buffer.alloc(64) : salt)
    .update(key)
    .digest();
  const blocks: Buffer[] = [];
  for (let block = Buffer.alloc(0); blocks.length * 64 < length; blocks.push(block)) {
    block = createHmac("sha512", prk)
      .update(block)
      .update(info)
      .update(Buffer.of(blocks.length + 1))
      .digest();
  }
  return Buffer.concat(blocks).subarray(0, length);
}

describe("HKDF-SHA-512", () => {
  it.each([
    { name: "without salt or info", salt: 0, info: 0, length: 32 },
    { name: "without salt", salt: 0, info: 80, length: 32 },
    { name: "with both, one block", salt: 32, info: 76, length: 64 },
    { name: "with a salt longer than a block, three blocks", salt: 200, info: 200, length: 150 },
  ])("is RFC 5869 $name", ({ salt, info, length }) => {
    const input = { key: countingKey(9), salt: Buffer.alloc(salt, 0x5a), info: Buffer.alloc(info, 0xa5), length };
    expect(hkdfSha512(input)).toEqual(rfc5869(input));
  });

  it("is the widely published SHA-512 result for the inputs of RFC 5869 A.1, as far as the reference here goes", () => {
    const [key, salt, info] = ["0b".repeat(22), "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9"].map((hex) =>
      Buffer.from(hex, "hex"),
    ) as [Buffer, Buffer, Buffer];
    const okm = "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb";
    expect(rfc5869({ key, salt, info, length: 42 }).toString("hex")).toBe(okm);
  });

  it("is what node:crypto derives, for every length of salt, info and result", () => {
    const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((one) => one.some((byte) => byte !== 0));
    fc.assert(
      fc.property(key, bytes(300), bytes(300), fc.integer({ min: 1, max: 400 }), (ikm, salt, info, length) => {
        const wanted = Buffer.from(hkdfSync("sha512", ikm, salt, info, length));
        expect(hkdfSha512({ key: ikm, salt, info, length }).equals(wanted)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses a length that RFC 5869 has not", () => {
    const derive = (length: number) => hkdfSha512({ key: countingKey(1), info: Buffer.alloc(0), length });
    expect(derive(255 * 64)).toHaveLength(255 * 64);
    expect(() => derive(255 * 64 + 1)).toThrow(RangeError);
  });

  it("leaves its inputs as they are", () => {
    const [key, salt, info] = [countingKey(1), countingKey(2), countingKey(3)];
    hkdfSha512({ key, salt, info, length: 100 });
    expect([key, salt, info]).toEqual([countingKey(1), countingKey(2), countingKey(3)]);
  });

  it("gives memory of its own", () => {
    expect(hkdfSha512({ key: countingKey(1), info: Buffer.alloc(0), length: 32 }).buffer.byteLength).toBe(32);
  });

  it("refuses a key that was dropped", () => {
    const refusal = refusalOf(() => hkdfSha512({ key: Buffer.alloc(32), info: Buffer.alloc(0), length: 32 }));
    expect(refusal.code).toBe("INTERNAL");
  });
});
