import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { CapabilityRow, MacSigner, Provider } from "#core/provider.ts";
import { flipped } from "./attack.ts";
import { call, expectUnsupported, type ProviderTest, type ProviderTests } from "./subject.ts";

/** Bytes of a whole MAC. */
const MAC_BYTES: Readonly<Record<string, number>> = {
  "HMAC-SHA-224": 28,
  "HMAC-SHA-256": 32,
  "HMAC-SHA-384": 48,
  "HMAC-SHA-512": 64,
};

export const macTests: ProviderTests = ({ capabilities }) =>
  capabilities.rows.flatMap((row) => (row.operation === "mac" ? testsOf(row) : []));

function testsOf({ algorithm, minInputBytes = 0, maxInputBytes }: CapabilityRow): ProviderTest[] {
  return [
    {
      name: `${algorithm}: a mac is whole, the same each time, and fits its message from each handle`,
      run: async ({ provider, second, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        for (const size of [minInputBytes, 1, 1000, maxInputBytes]) {
          const message = randomBytes(size);
          const { value: mac } = await macOf(provider).mac({ ref, algorithm, message }, call());
          expect(mac).toHaveLength(MAC_BYTES[algorithm] ?? Number.NaN);
          expect((await macOf(second).mac({ ref, algorithm, message }, call())).value.equals(mac)).toBe(true);
          const verified = await macOf(second).verifyMac({ ref, algorithm, message, mac }, call());
          expect(verified.value).toBe(true);
        }
      },
    },
    {
      name: `${algorithm}: a mac of another message, another key, another length or with a changed bit is false, not an error`,
      run: async ({ provider, sharedKey, sizes }) => {
        const ref = await sharedKey(algorithm);
        const other = await sharedKey(algorithm, "second");
        const message = randomBytes(40);
        const signer = macOf(provider);
        const { value: mac } = await signer.mac({ ref, algorithm, message }, call());
        const verify = async (input: { ref?: string; message?: Buffer; mac?: Buffer }) =>
          (await signer.verifyMac({ ref, algorithm, message, mac, ...input }, call())).value;
        expect(await verify({ ref: other })).toBe(false);
        expect(await verify({ message: flipped(message, 3) })).toBe(false);
        const bits = Math.min(sizes.flippedBits, mac.length * 8);
        for (let bit = 0; bit < bits; bit++) expect(await verify({ mac: flipped(mac, bit) })).toBe(false);
        for (const length of [0, 1, 8, mac.length - 1])
          expect(await verify({ mac: mac.subarray(0, length) })).toBe(false);
        expect(await verify({ mac: Buffer.concat([mac, Buffer.alloc(1)]) })).toBe(false);
      },
    },
    {
      name: `${algorithm}: mac and verify-mac refuse more bytes than they declare, or fewer, before the call`,
      run: async ({ provider, harness }) => {
        const mac = Buffer.alloc(MAC_BYTES[algorithm] ?? 0);
        for (const size of [maxInputBytes + 1, ...(minInputBytes > 0 ? [minInputBytes - 1] : [])]) {
          const input = { ref: harness.unknownRef, algorithm, message: Buffer.alloc(size) };
          await expectUnsupported(provider, async () => await macOf(provider).mac(input, call()));
          await expectUnsupported(provider, async () => await macOf(provider).verifyMac({ ...input, mac }, call()));
        }
      },
    },
  ];
}

function macOf({ mac }: Provider): MacSigner {
  return mac ?? expect.fail("the provider makes no macs");
}
