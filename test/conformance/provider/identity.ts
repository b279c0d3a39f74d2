import { expect } from "vitest";
import { hasPublicKey } from "#core/algorithms.ts";
import { call, faultOf, type ProviderTests } from "./subject.ts";

export const identityTests: ProviderTests = () => [
  {
    name: "identify answers one uid and one canary, each time and from each handle",
    run: async ({ provider, second }) => {
      const identity = await provider.identify(call());
      expect(identity.uid).not.toBe("");
      expect(await provider.identify(call())).toEqual(identity);
      expect(await second.identify(call())).toEqual(identity);
    },
  },
  {
    name: "the canary key works, and is enabled",
    run: async ({ provider }) => {
      const { canary } = await provider.identify(call());
      await provider.probe(canary, call());
      expect(await provider.describe(canary, call())).toMatchObject({ ref: canary, observed: "enabled" });
    },
  },
  {
    name: "a probe with a key that does not exist rejects",
    run: async ({ provider, harness }) => {
      const fault = await faultOf(provider, async () => {
        await provider.probe(harness.unknownRef, call());
      });
      expect(fault.failure).toBe("NOT_FOUND");
    },
  },
  {
    name: "a renewed provider is the same one",
    run: async ({ provider }) => {
      const identity = await provider.identify(call());
      provider.renew();
      expect(await provider.identify(call())).toEqual(identity);
      await provider.probe(identity.canary, call());
    },
  },
  {
    name: "the provider declares what its harness says, and has the abilities that its rows need",
    run: async ({ provider, harness }) => {
      const declares = (...operations: readonly string[]) =>
        harness.capabilities.rows.some(({ operation }) => operations.includes(operation));
      expect(provider.capabilities).toEqual(harness.capabilities);
      expect(declares("wrap") && declares("unwrap")).toBe(true);
      expect(provider.cipher !== undefined).toBe(declares("encrypt", "decrypt"));
      expect(provider.mac !== undefined).toBe(declares("mac", "verify-mac"));
      expect(provider.signer !== undefined).toBe(declares("sign", "verify"));
      expect(provider.materialWrapper !== undefined).toBe(declares("wrap-material", "unwrap-material"));
      expect(provider.agreement !== undefined).toBe(declares("agree"));
      expect(provider.encapsulation !== undefined).toBe(declares("encapsulate", "decapsulate"));
      expect(provider.encapsulation?.encapsulate !== undefined).toBe(declares("encapsulate"));
      expect(provider.importer !== undefined).toBe(declares("import"));
      expect(provider.exporter !== undefined).toBe(declares("export"));
      const { rows, processOnly } = harness.capabilities;
      expect(provider.publicKeys !== undefined).toBe(rows.some(({ algorithm }) => hasPublicKey(algorithm)));
      expect(provider.keys.restrict !== undefined).toBe(processOnly);
      await Promise.resolve();
    },
  },
];
