import { expect } from "vitest";
import { randomBytes } from "node:crypto";
import { uuidFromBytes } from "#core/ids.ts";
import { type AlgorithmName } from "#core/algorithms.ts";
import { NO_CONTEXT } from "#core/context.ts";
import type { CallContext, Capabilities, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";

/** One way to use a key. */
export type Use = {
  readonly name: string;
  readonly algorithm: AlgorithmName;
  readonly run: (provider: Provider, ref: NativeRef, call: CallContext) => Promise<unknown>;
};

const BYTES = randomBytes(48);
const WRAP_CONTEXT = {
  branch: uuidFromBytes(randomBytes(16)),
  branchVersion: 1,
  recipient: uuidFromBytes(randomBytes(16)),
  digest: randomBytes(32),
};

/** Every declared use of a key: one per row. What the opening ones are given opens under no key. */
export function usesOf({ rows, recipientAlgorithm }: Capabilities): Use[] {
  return rows
    .filter((row) => row.algorithm === recipientAlgorithm || (row.operation !== "wrap" && row.operation !== "unwrap"))
    .map(({ operation, algorithm }): Use => {
      const name = `${operation} with ${algorithm}`;
      return {
        name,
        algorithm,
        run: async (provider, ref, call) => await RUNS[operation](provider, { ref, algorithm, call }),
      };
    });
}

type Run = (
  provider: Provider,
  input: { readonly ref: NativeRef; readonly algorithm: AlgorithmName; readonly call: CallContext },
) => Promise<unknown>;

const RUNS: Readonly<Record<Capabilities["rows"][number]["operation"], Run>> = {
  encrypt: async ({ cipher }, { call, ...input }) =>
    await (cipher ?? missing()).encrypt({ ...input, plaintext: BYTES, context: NO_CONTEXT }, call),
  decrypt: async ({ cipher }, { call, ...input }) =>
    await (cipher ?? missing()).decrypt({ ...input, ciphertext: BYTES, context: NO_CONTEXT }, call),
  wrap: async ({ wrapper }, { ref, call }) => await wrapper.wrap({ ref, payload: BYTES, context: WRAP_CONTEXT }, call),
  unwrap: async ({ wrapper }, { ref, call }) => await wrapper.unwrap({ ref, wrap: BYTES, context: WRAP_CONTEXT }, call),
  mac: async ({ mac }, { call, ...input }) => await (mac ?? missing()).mac({ ...input, message: BYTES }, call),
  "verify-mac": async ({ mac }, { call, ...input }) =>
    await (mac ?? missing()).verifyMac({ ...input, message: BYTES, mac: BYTES }, call),
};

function missing(): never {
  return expect.fail("an ability is missing");
}

/** Every way to ask about a key or to change it. */
export function administrationOf(days: number): readonly Pick<Use, "name" | "run">[] {
  return [
    { name: "describe", run: async (provider, ref, call) => await provider.describe(ref, call) },
    { name: "enable", run: async ({ keys }, ref, call) => await keys.enable(ref, call) },
    { name: "disable", run: async ({ keys }, ref, call) => await keys.disable(ref, call) },
    {
      name: "schedule destruction",
      run: async ({ keys }, ref, call) => await keys.scheduleDestruction(ref, days, call),
    },
    { name: "cancel destruction", run: async ({ keys }, ref, call) => await keys.cancelDestruction(ref, call) },
  ];
}
