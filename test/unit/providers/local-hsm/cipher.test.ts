import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { call, expectOwned, expectUnsupported, faultOf } from "../../../conformance/provider/subject.ts";
import { keptHsm } from "./kept.ts";

const { provider, keyOf, publicKeyOf } = await keptHsm();
const plaintext = Buffer.from("attack at dawn");

describe("RSA-OAEP", () => {
  const capacities = {
    "RSA-2048-OAEP-SHA1": 214,
    "RSA-3072-OAEP-SHA1": 342,
    "RSA-4096-OAEP-SHA1": 470,
    "RSA-2048-OAEP-SHA256": 190,
    "RSA-3072-OAEP-SHA256": 318,
    "RSA-4096-OAEP-SHA256": 446,
    "RSA-4096-OAEP-SHA512": 382,
  } as const;

  it.each(Object.entries(capacities))("%s takes %i bytes and no more", async (name, capacity) => {
    const algorithm = name as AlgorithmName;
    const input = { ref: await keyOf(algorithm), algorithm, context: NO_CONTEXT };
    for (const length of [0, 1, capacity]) {
      const bytes = Buffer.alloc(length, 7);
      const { value: ciphertext } = await provider.cipher.encrypt({ ...input, plaintext: bytes }, call());
      const { value } = await provider.cipher.decrypt({ ...input, ciphertext }, call());
      expect(value.equals(bytes)).toBe(true);
      expectOwned(value);
    }
    const tooMuch = { ...input, plaintext: Buffer.alloc(capacity + 1) };
    await expectUnsupported(provider, async () => await provider.cipher.encrypt(tooMuch, call()));
  });

  it("opens what others made with the public key, and nothing that was changed", async () => {
    const algorithm = "RSA-2048-OAEP-SHA256";
    const ref = await keyOf(algorithm);
    const key = createPublicKey({ key: await publicKeyOf(ref), format: "der", type: "spki" });
    const oaep = (oaepHash: string) =>
      publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
    const ciphertext = oaep(algorithmTraits(algorithm).hash ?? "");
    const open = async (bytes: Buffer) =>
      await provider.cipher.decrypt({ ref, algorithm, ciphertext: bytes, context: NO_CONTEXT }, call());
    expect((await open(ciphertext)).value.equals(plaintext)).toBe(true);
    const flipped = Buffer.from(ciphertext);
    flipped.writeUInt8(flipped.readUInt8(100) ^ 1, 100);
    const others = [
      oaep("sha1"),
      flipped,
      Buffer.alloc(0),
      ciphertext.subarray(1),
      Buffer.alloc(256, 0xff),
      Buffer.alloc(257),
    ];
    const faults = await Promise.all(
      others.map(async (bytes) => await faultOf(provider, async () => await open(bytes))),
    );
    const [first] = faults;
    expect(first?.failure).toBe("INVALID");
    for (const fault of faults) expect(fault).toEqual(first);
  });

  it("refuses a context before the call", async () => {
    const algorithm = "RSA-2048-OAEP-SHA1";
    const ref = await keyOf(algorithm);
    const contexts: Context[] = [
      { kind: "map", pairs: new Map([["a", "1"]]) },
      { kind: "bytes", bytes: Buffer.alloc(1) },
    ];
    for (const context of contexts) {
      const encrypt = async () => await provider.cipher.encrypt({ ref, algorithm, plaintext, context }, call());
      const decrypt = async () =>
        await provider.cipher.decrypt({ ref, algorithm, ciphertext: Buffer.alloc(256), context }, call());
      for (const attempt of [encrypt, decrypt]) await expectUnsupported(provider, attempt);
    }
  });

  it("is made for a key without a stop of the event loop", async () => {
    const spec = { algorithm: "RSA-2048-OAEP-SHA256", marker: "aside", description: "" } as const;
    const made = new AbortController();
    const creating = provider.keys.create(spec, call()).finally(() => {
      made.abort();
    });
    let turns = 0;
    for (; !made.signal.aborted; turns++) await new Promise(setImmediate);
    expect(turns).toBeGreaterThan(10);
    expect((await provider.keys.create(spec, call())).ref).toBe((await creating).ref);
  });
});

describe("raw AES-GCM", () => {
  it.each(["AES-128-GCM", "AES-192-GCM", "AES-256-GCM"] as const)(
    "%s opens its own, with its context",
    async (algorithm) => {
      const ref = await keyOf(algorithm);
      const context: Context = { kind: "bytes", bytes: Buffer.from("context") };
      const { value: ciphertext } = await provider.cipher.encrypt({ ref, algorithm, plaintext, context }, call());
      const { value } = await provider.cipher.decrypt({ ref, algorithm, ciphertext, context }, call());
      expect(value.equals(plaintext)).toBe(true);
      const without = async () =>
        await provider.cipher.decrypt({ ref, algorithm, ciphertext, context: NO_CONTEXT }, call());
      expect((await faultOf(provider, without)).failure).toBe("INVALID");
    },
  );

  it.each(["AES-128-GCM", "AES-192-GCM"] as const)("%s is counted", async (algorithm) => {
    const ref = await keyOf(algorithm, "counted");
    const before = await provider.describe(ref, call());
    await provider.cipher.encrypt({ ref, algorithm, plaintext, context: NO_CONTEXT }, call());
    await provider.keys.disable(ref, call());
    const again = async () => await provider.cipher.encrypt({ ref, algorithm, plaintext, context: NO_CONTEXT }, call());
    expect(before.observed).toBe("enabled");
    expect((await faultOf(provider, again)).nativeCode).toBe("KeyDisabled");
  });

  it("has rows for all lengths of keys", () => {
    const names = LOCAL_CAPABILITIES.rows
      .filter(({ operation }) => operation === "encrypt")
      .map((row) => row.algorithm);
    expect(names).toEqual(expect.arrayContaining(["AES-128-GCM", "AES-192-GCM", "AES-256-GCM", "AES-256-OPAQUE"]));
    expect(names).toHaveLength(11);
  });
});
