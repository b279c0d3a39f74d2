import { randomBytes } from "node:crypto";
import { expect, onTestFinished } from "vitest";
import type { Scheduler, Sources } from "#core/clock.ts";
import type { ProviderFault } from "#core/failures.ts";
import type { CallContext, Observation, Provider } from "#core/provider.ts";
import { Secret } from "#core/secret.ts";
import { awsKms } from "#providers/aws-kms/index.ts";
import type { AwsKmsOptions } from "#providers/aws-kms/options.ts";
import { type AwsKmsFake, type AwsKmsFakeOptions, openAwsKmsFake } from "../../../fakes/aws-kms/fake.ts";

const ABILITIES = [
  "cipher",
  "mac",
  "signer",
  "agreement",
  "encapsulation",
  "publicKeys",
  "importer",
  "random",
] as const;

/** A provider with all the abilities that this kind has. */
export type Adapter = Omit<Provider, Ability | "keys"> & {
  readonly [A in Ability]-?: Required<NonNullable<Provider[A]>>;
};
type Ability = (typeof ABILITIES)[number] | "keys";

/** A fake and the adapter before it; both end with the test. */
export async function openPair(
  options: Partial<AwsKmsOptions> = {},
  { scheduler, fake: fakeOptions = {} }: { scheduler?: Scheduler; fake?: AwsKmsFakeOptions } = {},
): Promise<{ fake: AwsKmsFake; provider: Adapter }> {
  const fake = await openAwsKmsFake(fakeOptions);
  onTestFinished(async () => {
    await fake[Symbol.asyncDispose]();
  });
  return { fake, provider: await openProvider({ endpoint: fake.endpoint, ...options }, scheduler) };
}

export async function openProvider(options: Partial<AwsKmsOptions>, scheduler?: Scheduler): Promise<Adapter> {
  const provider = await awsKms.open({
    name: "aws",
    dataFolder: "/nowhere",
    options: { region: "us-east-1", credentials: { data: credentials() }, ...options },
    sources: { ...SOURCES, ...(scheduler === undefined ? {} : { scheduler }) },
  });
  onTestFinished(async () => {
    await provider[Symbol.asyncDispose]();
  });
  for (const ability of ABILITIES) if (provider[ability] === undefined) throw new Error(`no ${ability}`);
  if (provider.keys.restrict === undefined || provider.encapsulation?.encapsulate === undefined) {
    throw new Error("an ability is half there");
  }
  return provider as Adapter;
}

/** All that the provider lists. */
export async function listed(provider: Provider, signal?: AbortSignal): Promise<Observation[]> {
  const found: Observation[] = [];
  for await (const observation of provider.list(call(signal))) found.push(observation);
  return found;
}

/** How the provider names the failure of what must fail. */
export async function faultOfRejected(provider: Provider, promise: Promise<unknown>): Promise<ProviderFault> {
  const outcome = await promise.then(
    () => "fulfilled",
    (error: unknown) => provider.classify(error),
  );
  expect(outcome).not.toBe("fulfilled");
  return outcome as ProviderFault;
}

export function credentials(accessKeyId = "AKIADATA") {
  return { accessKeyId, secretAccessKey: new Secret("secret") };
}

/** A call that nothing ends, unless it is given a signal. */
export function call(signal: AbortSignal = new AbortController().signal): CallContext {
  return { signal, requestId: "req_test" };
}

const SOURCES: Sources = {
  clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
  random: { bytes: (length) => randomBytes(length), kernelBytes: (length) => randomBytes(length) },
  scheduler: {
    after: () => {
      throw new Error("the test has no timers");
    },
  },
};
