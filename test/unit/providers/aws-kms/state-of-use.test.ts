import { describe, expect, it } from "vitest";
import { NO_CONTEXT } from "#core/context.ts";
import type { Uuid } from "#core/ids.ts";
import type { NativeRef } from "#core/records.ts";
import { type Adapter, call, faultOfRejected, openPair } from "./open.ts";

const algorithm = "AES-256-OPAQUE";
const plaintext = Buffer.alloc(72, 1);
const uuid = "0198c6f0-0000-7000-8000-000000000001" as Uuid;
const wrapContext = { branch: uuid, branchVersion: 1, recipient: uuid, digest: Buffer.alloc(32) };

/** Every use of a key, with bytes that open under it. */
async function usesOf({ cipher, wrapper }: Adapter, ref: NativeRef): Promise<Record<string, () => Promise<unknown>>> {
  const input = { ref, algorithm, context: NO_CONTEXT } as const;
  const wrapping = { ref, context: wrapContext };
  const { value: ciphertext } = await cipher.encrypt({ ...input, plaintext }, call());
  const { value: wrap } = await wrapper.wrap({ ...wrapping, payload: plaintext }, call());
  return {
    encrypt: async () => await cipher.encrypt({ ...input, plaintext }, call()),
    decrypt: async () => await cipher.decrypt({ ...input, ciphertext }, call()),
    wrap: async () => await wrapper.wrap({ ...wrapping, payload: plaintext }, call()),
    unwrap: async () => await wrapper.unwrap({ ...wrapping, wrap }, call()),
  };
}

describe.for([
  { state: "disabled", leave: async ({ keys }: Adapter, ref: NativeRef) => await keys.disable(ref, call()) },
  {
    state: "pending its deletion",
    leave: async ({ keys }: Adapter, ref: NativeRef) => await keys.scheduleDestruction(ref, 7, call()),
  },
])("a key that is $state", ({ leave }) => {
  it.for(["encrypt", "decrypt", "wrap", "unwrap"])("refuses %s as STATE", async (use) => {
    const { provider } = await openPair();
    const { ref } = await provider.keys.create({ algorithm, marker: "m-1", description: "" }, call());
    const uses = await usesOf(provider, ref);
    await uses[use]?.();
    await leave(provider, ref);
    expect((await faultOfRejected(provider, uses[use]?.() ?? Promise.resolve())).failure).toBe("STATE");
  });
});
