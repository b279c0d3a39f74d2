import { expect } from "vitest";
import type { Capabilities, Observation, Provider } from "#core/provider.ts";
import { keysToChange, type Prepared } from "./prepared.ts";
import { call, expectUnsupported, faultOf, type ProviderTest, type ProviderTests, type Subject } from "./subject.ts";
import { runUse } from "./uses.ts";
import { opens, wrapped } from "./wrapper.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const stateTests: ProviderTests = ({ capabilities, advance }) => {
  const window = capabilities.destructionDays;
  return [
    ...disableTests(capabilities),
    ...(window === null ? [] : destructionTests(capabilities, window)),
    ...(window === null || advance === undefined ? [] : [afterWindow(capabilities, { ...window, advance })]),
  ];
};

function disableTests(capabilities: Capabilities): ProviderTest[] {
  const { recipientAlgorithm } = capabilities;
  return [
    {
      name: "a disabled key is described so, does nothing, and works again once it is enabled",
      run: async (subject) => {
        const { provider, freshKey } = subject;
        const made = await wrapped(subject, await freshKey(recipientAlgorithm));
        expect(await provider.keys.disable(made.ref, call())).toMatchObject({ ref: made.ref, observed: "disabled" });
        expect(await provider.describe(made.ref, call())).toMatchObject({ observed: "disabled" });
        expect((await faultOf(provider, async () => await opens(provider, made))).failure).toBe("STATE");
        expect(await provider.keys.enable(made.ref, call())).toMatchObject({ ref: made.ref, observed: "enabled" });
        expect(await opens(provider, made)).toBe(true);
      },
    },
    {
      name: "every declared use of a disabled key is refused as STATE",
      run: async (subject) => {
        const prepared = await keysToChange(subject);
        const { keys } = subject.provider;
        for (const ref of prepared.refs.values()) await keys.disable(ref, call());
        await expectRefused(subject, prepared, ["STATE"]);
        for (const ref of prepared.refs.values()) await keys.enable(ref, call());
      },
    },
    {
      name: "enable and disable may be repeated",
      run: async ({ provider, freshKey }) => {
        const ref = await freshKey(recipientAlgorithm);
        expect(await provider.keys.enable(ref, call())).toMatchObject({ observed: "enabled" });
        for (let time = 0; time < 2; time++) {
          expect(await provider.keys.disable(ref, call())).toMatchObject({ observed: "disabled" });
        }
      },
    },
    ...(capabilities.propagationMs === 0 ? [seenElsewhere(capabilities)] : []),
  ];
}

function seenElsewhere({ recipientAlgorithm }: Capabilities): ProviderTest {
  return {
    name: "a change is seen from another handle at once",
    run: async (subject) => {
      const { provider, second, freshKey } = subject;
      const made = await wrapped(subject, await freshKey(recipientAlgorithm));
      expect(await opens(second, made)).toBe(true);
      await provider.keys.disable(made.ref, call());
      expect((await faultOf(second, async () => await opens(second, made))).failure).toBe("STATE");
      await second.keys.enable(made.ref, call());
      expect(await opens(provider, made)).toBe(true);
    },
  };
}

