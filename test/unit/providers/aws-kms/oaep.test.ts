import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Context } from "#core/context.ts";
import { flipped, makeKey } from "./algorithms.ts";
import { call, faultOfRejected, openPair } from "./open.ts";

const none: Context = { kind: "none" };
const plaintext = Buffer.from("a card number");
const SHA256 = "RSA-2048-OAEP-SHA256";

describe("RSA-OAEP", () => {
  it.for([
    [SHA256, "RSAES_OAEP_SHA_256", 190],
    ["RSA-2048-OAEP-SHA1", "RSAES_OAEP_SHA_1", 214],
  ] as const)("%s: decrypt opens what encrypt made, up to its capacity", async ([algorithm, native, capacity]) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    for (const size of [1, capacity]) {
      const bytes = Buffer.alloc(size, 7);
      const input = { ref, algorithm, context: none };
      const { value: ciphertext } = await provider.cipher.encrypt({ ...input, plaintext: bytes }, call());
      expect(ciphertext).toHaveLength(256);
      const opened = await provider.cipher.decrypt({ ...input, ciphertext }, call());
      expect(opened.value).toEqual(bytes);
      expect(opened.value.buffer.byteLength).toBe(size);
    }
    const asked = [...fake.calls.of("Encrypt"), ...fake.calls.of("Decrypt")];
    expect(new Set(asked.map(({ keyId, input }) => `${keyId} ${String(input["EncryptionAlgorithm"])}`))).toEqual(
      new Set([`${ref} ${native}`]),
    );
  });

  it.for([
    [SHA256, "sha256"],
    ["RSA-2048-OAEP-SHA1", "sha1"],
  ] as const)("%s: what the public key encrypts elsewhere opens here", async ([algorithm, oaepHash]) => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const { value: spki } = await provider.publicKeys.publicKey(ref, call());
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    const ciphertext = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
    const opened = await provider.cipher.decrypt({ ref, algorithm, ciphertext, context: none }, call());
    expect(opened.value).toEqual(plaintext);
  });

  it.for([0, 1, 255, 257, 6145])("a ciphertext of %d bytes is INVALID, without a call", async (length) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm: SHA256, context: none, ciphertext: Buffer.alloc(length) } as const;
    const fault = await faultOfRejected(provider, provider.cipher.decrypt(input, call()));
    expect(fault).toEqual({ failure: "INVALID", detail: "the ciphertext does not open" });
    expect(fake.calls.count()).toBe(0);
  });

  it("a changed byte, another key and another hash are INVALID in the same words", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, SHA256);
    const other = await makeKey(provider, SHA256, "other");
    const input = { ref, algorithm: SHA256, context: none } as const;
    const { value: ciphertext } = await provider.cipher.encrypt({ ...input, plaintext }, call());
    const tries = [
      { ...input, ciphertext: flipped(ciphertext, 0) },
      { ...input, ciphertext: flipped(ciphertext, 255) },
      { ...input, ref: other, ciphertext },
      { ...input, algorithm: "RSA-2048-OAEP-SHA1", ciphertext } as const,
    ];
    for (const attempt of tries) {
      const fault = await faultOfRejected(provider, provider.cipher.decrypt(attempt, call()));
      expect(fault).toMatchObject({ failure: "INVALID", detail: "the ciphertext does not open" });
    }
  });

  it.for([
    { name: "a map", context: { kind: "map", pairs: new Map([["a", "1"]]) } },
    { name: "bytes", context: { kind: "bytes", bytes: Buffer.from("x") } },
  ] as const)("a context of $name is refused before the call", async ({ context }) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm: SHA256, context } as const;
    for (const asking of [
      provider.cipher.encrypt({ ...input, plaintext }, call()),
      provider.cipher.decrypt({ ...input, ciphertext: Buffer.alloc(256) }, call()),
    ]) {
      const { failure, detail } = await faultOfRejected(provider, asking);
      expect({ failure, detail }).toEqual({ failure: "INTERNAL", detail: expect.stringMatching(/^unsupported: /u) });
    }
    expect(fake.calls.count()).toBe(0);
  });

  it("an empty map is no context", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, SHA256);
    const context: Context = { kind: "map", pairs: new Map() };
    await provider.cipher.encrypt({ ref, algorithm: SHA256, plaintext, context }, call());
    expect(fake.calls.of("Encrypt")[0]?.input).not.toHaveProperty("EncryptionContext");
  });

  it.for([
    ["RSA-2048-OAEP-SHA256", 191],
    ["RSA-3072-OAEP-SHA256", 319],
    ["RSA-4096-OAEP-SHA1", 471],
  ] as const)("%s refuses %d bytes before the call", async ([algorithm, size]) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm, plaintext: Buffer.alloc(size), context: none };
    expect((await faultOfRejected(provider, provider.cipher.encrypt(input, call()))).failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });
});
