import { expect } from "vitest";
import type { RandomSource } from "#core/provider.ts";
import { call, expectOwned, expectUnsupported, type ProviderTests, type Subject } from "./subject.ts";

/** Only for providers that offer randomness; others have nothing to test. */
export const randomTests: ProviderTests = () => [
  {
    name: "random bytes, where they are offered, are as many as asked, another time others, and the caller's own",
    run: async (subject) => {
      const random = sourceOf(subject);
      if (random === undefined) return;
      for (const length of [1, 32, 1024]) {
        const { value } = await random.randomBytes(length, call());
        expect(value).toHaveLength(length);
        expectOwned(value);
      }
      const several = await Promise.all(Array.from({ length: 4 }, async () => await random.randomBytes(32, call())));
      expect(new Set(several.map(({ value }) => value.toString("hex"))).size).toBe(4);
    },
  },
  {
    name: "random bytes, where they are offered, are refused below 1 and above 1024, before the call",
    run: async (subject) => {
      const random = sourceOf(subject);
      if (random === undefined) return;
      for (const length of [0, -1, 1025, 1.5, Number.NaN]) {
        await expectUnsupported(subject.provider, async () => await random.randomBytes(length, call()));
      }
    },
  },
];

function sourceOf({ provider }: Subject): RandomSource | undefined {
  return provider.random;
}
