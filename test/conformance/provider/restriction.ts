import { expect } from "vitest";
import type { Capabilities, Observation, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { keysToChange, type Prepared } from "./prepared.ts";
import { call, faultOf, required, type ProviderTest, type ProviderTests } from "./subject.ts";
import { isProtecting, runUse } from "./uses.ts";

/** Only for services that can keep a key from protecting; of the others the capabilities say that they cannot. */
export const restrictionTests: ProviderTests = ({ capabilities }) =>
  capabilities.processOnly ? testsOf(capabilities) : [];

function testsOf(capabilities: Capabilities): ProviderTest[] {
  const { recipientAlgorithm, destructionDays } = capabilities;
  return [
    {
      name: "a restricted key protects nothing, opens and checks as before, and protects again once it is enabled",
      run: async (subject) => {
        const { provider } = subject;
        const prepared = await keysToChange(subject);
        for (const ref of prepared.refs.values()) {
          expect(await restrict(provider, ref)).toMatchObject({ ref, observed: "process-only" });
          expect(await subject.second.describe(ref, call())).toMatchObject({ observed: "process-only" });
        }
        await expectProcessing(provider, prepared);
        for (const ref of prepared.refs.values()) {
          expect(await provider.keys.enable(ref, call())).toMatchObject({ ref, observed: "enabled" });
        }
        for (const use of prepared.uses) {
          const ref = prepared.refs.get(use.algorithm) ?? expect.fail("no such key");
          expect(await runUse(use, provider, { ref, call: call() }), use.name).toBeTruthy();
        }
      },
    },
    {
      name: "restrict may be repeated, and leads from a disabled key too",
      run: async ({ provider, freshKey }) => {
        const ref = await freshKey(recipientAlgorithm);
        for (let time = 0; time < 2; time++) expect(await restrict(provider, ref)).toMatchObject(PROCESS_ONLY);
        expect(await provider.keys.disable(ref, call())).toMatchObject({ observed: "disabled" });
        expect(await restrict(provider, ref)).toMatchObject(PROCESS_ONLY);
        expect(await provider.describe(ref, call())).toMatchObject(PROCESS_ONLY);
      },
    },
    ...(destructionDays === null ? [] : [pendingTest(recipientAlgorithm, destructionDays.min)]),
  ];
}

const PROCESS_ONLY = { observed: "process-only" } as const;

function pendingTest(algorithm: Capabilities["recipientAlgorithm"], days: number): ProviderTest {
  return {
    name: "a key whose destruction is scheduled is not restricted: STATE",
    run: async ({ provider, freshKey }) => {
      const ref = await freshKey(algorithm);
      await provider.keys.scheduleDestruction(ref, days, call());
      expect((await faultOf(provider, async () => await restrict(provider, ref))).failure).toBe("STATE");
      expect(await provider.describe(ref, call())).toMatchObject({ observed: "pending-destroy" });
    },
  };
}

async function expectProcessing(provider: Provider, { refs, uses }: Prepared): Promise<void> {
  for (const use of uses) {
    const ref = refs.get(use.algorithm) ?? expect.fail("no such key");
    const attempt = async () => await runUse(use, provider, { ref, call: call() });
    if (isProtecting(use.operation)) {
      expect(["DENIED", "STATE"], use.name).toContain((await faultOf(provider, attempt)).failure);
    } else {
      expect(await attempt(), use.name).toBeTruthy();
    }
  }
}

async function restrict({ keys }: Provider, ref: NativeRef): Promise<Observation> {
  return await required(keys.restrict?.(ref, call()));
}
