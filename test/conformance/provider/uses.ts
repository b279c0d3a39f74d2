import { createPublicKey, encapsulate, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { uuidFromBytes } from "#core/ids.ts";
import type { AlgorithmName } from "#core/algorithms.ts";
import { NO_CONTEXT } from "#core/context.ts";
import type { CallContext, Capabilities, CapabilityRow, Provider, ProviderOperation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { outsidePair, spkiOf } from "./material.ts";
import { call, required } from "./subject.ts";

/** What a use does with a key of the service. */
export type UseOperation = Exclude<ProviderOperation, "import" | "export">;

/** One way to use a key. */
export type Use = {
  readonly name: string;
  readonly operation: UseOperation;
  readonly algorithm: AlgorithmName;
  /** What an opening use is given; the peer's key of an agreement. */
  readonly bytes: Uint8Array;
};

const MESSAGE = randomBytes(48);
const WRAP_CONTEXT = {
  branch: uuidFromBytes(randomBytes(16)),
  branchVersion: 1,
  recipient: uuidFromBytes(randomBytes(16)),
  digest: randomBytes(32),
};
/** What makes the bytes that an operation opens. */
const MAKERS: Partial<Readonly<Record<UseOperation, UseOperation>>> = {
  decrypt: "encrypt",
  unwrap: "wrap",
  "verify-mac": "mac",
  verify: "sign",
  "unwrap-material": "wrap-material",
  decapsulate: "encapsulate",
};

/** Whether an operation protects; a key that is `process-only` does no such thing. */
export function isProtecting(operation: UseOperation): boolean {
  return ["encrypt", "wrap", "wrap-material", "mac", "sign", "encapsulate"].includes(operation);
}

/** Whether an operation gives the same each time. */
export function isRepeatable(operation: UseOperation): boolean {
  return !["encrypt", "wrap", "sign", "encapsulate"].includes(operation);
}

/** Every declared use of a key: one per row. What the opening ones are given has the right length, and opens under no key. */
export function usesOf({ rows, recipientAlgorithm }: Capabilities): Use[] {
  return rows.flatMap((row) => {
    const { operation, algorithm } = row;
    if (operation === "import" || operation === "export") return [];
    if ((operation === "wrap" || operation === "unwrap") && algorithm !== recipientAlgorithm) return [];
    return [{ name: `${operation} with ${algorithm}`, operation, algorithm, bytes: strangeBytes(row) }];
  });
}

function strangeBytes({ operation, algorithm, maxInputBytes }: CapabilityRow): Uint8Array {
  if (operation === "agree") return spkiOf(outsidePair(algorithm));
  const isOfOneLength = operation === "decapsulate" || (operation === "decrypt" && algorithm.startsWith("RSA-"));
  return isOfOneLength ? Buffer.concat([Buffer.alloc(1), randomBytes(maxInputBytes - 1)]) : MESSAGE;
}

/** The same use with bytes that the key made and opens. */
export async function withOwnBytes(use: Use, provider: Provider, ref: NativeRef): Promise<Use> {
  const maker = MAKERS[use.operation];
  if (maker === undefined) return use;
  const bytes =
    maker === "encapsulate" && provider.encapsulation?.encapsulate === undefined
      ? await encapsulatedOutside(provider, ref)
      : await RUNS[maker](provider, { use, ref, call: call() });
  return { ...use, bytes: Buffer.isBuffer(bytes) ? bytes : expect.fail(`${maker} gave no bytes`) };
}

/** For a service that leaves encapsulating to whoever has the public key. */
async function encapsulatedOutside({ publicKeys }: Provider, ref: NativeRef): Promise<Buffer> {
  const { value } = await required(publicKeys?.publicKey(ref, call()));
  return encapsulate(createPublicKey({ key: value, format: "der", type: "spki" })).ciphertext;
}

export async function runUse(use: Use, provider: Provider, { ref, call: context }: UseTarget): Promise<unknown> {
  return await RUNS[use.operation](provider, { use, ref, call: context });
}

type UseTarget = { readonly ref: NativeRef; readonly call: CallContext };
type Run = (provider: Provider, input: UseTarget & { readonly use: Use }) => Promise<Buffer | boolean>;

const RUNS: Readonly<Record<UseOperation, Run>> = {
  encrypt: async ({ cipher }, { use: { algorithm }, ref, call: context }) => {
    const input = { ref, algorithm, plaintext: MESSAGE, context: NO_CONTEXT };
    return (await (cipher ?? missing()).encrypt(input, context)).value;
  },
  decrypt: async ({ cipher }, { use: { algorithm, bytes }, ref, call: context }) => {
    const input = { ref, algorithm, ciphertext: bytes, context: NO_CONTEXT };
    return (await (cipher ?? missing()).decrypt(input, context)).value;
  },
  wrap: async ({ wrapper }, { ref, call: context }) =>
    (await wrapper.wrap({ ref, payload: MESSAGE, context: WRAP_CONTEXT }, context)).value,
  unwrap: async ({ wrapper }, { use, ref, call: context }) =>
    (await wrapper.unwrap({ ref, wrap: use.bytes, context: WRAP_CONTEXT }, context)).value,
  mac: async ({ mac }, { use: { algorithm }, ref, call: context }) =>
    (await (mac ?? missing()).mac({ ref, algorithm, message: MESSAGE }, context)).value,
  "verify-mac": async ({ mac }, { use: { algorithm, bytes }, ref, call: context }) =>
    (await (mac ?? missing()).verifyMac({ ref, algorithm, message: MESSAGE, mac: bytes }, context)).value,
  sign: async ({ signer }, { use: { algorithm }, ref, call: context }) =>
    (await (signer ?? missing()).sign({ ref, algorithm, signable: SIGNABLE }, context)).value,
  verify: async ({ signer }, { use: { algorithm, bytes }, ref, call: context }) => {
    const input = { ref, algorithm, signable: SIGNABLE, signature: bytes };
    return (await (signer ?? missing()).verify(input, context)).value;
  },
  "wrap-material": async ({ materialWrapper }, { use: { algorithm }, ref, call: context }) =>
    (await (materialWrapper ?? missing()).wrapMaterial({ ref, algorithm, material: MESSAGE }, context)).value,
  "unwrap-material": async ({ materialWrapper }, { use: { algorithm, bytes }, ref, call: context }) =>
    (await (materialWrapper ?? missing()).unwrapMaterial({ ref, algorithm, wrapped: bytes }, context)).value,
  agree: async ({ agreement }, { use: { algorithm, bytes }, ref, call: context }) =>
    (await (agreement ?? missing()).agree({ ref, algorithm, peerPublicKey: bytes }, context)).value,
  encapsulate: async ({ encapsulation }, { use: { algorithm }, ref, call: context }) =>
    (await required(encapsulation?.encapsulate?.({ ref, algorithm }, context))).value.ciphertext,
  decapsulate: async ({ encapsulation }, { use: { algorithm, bytes }, ref, call: context }) =>
    (await (encapsulation ?? missing()).decapsulate({ ref, algorithm, ciphertext: bytes }, context)).value,
};

const SIGNABLE = { kind: "message", bytes: MESSAGE } as const;

function missing(): never {
  return expect.fail("an ability is missing");
}

type Administration = {
  readonly name: string;
  readonly run: (provider: Provider, ref: NativeRef, call: CallContext) => Promise<unknown>;
};

/** Every way to ask about a key or to change it. */
export function administrationOf({ destructionDays, processOnly }: Capabilities): readonly Administration[] {
  const days = destructionDays?.min ?? 0;
  const restrict: Administration = {
    name: "restrict",
    run: async ({ keys }, ref, context) => await required(keys.restrict?.(ref, context)),
  };
  return [
    { name: "describe", run: async (provider, ref, context) => await provider.describe(ref, context) },
    { name: "enable", run: async ({ keys }, ref, context) => await keys.enable(ref, context) },
    ...(processOnly ? [restrict] : []),
    { name: "disable", run: async ({ keys }, ref, context) => await keys.disable(ref, context) },
    {
      name: "schedule destruction",
      run: async ({ keys }, ref, context) => await keys.scheduleDestruction(ref, days, context),
    },
    { name: "cancel destruction", run: async ({ keys }, ref, context) => await keys.cancelDestruction(ref, context) },
  ];
}
