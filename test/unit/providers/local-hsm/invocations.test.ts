import { describe, expect, it } from "vitest";
import { NO_CONTEXT } from "#core/context.ts";
import { parseUuid, type Uuid } from "#core/ids.ts";
import { InvocationCounter } from "#providers/local-hsm/invocations.ts";
import { ObjectStore } from "#providers/local-hsm/objects.ts";
import { Session } from "#providers/local-hsm/session.ts";
import { call } from "../../../conformance/provider/subject.ts";
import { filesOf, type Local, newKey, openLocal } from "./local.ts";

/** The store under an open provider, as a second process has it. */
async function storeOf({ folder, sources }: Local): Promise<ObjectStore> {
  const seal = { kind: "file", path: `${folder}/master.key` } as const;
  return new ObjectStore(await Session.open({ folder, seal, sources }), sources);
}

const INVOCATION_BLOCK = 65_536;
const MAX_INVOCATIONS = 2_147_483_648;

async function countedKey(): Promise<{ local: Local; store: ObjectStore; id: Uuid }> {
  const local = await openLocal();
  const id = parseUuid(await newKey(local, "AES-256-GCM"));
  return { local, store: await storeOf(local), id };
}

const invocations = async (store: ObjectStore, id: Uuid): Promise<number> =>
  await store.use(id, ({ meta }) => meta.invocations);

describe("encryptions with a raw GCM key", () => {
  it("are set aside in blocks, before the first is made", async () => {
    const { local, store, id } = await countedKey();
    const encrypt = async () =>
      await local.provider.cipher?.encrypt(
        { ref: id, algorithm: "AES-256-GCM", plaintext: Buffer.from("x"), context: NO_CONTEXT },
        call(),
      );
    await Promise.all(Array.from({ length: 20 }, encrypt));
    expect(await invocations(store, id)).toBe(INVOCATION_BLOCK);
    expect(filesOf(local, id)).toEqual(["2.json"]);
  });

  it("take a new block when one is used up", async () => {
    const { store, id } = await countedKey();
    const counter = new InvocationCounter(store);
    for (let taken = 0; taken < INVOCATION_BLOCK; taken++) await counter.take(id, "AES-256-GCM");
    expect(await invocations(store, id)).toBe(INVOCATION_BLOCK);
    await counter.take(id, "AES-256-GCM");
    expect(await invocations(store, id)).toBe(2 * INVOCATION_BLOCK);
  });

  it("never share a block between processes", async () => {
    const { local, id } = await countedKey();
    const stores = await Promise.all([storeOf(local), storeOf(local), storeOf(local)]);
    await Promise.all(
      stores.map(async (store) => {
        await new InvocationCounter(store).take(id, "AES-256-GCM");
      }),
    );
    const [store] = stores;
    expect(await invocations(store, id)).toBeGreaterThanOrEqual(3 * INVOCATION_BLOCK);
  });

  it("end at 2^31, for each process", async () => {
    const { local, store, id } = await countedKey();
    await store.update(id, (meta) => ({ ...meta, invocations: MAX_INVOCATIONS - INVOCATION_BLOCK }));
    const counter = new InvocationCounter(store);
    await counter.take(id, "AES-256-GCM");
    expect(await invocations(store, id)).toBe(MAX_INVOCATIONS);
    const input = { ref: id, algorithm: "AES-256-GCM", plaintext: Buffer.from("x"), context: NO_CONTEXT } as const;
    const error: unknown = await local.provider.cipher?.encrypt(input, call()).catch((caught: unknown) => caught);
    expect(local.provider.classify(error)).toMatchObject({
      failure: "EXHAUSTED",
      nativeCode: "InvocationBoundReached",
    });
  });

  it("still open when no more can be made", async () => {
    const { local, store, id } = await countedKey();
    const { cipher = expect.fail("no cipher") } = local.provider;
    const input = { ref: id, algorithm: "AES-256-GCM", context: NO_CONTEXT } as const;
    const { value } = await cipher.encrypt({ ...input, plaintext: Buffer.from("x") }, call());
    await store.update(id, (meta) => ({ ...meta, invocations: MAX_INVOCATIONS }));
    expect((await cipher.decrypt({ ...input, ciphertext: value }, call())).value.toString()).toBe("x");
  });
});
