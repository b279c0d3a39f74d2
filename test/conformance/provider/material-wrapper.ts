import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { CapabilityRow, MaterialWrapper, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { damaged, expectAllInvalid } from "./attack.ts";
import { call, expectOwned, expectUnsupported, type ProviderTest, type ProviderTests } from "./subject.ts";

export const materialWrapperTests: ProviderTests = ({ capabilities }) => {
  const imports = (algorithm: AlgorithmName) =>
    capabilities.rows.some((row) => row.operation === "import" && row.algorithm === algorithm);
  const rows = capabilities.rows.filter(({ operation }) => operation === "wrap-material");
  return rows.flatMap((row) => [...testsOf(row), ...(imports(row.algorithm) ? [crossTest(row)] : [])]);
};

/** Lengths that an algorithm takes: AES-KW (RFC 3394) multiples of 8 from 16 on, AES-KWP (RFC 5649) all from 1 on. */
function lengthsOf({ algorithm, maxInputBytes }: CapabilityRow): number[] {
  const lengths = algorithm === "AES-KW" ? [16, 24, 32, 72, maxInputBytes - (maxInputBytes % 8)] : [1, 7, 8, 9, 16, 31];
  return [...lengths, ...(algorithm === "AES-KW" ? [] : [maxInputBytes])];
}

function testsOf(row: CapabilityRow): ProviderTest[] {
  const { algorithm, maxInputBytes } = row;
  return [
    {
      name: `${algorithm}: unwrap-material opens what wrap-material made, of each length and from each handle, in a buffer of the caller's own`,
      run: async ({ provider, second, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        for (const length of lengthsOf(row)) {
          const material = randomBytes(length);
          const before = Buffer.from(material);
          const wrapped = await wrap(provider, { ref, algorithm, material });
          expect(material.equals(before)).toBe(true);
          const blocks = Math.ceil(length / 8);
          expect(wrapped).toHaveLength(8 * (blocks + 1));
          for (const handle of [provider, second]) {
            const opened = await unwrap(handle, { ref, algorithm, wrapped });
            expect(opened.equals(material)).toBe(true);
            expectOwned(opened);
          }
        }
      },
    },
    {
      name: `${algorithm}: unwrap-material refuses another key and every changed, missing or further byte, in the same words`,
      run: async ({ provider, sharedKey, sizes }) => {
        const ref = await sharedKey(algorithm);
        const wrapped = await wrap(provider, { ref, algorithm, material: randomBytes(32) });
        const other = await sharedKey(algorithm, "second");
        const open = (input: { ref: NativeRef; wrapped: Uint8Array }) => async () =>
          await unwrap(provider, { algorithm, ...input });
        const longest = Buffer.alloc(Math.ceil(maxInputBytes / 8) * 8 + 64);
        await expectAllInvalid(provider, [
          open({ ref: other, wrapped }),
          ...[...damaged(wrapped, sizes), longest].map((bytes) => open({ ref, wrapped: bytes })),
        ]);
      },
    },
    {
      name: `${algorithm}: wrap-material refuses lengths that it does not declare, before the call`,
      run: async ({ provider, harness }) => {
        const lengths = algorithm === "AES-KW" ? [0, 8, 15, 17, 31] : [0];
        for (const length of [...lengths, maxInputBytes + 1]) {
          const input = { ref: harness.unknownRef, algorithm, material: Buffer.alloc(length) };
          await expectUnsupported(provider, async () => await wrap(provider, input));
        }
      },
    },
  ];
}

function crossTest(row: CapabilityRow): ProviderTest {
  const { algorithm } = row;
  return {
    name: `${algorithm}: node:crypto opens under an imported key what the service wraps, and makes the same bytes`,
    run: async ({ provider, importedKey, material: materialOf }) => {
      const ref = await importedKey(algorithm);
      const key = materialOf(algorithm);
      for (const length of lengthsOf(row)) {
        const material = randomBytes(length);
        const wrapped = await wrap(provider, { ref, algorithm, material });
        expect(wrapOutside({ algorithm, key, bytes: material, isOpening: false }).equals(wrapped)).toBe(true);
        expect(wrapOutside({ algorithm, key, bytes: wrapped, isOpening: true }).equals(material)).toBe(true);
      }
    },
  };
}

type Outside = {
  readonly algorithm: AlgorithmName;
  readonly key: Buffer;
  readonly bytes: Buffer;
  readonly isOpening: boolean;
};

function wrapOutside({ algorithm, key, bytes, isOpening }: Outside): Buffer {
  const isPadded = algorithm === "AES-KWP";
  const name = `id-aes${key.length * 8}-wrap${isPadded ? "-pad" : ""}`;
  const iv = Buffer.from(isPadded ? "a65959a6" : "a6a6a6a6a6a6a6a6", "hex");
  const cipher = isOpening ? createDecipheriv(name, key, iv) : createCipheriv(name, key, iv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

async function wrap(provider: Provider, input: Parameters<MaterialWrapper["wrapMaterial"]>[0]): Promise<Buffer> {
  return (await wrapperOf(provider).wrapMaterial(input, call())).value;
}

async function unwrap(provider: Provider, input: Parameters<MaterialWrapper["unwrapMaterial"]>[0]): Promise<Buffer> {
  return (await wrapperOf(provider).unwrapMaterial(input, call())).value;
}

function wrapperOf({ materialWrapper }: Provider): MaterialWrapper {
  return materialWrapper ?? expect.fail("the provider wraps no material");
}
