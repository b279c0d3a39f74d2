import { expect } from "vitest";
import { FAILURES } from "#core/failures.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { call, faultOf, listed, type ProviderTests } from "./subject.ts";
import { administrationOf, runUse, usesOf } from "./uses.ts";

export const failureTests: ProviderTests = ({ capabilities }) => {
  const uses = usesOf(capabilities).map((use) => ({
    name: use.name,
    run: async (provider: Provider, ref: NativeRef, context: CallContext) =>
      await runUse(use, provider, { ref, call: context }),
  }));
  const everything = [...uses, ...administrationOf(capabilities)];
  return [
    {
      name: "a key that does not exist is NOT_FOUND, whatever is asked of it",
      run: async ({ provider, harness }) => {
        for (const { name, run } of everything) {
          const { failure } = await faultOf(provider, async () => await run(provider, harness.unknownRef, call()));
          expect(failure, name).toBe("NOT_FOUND");
        }
      },
    },
    {
      name: "a call whose signal has fired rejects as CANCELLED",
      run: async ({ provider, sharedKey, freshMarker }) => {
        const ref = await sharedKey(capabilities.recipientAlgorithm);
        const spec = { algorithm: capabilities.recipientAlgorithm, marker: freshMarker(), description: "" };
        const ended = call(AbortSignal.abort(new Error("the caller left")));
        const calls: Record<string, () => Promise<unknown>> = {
          ...Object.fromEntries(everything.map(({ name, run }) => [name, async () => await run(provider, ref, ended)])),
          identify: async () => await provider.identify(ended),
          probe: async () => {
            await provider.probe(ref, ended);
          },
          list: async () => await listed(provider, ended),
          create: async () => await provider.keys.create(spec, ended),
          ...(provider.random && { random: async () => await provider.random?.randomBytes(8, ended) }),
        };
        for (const [name, attempt] of Object.entries(calls)) {
          expect((await faultOf(provider, attempt)).failure, name).toBe("CANCELLED");
        }
      },
    },
    {
      name: "a call whose signal fires on the way rejects as CANCELLED, and nothing is half made",
      run: async ({ provider, second, freshMarker, note }) => {
        const spec = { algorithm: capabilities.recipientAlgorithm, marker: freshMarker(), description: "" };
        const leaving = new AbortController();
        const { failure } = await faultOf(provider, async () => {
          const creating = provider.keys.create(spec, call(leaving.signal));
          leaving.abort();
          await creating;
        });
        expect(failure).toBe("CANCELLED");
        const made = await second.keys.create(spec, call());
        note(made.ref);
        expect(made).toMatchObject({ observed: "enabled", marker: spec.marker });
        expect((await provider.keys.create(spec, call())).ref).toBe(made.ref);
      },
    },
    {
      name: "classify never throws, and calls INTERNAL what it does not know",
      run: async ({ provider }) => {
        for (const thing of garbage()) {
          const fault = provider.classify(thing);
          expect(Object.keys(FAILURES)).toContain(fault.failure);
          expect(fault.failure).toBe("INTERNAL");
          expect(fault.detail).toEqual(expect.any(String));
        }
        await Promise.resolve();
      },
    },
  ];
};

function garbage(): readonly unknown[] {
  const trap = () => {
    throw new Error("trapped");
  };
  const hostile = new Proxy(new Error("x"), { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap });
  const getters = Object.defineProperties(new Error("x"), {
    name: { get: trap },
    code: { get: trap },
    message: { get: trap },
  });
  const names = ["constructor", "toString", "__proto__", "hasOwnProperty"];
  const inherited = names.map((name) => Object.assign(new Error("x"), { name, code: name, syscall: name }));
  const plain = [
    undefined,
    null,
    0,
    Number.NaN,
    1n,
    "",
    "INVALID",
    true,
    Symbol("x"),
    () => undefined,
    {},
    [],
    Object.create(null),
  ];
  return [
    ...plain,
    new Error("x"),
    new Error(""),
    new TypeError("x"),
    new AggregateError([]),
    hostile,
    getters,
    ...inherited,
  ];
}
