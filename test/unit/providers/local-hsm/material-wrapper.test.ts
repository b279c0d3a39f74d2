import { createCipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { call, expectOwned, expectUnsupported, faultOf } from "../../../conformance/provider/subject.ts";
import { keptHsm } from "./kept.ts";

const { provider, keyOf } = await keptHsm();
const KEK = Buffer.from(Array.from({ length: 32 }, (_, at) => at));

async function importedKek(algorithm: AlgorithmName): Promise<string> {
  const spec = { algorithm, marker: `kek-${algorithm.toLowerCase()}`, description: "", material: KEK };
  return (await provider.importer.importKey(spec, call())).ref;
}

describe("wrapping of material", () => {
  it("with AES-KW is exact (RFC 3394 § 4.6)", async () => {
    const material = Buffer.from("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", "hex");
    const input = { ref: await importedKek("AES-KW"), algorithm: "AES-KW" } as const;
    const { value } = await provider.materialWrapper.wrapMaterial({ ...input, material }, call());
    expect(value.toString("hex")).toBe(
      "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    );
  });

  it("with AES-KWP is the bare form that others make", async () => {
    const input = { ref: await importedKek("AES-KWP"), algorithm: "AES-KWP" } as const;
    const material = Buffer.from("466f7250617369", "hex");
    const { value } = await provider.materialWrapper.wrapMaterial({ ...input, material }, call());
    const cipher = createCipheriv("id-aes256-wrap-pad", KEK, Buffer.from("a65959a6", "hex"));
    expect(value.equals(Buffer.concat([cipher.update(material), cipher.final()]))).toBe(true);
    expect(value).toHaveLength(16);
  });

  it.each([
    { algorithm: "AES-KW", lengths: [16, 24, 32, 4096, 65_536] },
    { algorithm: "AES-KWP", lengths: [1, 7, 8, 9, 16, 31, 2375, 4962, 65_535, 65_536] },
  ] as const)("with $algorithm opens what it made, of each length", async ({ algorithm, lengths }) => {
    const ref = await keyOf(algorithm);
    for (const length of lengths) {
      const material = Buffer.alloc(length, 7);
      const { value: wrapped } = await provider.materialWrapper.wrapMaterial({ ref, algorithm, material }, call());
      const { value } = await provider.materialWrapper.unwrapMaterial({ ref, algorithm, wrapped }, call());
      expect(value.equals(material)).toBe(true);
      expectOwned(value);
    }
  });

  it.each([
    { algorithm: "AES-KW", lengths: [0, 8, 15, 17, 20, 65_544] },
    { algorithm: "AES-KWP", lengths: [0, 65_537] },
  ] as const)("with $algorithm refuses other lengths before the call", async ({ algorithm, lengths }) => {
    const ref = await keyOf(algorithm);
    for (const length of lengths) {
      const input = { ref, algorithm, material: Buffer.alloc(length) };
      await expectUnsupported(provider, async () => await provider.materialWrapper.wrapMaterial(input, call()));
    }
  });

  it.each(["AES-KW", "AES-KWP"] as const)(
    "with %s opens nothing that was changed, cut, or another key's",
    async (algorithm) => {
      const ref = await keyOf(algorithm);
      const other = await keyOf(algorithm, "other");
      const material = Buffer.alloc(32, 7);
      const { value: wrapped } = await provider.materialWrapper.wrapMaterial({ ref, algorithm, material }, call());
      const open = async (bytes: Uint8Array, by = ref) =>
        await provider.materialWrapper.unwrapMaterial({ ref: by, algorithm, wrapped: bytes }, call());
      const flips = Array.from({ length: wrapped.length * 8 }, (_, bit) => {
        const flipped = Buffer.from(wrapped);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        return flipped;
      });
      const cuts = Array.from(wrapped, (_, length) => wrapped.subarray(0, length));
      for (const bytes of [...flips, ...cuts, Buffer.alloc(65_552)]) {
        expect((await faultOf(provider, async () => await open(bytes))).failure).toBe("INVALID");
      }
      expect((await faultOf(provider, async () => await open(wrapped, other))).failure).toBe("INVALID");
    },
  );
});
