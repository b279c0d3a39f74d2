import { createPublicKey, encapsulate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { algorithmsWith, flipped, makeKey } from "./algorithms.ts";
import { call, faultOfRejected, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const CIPHERTEXT_BYTES: Readonly<Record<string, number>> = {
  "ML-KEM-512": 768,
  "ML-KEM-768": 1088,
  "ML-KEM-1024": 1568,
};

describe("encapsulate and decapsulate", () => {
  it.for(algorithmsWith("encapsulate"))("%s: both sides have the secret, in a buffer of its own", async (algorithm) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const { value, requestId } = await provider.encapsulation.encapsulate({ ref, algorithm }, call());
    const { ciphertext, sharedSecret } = value;
    expect(ciphertext).toHaveLength(CIPHERTEXT_BYTES[algorithm] ?? 0);
    const opened = await provider.encapsulation.decapsulate({ ref, algorithm, ciphertext }, call());
    expect(opened.value).toEqual(sharedSecret);
    for (const secret of [sharedSecret, opened.value]) expect(secret.buffer.byteLength).toBe(32);
    expect(fake.calls.of("Encapsulate")).toMatchObject([{ keyId: ref, requestId }]);
    expect(fake.calls.of("Decapsulate")).toMatchObject([{ keyId: ref, requestId: opened.requestId }]);
  });

  it("what the public key encapsulates elsewhere opens here", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ML-KEM-768");
    const { value: spki } = await provider.publicKeys.publicKey(ref, call());
    const { sharedKey, ciphertext } = encapsulate(createPublicKey({ key: spki, format: "der", type: "spki" }));
    const opened = await provider.encapsulation.decapsulate({ ref, algorithm: "ML-KEM-768", ciphertext }, call());
    expect(opened.value).toEqual(sharedKey);
  });

  it("a changed ciphertext gives another secret (implicit rejection)", async () => {
    const { provider } = await openPair();
    const input = { ref: await makeKey(provider, "ML-KEM-512"), algorithm: "ML-KEM-512" } as const;
    const { ciphertext, sharedSecret } = (await provider.encapsulation.encapsulate(input, call())).value;
    const changed = { ...input, ciphertext: flipped(ciphertext) };
    const opened = await provider.encapsulation.decapsulate(changed, call());
    expect(opened.value).toHaveLength(32);
    expect(opened.value).not.toEqual(sharedSecret);
  });

  it.for([0, 1, 1087, 1089, 6145])("a ciphertext of %d bytes is INVALID, without a call", async (length) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm: "ML-KEM-768", ciphertext: Buffer.alloc(length) } as const;
    const opening = provider.encapsulation.decapsulate(input, call());
    expect(await faultOfRejected(provider, opening)).toEqual({
      failure: "INVALID",
      detail: "the ciphertext does not open",
    });
    expect(fake.calls.count()).toBe(0);
  });

  it("a ciphertext for a key of another size is INVALID", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ML-KEM-1024");
    const input = { ref, algorithm: "ML-KEM-768", ciphertext: Buffer.alloc(1088) } as const;
    const opening = provider.encapsulation.decapsulate(input, call());
    expect((await faultOfRejected(provider, opening)).failure).toBe("INVALID");
  });

  it.for(["X-WING", "AES-256-OPAQUE"] as const)("%s is refused before the call", async (algorithm) => {
    const { fake, provider } = await openPair();
    const { encapsulation } = provider;
    for (const asking of [
      encapsulation.encapsulate({ ref: "arn", algorithm }, call()),
      encapsulation.decapsulate({ ref: "arn", algorithm, ciphertext: Buffer.alloc(1088) }, call()),
    ]) {
      expect((await faultOfRejected(provider, asking)).detail).toMatch(/^unsupported: /u);
    }
    expect(fake.calls.count()).toBe(0);
  });

  it.for(["{}", `{"SharedSecret":"AAAA"}`, `{"SharedSecretCiphertextBlob":"AAAA"}`])(
    "half an answer is an outage: %s",
    async (body) => {
      const provider = await openProvider({ endpoint: await serve(() => ({ body })) });
      const asking = provider.encapsulation.encapsulate({ ref: "arn", algorithm: "ML-KEM-768" }, call());
      expect((await faultOfRejected(provider, asking)).failure).toBe("OUTAGE");
    },
  );

  it("a disabled key is STATE", async () => {
    const { provider } = await openPair();
    const input = { ref: await makeKey(provider, "ML-KEM-768"), algorithm: "ML-KEM-768" } as const;
    await provider.keys.disable(input.ref, call());
    const ciphertext = Buffer.alloc(1088);
    for (const asking of [
      provider.encapsulation.encapsulate(input, call()),
      provider.encapsulation.decapsulate({ ...input, ciphertext }, call()),
    ]) {
      expect((await faultOfRejected(provider, asking)).failure).toBe("STATE");
    }
  });
});
