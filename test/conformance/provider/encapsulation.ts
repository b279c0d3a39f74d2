import { createPublicKey, encapsulate as encapsulateOutside, type KeyObject } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { KeyEncapsulation, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { expectAllInvalid, flipped } from "./attack.ts";
import { call, expectOwned, required, type ProviderTest, type ProviderTests } from "./subject.ts";

export const encapsulationTests: ProviderTests = ({ capabilities }) => {
  const encapsulates = (algorithm: AlgorithmName) =>
    capabilities.rows.some((row) => row.operation === "encapsulate" && row.algorithm === algorithm);
  const rows = capabilities.rows.filter(({ operation }) => operation === "decapsulate");
  return rows.flatMap(({ algorithm }) => [
    ...decapsulateTests(algorithm),
    ...(encapsulates(algorithm) ? [encapsulateTest(algorithm)] : []),
  ]);
};

function encapsulateTest(algorithm: AlgorithmName): ProviderTest {
  return {
    name: `${algorithm}: decapsulate gives the secret that encapsulate gave, from each handle, another each time`,
    run: async ({ provider, second, sharedKey }) => {
      const ref = await sharedKey(algorithm);
      const secrets = new Set<string>();
      for (const handle of [provider, second, provider]) {
        const made = await required(kemOf(handle).encapsulate?.({ ref, algorithm }, call()));
        const { ciphertext, sharedSecret } = made.value;
        expect(sharedSecret).toHaveLength(32);
        expectOwned(sharedSecret);
        for (const opener of [provider, second]) {
          expect((await decapsulate(opener, { ref, algorithm, ciphertext })).equals(sharedSecret)).toBe(true);
        }
        secrets.add(sharedSecret.toString("hex"));
      }
      expect(secrets.size).toBe(3);
    },
  };
}

function decapsulateTests(algorithm: AlgorithmName): ProviderTest[] {
  return [
    {
      name: `${algorithm}: decapsulate gives the secret that node:crypto encapsulated, in a buffer of the caller's own`,
      run: async ({ provider, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const { sharedKey: secret, ciphertext } = encapsulateOutside(await publicKeyOf(provider, ref));
        const opened = await decapsulate(provider, { ref, algorithm, ciphertext });
        expect(opened.equals(secret)).toBe(true);
        expectOwned(opened);
      },
    },
    {
      name: `${algorithm}: a changed ciphertext and another key give other secrets, the same each time, and no error`,
      run: async ({ provider, second, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const other = await sharedKey(algorithm, "second");
        const { sharedKey: secret, ciphertext } = encapsulateOutside(await publicKeyOf(provider, ref));
        const end = ciphertext.length * 8 - 1;
        const attempts = [
          { ref: other, ciphertext },
          ...[0, 7, end >> 1, end].map((bit) => ({ ref, ciphertext: flipped(ciphertext, bit) })),
          { ref, ciphertext: Buffer.alloc(ciphertext.length) },
        ];
        const secrets = new Set([secret.toString("hex")]);
        for (const attempt of attempts) {
          const opened = await decapsulate(provider, { algorithm, ...attempt });
          expect(opened).toHaveLength(32);
          expect((await decapsulate(second, { algorithm, ...attempt })).equals(opened)).toBe(true);
          secrets.add(opened.toString("hex"));
        }
        expect(secrets.size).toBe(attempts.length + 1);
      },
    },
    {
      name: `${algorithm}: a ciphertext of another length is INVALID`,
      run: async ({ provider, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const { ciphertext } = encapsulateOutside(await publicKeyOf(provider, ref));
        const wrong = [
          ...[0, 1, 32, ciphertext.length - 1].map((length) => ciphertext.subarray(0, length)),
          Buffer.concat([ciphertext, Buffer.alloc(1)]),
          Buffer.concat([ciphertext, ciphertext]),
        ];
        await expectAllInvalid(
          provider,
          wrong.map((bytes) => async () => await decapsulate(provider, { ref, algorithm, ciphertext: bytes })),
        );
      },
    },
  ];
}

async function publicKeyOf({ publicKeys }: Provider, ref: NativeRef): Promise<KeyObject> {
  const { value } = await (publicKeys ?? expect.fail("it shows no public keys")).publicKey(ref, call());
  return createPublicKey({ key: value, format: "der", type: "spki" });
}

async function decapsulate(provider: Provider, input: Parameters<KeyEncapsulation["decapsulate"]>[0]): Promise<Buffer> {
  return (await kemOf(provider).decapsulate(input, call())).value;
}

function kemOf({ encapsulation }: Provider): KeyEncapsulation {
  return encapsulation ?? expect.fail("the provider does not decapsulate");
}
