import { createPublicKey, type KeyObject } from "node:crypto";
import { expect } from "vitest";
import { type AlgorithmName, hasPublicKey } from "#core/algorithms.ts";
import type { Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { modulusBits, outsidePair } from "./material.ts";
import { call, faultOf, type ProviderTest, type ProviderTests } from "./subject.ts";

export const publicKeyTests: ProviderTests = ({ capabilities }) => {
  const algorithms = new Set(capabilities.rows.map(({ algorithm }) => algorithm).filter(hasPublicKey));
  return [...algorithms].flatMap(testsOf).concat(algorithms.size === 0 ? [] : refusals());
};

function testsOf(algorithm: AlgorithmName): ProviderTest[] {
  return [
    {
      name: `${algorithm}: the public key is SPKI DER of its kind, the same from each handle, and another for each key`,
      run: async ({ provider, second, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const spki = await spkiBytes(provider, ref);
        const key = createPublicKey({ key: spki, format: "der", type: "spki" });
        expect(key.export({ format: "der", type: "spki" }).equals(spki)).toBe(true);
        expect(kindOf(key)).toEqual(wantedKind(algorithm));
        for (const handle of [provider, second]) expect((await spkiBytes(handle, ref)).equals(spki)).toBe(true);
        expect((await spkiBytes(provider, await sharedKey(algorithm, "second"))).equals(spki)).toBe(false);
      },
    },
  ];
}

function refusals(): ProviderTest[] {
  return [
    {
      name: "the public key of a key that does not exist is NOT_FOUND, and a call that has ended is CANCELLED",
      run: async ({ provider, harness }) => {
        const ended = call(AbortSignal.abort(new Error("the caller left")));
        const { unknownRef: ref } = harness;
        expect((await faultOf(provider, async () => await spkiBytes(provider, ref))).failure).toBe("NOT_FOUND");
        const late = await faultOf(provider, async () => await spkiBytes(provider, ref, ended));
        expect(late.failure).toBe("CANCELLED");
      },
    },
  ];
}

/** The type, and the curve or the modulus. */
function kindOf({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject) {
  return { type, curve: details.namedCurve, bits: details.modulusLength };
}

function wantedKind(algorithm: AlgorithmName): ReturnType<typeof kindOf> {
  const bits = modulusBits(algorithm);
  if (bits !== undefined) return { type: "rsa", curve: undefined, bits };
  return kindOf(outsidePair(algorithm).publicKey);
}

async function spkiBytes({ publicKeys }: Provider, ref: NativeRef, context = call()): Promise<Buffer> {
  return (await (publicKeys ?? expect.fail("it shows no public keys")).publicKey(ref, context)).value;
}
