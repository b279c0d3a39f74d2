import { expect } from "vitest";
import { call, type ProviderTests } from "./subject.ts";
import { isRepeatable, runUse, usesOf, withOwnBytes } from "./uses.ts";
import { opens, wrapped } from "./wrapper.ts";

export const concurrencyTests: ProviderTests = ({ capabilities }) => [
  {
    name: "calls at once do not disturb each other",
    run: async (subject) => {
      const { provider, second, sizes, sharedKey } = subject;
      const keys = await Promise.all(
        (["first", "second"] as const).map(async (which) => await sharedKey(capabilities.recipientAlgorithm, which)),
      );
      const runs = Array.from({ length: sizes.parallel }, async (_, at) => {
        const made = await wrapped(subject, keys[at % keys.length]);
        return await opens(at % 3 === 0 ? second : provider, made);
      });
      expect(new Set(await Promise.all(runs))).toEqual(new Set([true]));
    },
  },
  {
    name: "every declared use at once, of each key and from each handle, gives what it gives alone",
    run: async (subject) => {
      const { provider, second, harness, sharedKey } = subject;
      const uses = usesOf(harness.capabilities);
      const runs = uses.map(async (use) => {
        const ref = await sharedKey(use.algorithm);
        const own = await withOwnBytes(use, provider, ref);
        const alone = await runUse(own, provider, { ref, call: call() });
        return { own, ref, alone };
      });
      const made = await Promise.all(runs);
      const again = await Promise.all(
        made.map(
          async ({ own, ref }, at) => await runUse(own, at % 2 === 0 ? second : provider, { ref, call: call() }),
        ),
      );
      made.forEach(({ own, alone }, at) => {
        if (isRepeatable(own.operation)) expect(again[at], own.name).toEqual(alone);
        else expect(again[at], own.name).toBeTruthy();
      });
    },
  },
  {
    name: "a key that is used while it is disabled is refused or works, and is refused from then on",
    run: async (subject) => {
      const { provider, sizes, freshKey } = subject;
      const made = await wrapped(subject, await freshKey(capabilities.recipientAlgorithm));
      const uses = Array.from({ length: sizes.parallel }, async () => await opens(provider, made));
      const [, ...outcomes] = await Promise.allSettled([provider.keys.disable(made.ref, call()), ...uses]);
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") expect(outcome.value).toBe(true);
        else expect(provider.classify(outcome.reason).failure).toBe("STATE");
      }
      const last = await Promise.allSettled([opens(provider, made)]);
      expect(last[0].status === "rejected" && provider.classify(last[0].reason).failure).toBe("STATE");
    },
  },
];
