import { hash } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Answer, CallContext, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { call } from "../conformance/provider/subject.ts";

type Abilities = Required<
  Pick<Provider, "cipher" | "mac" | "materialWrapper" | "agreement" | "encapsulation" | "signer">
>;

/** A provider that takes the keys of vectors. What it refuses as INVALID is `undefined`; any other failure is thrown. */
export type VectorHsm = {
  /** The key of this material; imported once. */
  key(algorithm: AlgorithmName, material: Buffer): Promise<NativeRef | undefined>;
  ask<T>(run: (provider: Abilities, context: CallContext) => Promise<Answer<T>>): Promise<T | undefined>;
  publicKey(ref: NativeRef): Promise<Buffer>;
};

export function vectorHsm(provider: Provider): VectorHsm {
  const refs = new Map<string, Promise<NativeRef | undefined>>();
  const orInvalid = async <T>(run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      if (provider.classify(error).failure === "INVALID") return undefined;
      throw error;
    }
  };
  const { importer, publicKeys } = provider;
  if (importer === undefined || publicKeys === undefined) return expect.fail("the provider imports nothing");
  const importKey = async (algorithm: AlgorithmName, material: Buffer, marker: string) =>
    await orInvalid(
      async () => (await importer.importKey({ algorithm, marker, description: "a vector's", material }, call())).ref,
    );
  return {
    key: async (algorithm, material) => {
      const marker = hash("sha256", Buffer.concat([Buffer.from(algorithm), material]), "hex");
      const ref = refs.get(marker) ?? importKey(algorithm, material, marker);
      refs.set(marker, ref);
      return await ref;
    },
    ask: async (run) => await orInvalid(async () => (await run(provider as Provider & Abilities, call())).value),
    publicKey: async (ref) => (await publicKeys.publicKey(ref, call())).value,
  };
}
