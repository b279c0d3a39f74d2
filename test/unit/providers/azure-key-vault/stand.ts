import { expect, onTestFinished } from "vitest";
import type { ProviderFault } from "#core/failures.ts";
import type { CallContext, Observation, Provider } from "#core/provider.ts";
import { type AzureStand, openStand } from "./open-stand.ts";

/** A provider with all the abilities that a vault has. */
export type Adapter = Provider & {
  readonly keys: Required<Provider["keys"]>;
  readonly cipher: NonNullable<Provider["cipher"]>;
  readonly signer: NonNullable<Provider["signer"]>;
  readonly publicKeys: NonNullable<Provider["publicKeys"]>;
  readonly importer: NonNullable<Provider["importer"]>;
};

/** A fake and the adapter before it; both end with the test. */
export async function openPair(
  options: Parameters<typeof openStand>[0] = {},
): Promise<{ stand: AzureStand; fake: AzureStand["fake"]; provider: Adapter }> {
  const stand = await openStand(options);
  onTestFinished(async () => {
    await stand[Symbol.asyncDispose]();
  });
  return { stand, fake: stand.fake, provider: adapterOf(await stand.open()) };
}

export function adapterOf(provider: Provider): Adapter {
  for (const ability of ["cipher", "signer", "publicKeys", "importer"] as const)
    expect(provider[ability]).toBeDefined();
  return provider as Adapter;
}

export function call(signal: AbortSignal = new AbortController().signal): CallContext {
  return { signal, requestId: "req_unit" };
}

export async function faultOfRejected(provider: Provider, attempt: Promise<unknown>): Promise<ProviderFault> {
  const [outcome] = await Promise.allSettled([attempt]);
  if (outcome.status === "fulfilled") return expect.fail("it was not refused");
  return provider.classify(outcome.reason);
}

let made = 0;

/** A fresh key; EC unless said otherwise, which is quick to make. */
export async function makeKey(
  { keys }: Provider,
  algorithm: Observation["algorithm"] = "EC-P256-SHA256",
): Promise<Observation> {
  return await keys.create(
    { algorithm: algorithm ?? expect.fail(), marker: `m-${made++}`, description: "a key" },
    call(),
  );
}

export async function listed(provider: Provider): Promise<Observation[]> {
  const all: Observation[] = [];
  for await (const one of provider.list(call())) all.push(one);
  return all;
}
