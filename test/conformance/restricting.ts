import { ProviderError } from "#core/failures.ts";
import type { CallContext, KeyAdministration, Observation, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { required } from "./provider/subject.ts";

type Input = { readonly ref: NativeRef };

/** Gives a provider without it the state `process-only`, kept in `restricted`, which several handles may share. */
export function restricting<P extends Provider>(provider: P, restricted: Set<NativeRef>): P {
  const seen = (one: Observation): Observation =>
    one.observed === "enabled" && restricted.has(one.ref) ? { ...one, observed: "process-only" } : one;
  const changed: Partial<Provider> = {
    capabilities: { ...provider.capabilities, processOnly: true },
    describe: async (ref, call) => seen(await provider.describe(ref, call)),
    list: async function* list(call) {
      for await (const one of provider.list(call)) yield seen(one);
    },
    keys: restrictingKeys(provider.keys, restricted, seen),
    ...guarded(provider, async ({ ref }, call) => {
      if (!restricted.has(ref) || (await provider.describe(ref, call)).observed !== "enabled") return;
      throw new ProviderError({ failure: "DENIED", detail: "the key is restricted" });
    }),
  };
  return { ...provider, ...changed };
}

type Gate = (input: Input, call: CallContext) => Promise<void>;

/** Has every method that protects pass a gate. */
function guarded(provider: Provider, gate: Gate): Partial<Provider> {
  const { wrapper, cipher, mac, signer, materialWrapper, encapsulation } = provider;
  const passing =
    <I extends Input, T>(run: (input: I, call: CallContext) => Promise<T>) =>
    async (input: I, call: CallContext): Promise<T> => {
      await gate(input, call);
      return await run(input, call);
    };
  return {
    wrapper: { ...wrapper, wrap: passing(async (input, call) => await wrapper.wrap(input, call)) },
    ...(cipher && {
      cipher: { ...cipher, encrypt: passing(async (input, call) => await cipher.encrypt(input, call)) },
    }),
    ...(mac && { mac: { ...mac, mac: passing(async (input, call) => await mac.mac(input, call)) } }),
    ...(signer && { signer: { ...signer, sign: passing(async (input, call) => await signer.sign(input, call)) } }),
    ...(materialWrapper && {
      materialWrapper: {
        ...materialWrapper,
        wrapMaterial: passing(async (input, call) => await materialWrapper.wrapMaterial(input, call)),
      },
    }),
    ...(encapsulation && {
      encapsulation: {
        ...encapsulation,
        encapsulate: passing(async (input, call) => await required(encapsulation.encapsulate?.(input, call))),
      },
    }),
  };
}

function restrictingKeys(
  keys: KeyAdministration,
  restricted: Set<NativeRef>,
  seen: (one: Observation) => Observation,
): KeyAdministration {
  return {
    ...keys,
    create: async (spec, call) => seen(await keys.create(spec, call)),
    enable: async (ref, call) => {
      const enabled = await keys.enable(ref, call);
      restricted.delete(ref);
      return enabled;
    },
    restrict: async (ref, call) => {
      const enabled = await keys.enable(ref, call); // refuses in the states in which a key is not restricted either
      restricted.add(ref);
      return seen(enabled);
    },
  };
}
