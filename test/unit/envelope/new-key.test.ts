import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createKeyMaterial } from "#envelope/new-key.ts";
import { countingRandom } from "./fixtures.ts";

describe("new key material", () => {
  it("is extracted from the kernel's bytes, our own, and each contribution", () => {
    const contributions = [Buffer.from("of one recipient"), Buffer.from("of another")];
    const source = countingRandom();
    const salt = source.kernelBytes(32);
    const own = source.bytes(32);
    const extracted = createHmac("sha512", salt)
      .update(Buffer.concat([own, ...contributions]))
      .digest();
    expect(createKeyMaterial(countingRandom(), contributions)).toEqual(extracted.subarray(0, 32));
  });

  it("has memory of its own and leaves zeros where its parts were", () => {
    const random = countingRandom();
    const contribution = Buffer.from("a recipient's");
    const key = createKeyMaterial(random, [contribution]);
    expect(key.buffer.byteLength).toBe(32);
    expect(random.given).toEqual([Buffer.alloc(32), Buffer.alloc(32)]);
    expect(contribution.toString()).toBe("a recipient's");
  });

  it("differs if one source repeats and the other does not", () => {
    const repeated = {
      bytes: (length: number) => Buffer.alloc(length, 1),
      kernelBytes: (length: number) => Buffer.alloc(length, 1),
    };
    const fresh = countingRandom();
    const first = createKeyMaterial(repeated);
    expect(createKeyMaterial({ ...repeated, kernelBytes: (length) => fresh.kernelBytes(length) })).not.toEqual(first);
    expect(createKeyMaterial({ ...repeated, bytes: (length) => fresh.bytes(length) })).not.toEqual(first);
    expect(createKeyMaterial(repeated)).toEqual(first);
  });
});
