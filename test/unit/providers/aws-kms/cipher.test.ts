import { describe, expect, it } from "vitest";
import type { Context } from "#core/context.ts";
import type { NativeRef } from "#core/records.ts";
import { type Adapter, call, faultOfRejected, openPair } from "./open.ts";

const ALGORITHM = "AES-256-OPAQUE";
const plaintext = Buffer.from("a card number");

const NAMES_OF_OBJECTS = new Map([
  ["__proto__", "p"],
  ["constructor", "c"],
  ["toString", "s"],
  ["", "empty"],
  ["ключ", "значение 🗝"],
]);

function map(pairs: Readonly<Record<string, string>>): Context {
  return { kind: "map", pairs: new Map(Object.entries(pairs)) };
}

async function createKey(provider: Adapter, marker = "m-1"): Promise<NativeRef> {
  const { ref } = await provider.keys.create({ algorithm: ALGORITHM, marker, description: "test" }, call());
  return ref;
}

describe("encrypt and decrypt", () => {
  it.for([
    { name: "no context", context: { kind: "none" } as Context },
    { name: "a map", context: map({ tenant: "t1", purpose: "card" }) },
    {
      name: "a map with names that mean something to JavaScript",
      context: { kind: "map", pairs: NAMES_OF_OBJECTS } as Context,
    },
  ])("round trip with $name", async ({ context }) => {
    const { provider } = await openPair();
    const ref = await createKey(provider);
    const sealed = await provider.cipher.encrypt({ ref, algorithm: ALGORITHM, plaintext, context }, call());
    const ciphertext = sealed.value;
    const opened = await provider.cipher.decrypt({ ref, algorithm: ALGORITHM, ciphertext, context }, call());
    expect(opened.value).toEqual(plaintext);
    expect(opened.value.buffer.byteLength).toBe(plaintext.length); // unpooled
    expect([sealed.requestId, opened.requestId]).toEqual([expect.any(String), expect.any(String)]);
  });

  it("the whole context reaches the service, __proto__ too", async () => {
    const { fake, provider } = await openPair();
    const ref = await createKey(provider);
    await provider.cipher.encrypt(
      { ref, algorithm: ALGORITHM, plaintext, context: { kind: "map", pairs: NAMES_OF_OBJECTS } },
      call(),
    );
    const sent = fake.calls.of("Encrypt")[0]?.input["EncryptionContext"] ?? {};
    expect(Object.entries(sent)).toEqual([...NAMES_OF_OBJECTS]);
  });

  it("decrypt names its key", async () => {
    const { fake, provider } = await openPair();
    const ref = await createKey(provider);
    const context: Context = { kind: "none" };
    const { value } = await provider.cipher.encrypt({ ref, algorithm: ALGORITHM, plaintext, context }, call());
    await provider.cipher.decrypt({ ref, algorithm: ALGORITHM, ciphertext: value, context }, call());
    expect(fake.calls.of("Decrypt").map(({ keyId }) => keyId)).toEqual([ref]);
  });
});

describe("what does not open is INVALID", () => {
  const context = map({ a: "1" });

  it("another context, another key, any changed byte, any length", async () => {
    const { provider } = await openPair();
    const ref = await createKey(provider);
    const other = await createKey(provider, "m-2");
    const { value: sealed } = await provider.cipher.encrypt({ ref, algorithm: ALGORITHM, plaintext, context }, call());
    const tries = [
      { ref, ciphertext: sealed, context: map({ a: "2" }) },
      { ref, ciphertext: sealed, context: map({}) },
      { ref, ciphertext: sealed, context: { kind: "none" } as Context },
      { ref: other, ciphertext: sealed, context },
      ...[...sealed.keys()].map((at) => ({ ref, ciphertext: flipped(sealed, at), context })),
      ...[0, 1, sealed.length - 1].map((length) => ({ ref, ciphertext: sealed.subarray(0, length), context })),
      { ref, ciphertext: Buffer.concat([sealed, Buffer.alloc(1)]), context },
      { ref, ciphertext: Buffer.alloc(6145), context },
    ];
    for (const input of tries) {
      const fault = await faultOfRejected(
        provider,
        provider.cipher.decrypt({ algorithm: ALGORITHM, ...input }, call()),
      );
      expect(fault).toMatchObject({ failure: "INVALID", detail: "the ciphertext does not open" });
    }
  });
});

describe("what no row of the capabilities allows is refused before the call", () => {
  const none: Context = { kind: "none" };
  const bytes: Context = { kind: "bytes", bytes: Buffer.from("x") };
  it.for([
    { name: "another algorithm", input: { algorithm: "AES-256-GCM", plaintext, context: none } },
    { name: "a context of bytes", input: { algorithm: ALGORITHM, plaintext, context: bytes } },
    { name: "4097 bytes", input: { algorithm: ALGORITHM, plaintext: Buffer.alloc(4097), context: none } },
    { name: "nothing to encrypt", input: { algorithm: ALGORITHM, plaintext: Buffer.alloc(0), context: none } },
  ] as const)("encrypt: $name", async ({ input }) => {
    const { fake, provider } = await openPair();
    const fault = await faultOfRejected(provider, provider.cipher.encrypt({ ref: "arn", ...input }, call()));
    expect(fault.failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });

  it.for([
    { name: "another algorithm", input: { algorithm: "AES-256-GCM", context: none } },
    { name: "a context of bytes", input: { algorithm: ALGORITHM, context: bytes } },
  ] as const)("decrypt: $name", async ({ input }) => {
    const { fake, provider } = await openPair();
    const ciphertext = Buffer.alloc(100);
    const fault = await faultOfRejected(
      provider,
      provider.cipher.decrypt({ ref: "arn", ciphertext, ...input }, call()),
    );
    expect(fault.failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });

  it("4096 bytes are encrypted", async () => {
    const { provider } = await openPair();
    const ref = await createKey(provider);
    const input = { ref, algorithm: ALGORITHM, plaintext: Buffer.alloc(4096, 7), context: none } as const;
    const { value: ciphertext } = await provider.cipher.encrypt(input, call());
    const opened = await provider.cipher.decrypt({ ...input, ciphertext }, call());
    expect(opened.value).toEqual(input.plaintext);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
