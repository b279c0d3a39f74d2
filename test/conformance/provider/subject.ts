import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { ProviderFault } from "#core/failures.ts";
import type { CallContext, Capabilities, CapabilityRow, Observation, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { modulusBits, outsideMaterial } from "./material.ts";

/** What a provider's own test tells the suite. */
export type ProviderHarness = {
  readonly name: string;
  /** What the provider declares: the suite has a test for each row, and for what is in none. */
  readonly capabilities: Capabilities;
  /** Opens one more handle on the same account; the suite disposes it. */
  readonly open: () => Promise<Provider>;
  /** A well-formed reference of a key that does not exist. */
  readonly unknownRef: NativeRef;
  /** Moves the service's clock; absent where nobody can. */
  readonly advance?: (ms: number) => void | Promise<void>;
  /** A key of the account that the provider did not make. */
  readonly foreignKey?: () => Promise<NativeRef>;
  /** Tests that the service cannot pass, by their full names, with the reason. One that passes all the same fails. */
  readonly decline?: Readonly<Record<string, string>>;
  /** Algorithms whose keys take long to make: they are imported, from two of each size. The first of each size is made too. */
  readonly imported?: readonly AlgorithmName[];
  /** Which of the declared rows are tried; all by default. For stand-ins that lack what the service has. */
  readonly tried?: (row: CapabilityRow) => boolean;
  /** For slow or costly services. */
  readonly sizes?: Partial<SuiteSizes>;
  /** The account vanishes with the test, so that its keys need no destruction. */
  readonly isThrowaway?: boolean;
};

export type SuiteSizes = {
  /** How many single-bit changes of a message are tried, spread over it; all by default. */
  readonly flippedBits: number;
  /** How many lengths are tried. */
  readonly cuts: number;
  /** Keys beside which the list must show them all: more than fit a page. */
  readonly listedKeys: number;
  /** Calls at once. */
  readonly parallel: number;
};

const FULL_SIZES: SuiteSizes = { flippedBits: Infinity, cuts: Infinity, listedKeys: 5, parallel: 50 };

/** A test of the suite: a sentence, and what it does to the subject. */
export type ProviderTest = { readonly name: string; readonly run: (subject: Subject) => Promise<void> };

/** Tests of one theme, as far as the capabilities have it. */
export type ProviderTests = (harness: ProviderHarness) => readonly ProviderTest[];

/** The provider under test, with keys to use. */
export type Subject = {
  readonly harness: ProviderHarness;
  readonly provider: Provider;
  /** Another handle on the same account, as a second process has it. */
  readonly second: Provider;
  readonly sizes: SuiteSizes;
  /** A key that all tests share and none changes; `which` tells several apart. */
  readonly sharedKey: (algorithm: AlgorithmName, which?: "first" | "second") => Promise<NativeRef>;
  /** A key of the test's own. */
  readonly freshKey: (algorithm: AlgorithmName) => Promise<NativeRef>;
  /** Material to import: the same each time, other for `second`; RSA algorithms of one size share it. */
  readonly material: (algorithm: AlgorithmName, which?: "first" | "second") => Buffer;
  /** A key of the material that {@link material} gives, which all tests share. */
  readonly importedKey: (algorithm: AlgorithmName) => Promise<NativeRef>;
  /** What `make` gives the first time. */
  readonly once: <T>(name: string, make: () => Promise<T>) => Promise<T>;
  /** A marker that no key carries yet. */
  readonly freshMarker: () => string;
  /** Notes a key that a test made by itself. */
  readonly note: (ref: NativeRef) => void;
  readonly close: () => Promise<void>;
};

/** A call that nothing ends, unless it is given a signal. */
export function call(signal: AbortSignal = new AbortController().signal): CallContext {
  return { signal, requestId: "req_conformance" };
}

export async function openSubject(harness: ProviderHarness): Promise<Subject> {
  const provider = await harness.open();
  const second = await harness.open();
  const run = randomBytes(6).toString("hex");
  const made = new Set<NativeRef>();
  const kept = new Map<string, Promise<unknown>>();
  const material = materialPool();
  let count = 0;
  const freshMarker = () => `suite-${run}-${count++}`;
  const once = async <T>(name: string, make: () => Promise<T>): Promise<T> => {
    const value = kept.get(name) ?? make();
    kept.set(name, value);
    return (await value) as T;
  };
  const newKey = async (algorithm: AlgorithmName, from: Buffer | undefined) => {
    const spec = { algorithm, marker: freshMarker(), description: "made by the conformance suite" };
    const { ref } =
      from === undefined
        ? await provider.keys.create(spec, call())
        : await (provider.importer ?? expect.fail("it imports nothing")).importKey({ ...spec, material: from }, call());
    made.add(ref);
    return ref;
  };
  const freshKey = async (algorithm: AlgorithmName, which: "first" | "second" = "first") =>
    await newKey(algorithm, harness.imported?.includes(algorithm) === true ? material(algorithm, which) : undefined);
  return {
    harness,
    provider,
    second,
    sizes: { ...FULL_SIZES, ...harness.sizes },
    sharedKey: async (algorithm, which = "first") =>
      await once(`${algorithm} ${which}`, async () => await freshKey(algorithm, which)),
    freshKey,
    material,
    importedKey: async (algorithm) =>
      await once(`${algorithm} imported`, async () => await newKey(algorithm, material(algorithm))),
    once,
    freshMarker,
    note: (ref) => {
      made.add(ref);
    },
    close: async () => {
      if (harness.isThrowaway !== true) await destroyAll(provider, made);
      await provider[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}

function materialPool(): Subject["material"] {
  const pool = new Map<string, Buffer>();
  return (algorithm, which = "first") => {
    const name = `${modulusBits(algorithm) ?? algorithm} ${which}`;
    const material = pool.get(name) ?? outsideMaterial(algorithm);
    pool.set(name, material);
    return material;
  };
}

async function destroyAll(provider: Provider, refs: Iterable<NativeRef>): Promise<void> {
  const days = provider.capabilities.destructionDays?.min ?? 0;
  for (const ref of refs) await provider.keys.scheduleDestruction(ref, days, call()).catch(() => undefined);
}

/** Every key that a provider lists. */
export async function listed(provider: Provider, context: CallContext = call()): Promise<Observation[]> {
  const all: Observation[] = [];
  for await (const observation of provider.list(context)) all.push(observation);
  return all;
}

/** How a provider names the failure of what must fail. */
export async function faultOf(provider: Provider, attempt: () => Promise<unknown>): Promise<ProviderFault> {
  try {
    await attempt();
  } catch (error) {
    return provider.classify(error);
  }
  return expect.fail("it was not refused");
}

/** Expects the refusal that every adapter makes before the call. */
export async function expectUnsupported(provider: Provider, attempt: () => Promise<unknown>): Promise<void> {
  const { failure, detail } = await faultOf(provider, attempt);
  expect({ failure, detail }).toEqual({
    failure: "INTERNAL",
    detail: expect.stringMatching(/^unsupported/u) as string,
  });
}

/** What an optional method answers; fails where the provider has no such method. */
export async function required<T>(answer: Promise<T> | undefined): Promise<T> {
  return await (answer ?? expect.fail("the provider has no such method"));
}

/** Plaintexts and keys are unpooled: nothing else shares their memory. */
export function expectOwned(buffer: Buffer): void {
  expect(buffer.buffer.byteLength).toBe(buffer.byteLength);
}