function destructionTests(
  capabilities: Capabilities,
  window: { readonly min: number; readonly max: number },
): ProviderTest[] {
  const { recipientAlgorithm } = capabilities;
  return [
    {
      name: "a key whose destruction is scheduled is described so, with its time",
      run: async ({ provider, freshKey }) => {
        const ref = await freshKey(recipientAlgorithm);
        const { createTime } = await provider.describe(ref, call());
        const scheduled = await provider.keys.scheduleDestruction(ref, window.min, call());
        expect(scheduled).toMatchObject({ ref, observed: "pending-destroy" });
        const earliest = (createTime ?? Number.NaN) + window.min * DAY_MS;
        expect(Math.abs((scheduled.destroyTime ?? Number.NaN) - earliest)).toBeLessThan(HOUR_MS);
        expect(await provider.describe(ref, call())).toMatchObject({ observed: "pending-destroy" });
        expect(await provider.keys.scheduleDestruction(ref, window.min, call())).toMatchObject({
          ref,
          observed: "pending-destroy",
        });
      },
    },
    {
      name: "every declared use of a key whose destruction is scheduled is refused as STATE, and so are enable and disable",
      run: async (subject) => {
        const { provider } = subject;
        const prepared = await keysToChange(subject);
        for (const ref of prepared.refs.values()) await provider.keys.scheduleDestruction(ref, window.min, call());
        await expectRefused(subject, prepared, ["STATE"]);
        const ref = prepared.refs.get(recipientAlgorithm) ?? expect.fail("no such key");
        const enable = async () => await provider.keys.enable(ref, call());
        const disable = async () => await provider.keys.disable(ref, call());
        for (const change of [enable, disable]) expect((await faultOf(provider, change)).failure).toBe("STATE");
        for (const one of prepared.refs.values()) {
          await provider.keys.cancelDestruction(one, call());
          await provider.keys.enable(one, call());
        }
      },
    },
    {
      name: "a cancelled destruction leaves the key whole: enabled, it opens what it made",
      run: async (subject) => {
        const { provider, freshKey } = subject;
        const made = await wrapped(subject, await freshKey(recipientAlgorithm));
        await provider.keys.scheduleDestruction(made.ref, window.max, call());
        for (let time = 0; time < 2; time++) {
          const cancelled = await provider.keys.cancelDestruction(made.ref, call());
          expect(["disabled", "enabled"]).toContain(cancelled.observed);
          expect(cancelled.destroyTime).toBeNull();
        }
        await provider.keys.enable(made.ref, call());
        expect(await opens(provider, made)).toBe(true);
      },
    },
    {
      name: "a destruction outside the declared window is refused before the call",
      run: async ({ provider, harness }) => {
        const ref = harness.unknownRef;
        for (const days of [window.min - 1, window.max + 1, window.min + 0.5, -1, Number.NaN]) {
          await expectUnsupported(provider, async () => await provider.keys.scheduleDestruction(ref, days, call()));
        }
      },
    },
  ];
}

type AfterWindow = { readonly min: number; readonly advance: (ms: number) => void | Promise<void> };

function afterWindow(capabilities: Capabilities, { min, advance }: AfterWindow): ProviderTest {
  return {
    name: "a key past its destruction time is gone for every use, and cannot be brought back",
    run: async (subject) => {
      const { provider, second } = subject;
      const prepared = await keysToChange(subject);
      const { refs } = prepared;
      for (const ref of prepared.refs.values()) await provider.keys.scheduleDestruction(ref, min, call());
      await advance(min * DAY_MS + HOUR_MS);
      for (const ref of refs.values()) {
        expect(["destroyed", "missing"]).toContain(
          await classOf(second, async () => await second.describe(ref, call())),
        );
      }
      await expectRefused(subject, prepared, ["STATE", "NOT_FOUND"]);
      const ref = refs.get(capabilities.recipientAlgorithm) ?? expect.fail("no such key");
      const enable = async () => await provider.keys.enable(ref, call());
      const cancel = async () => await provider.keys.cancelDestruction(ref, call());
      for (const change of [enable, cancel]) {
        expect(["STATE", "NOT_FOUND"]).toContain((await faultOf(provider, change)).failure);
      }
    },
  };
}

/** The class in which a key is seen; a service that has forgotten it says NOT_FOUND. */
async function classOf(provider: Provider, describeKey: () => Promise<Observation>): Promise<string> {
  try {
    return (await describeKey()).observed;
  } catch (error) {
    expect(provider.classify(error).failure).toBe("NOT_FOUND");
    return "missing";
  }
}

async function expectRefused(
  { provider }: Subject,
  { refs, uses }: Prepared,
  failures: readonly string[],
): Promise<void> {
  for (const use of uses) {
    const ref = refs.get(use.algorithm) ?? expect.fail("no such key");
    const { failure } = await faultOf(provider, async () => await runUse(use, provider, { ref, call: call() }));
    expect(failures, use.name).toContain(failure);
  }
}
