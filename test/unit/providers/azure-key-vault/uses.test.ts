import { createPublicKey, hash, randomBytes, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { NO_CONTEXT } from "#core/context.ts";
import { uuidFromBytes } from "#core/ids.ts";
import { openKeyVaultClient } from "#providers/azure-key-vault/client.ts";
import { parseRef } from "#providers/azure-key-vault/refs.ts";
import { call, faultOfRejected, makeKey, openPair } from "./stand.ts";

const MESSAGE = Buffer.from("something to protect");

function wrapContext() {
  const id = () => uuidFromBytes(randomBytes(16));
  return { branch: id(), branchVersion: 1, recipient: id(), digest: randomBytes(32) };
}

describe("every use of a key", () => {
  it("is asked of the service, one request each, and nothing is done here", async () => {
    const { fake, provider } = await openPair();
    const cipherKey = (await makeKey(provider, "RSA-2048-OAEP-SHA256")).ref;
    const pss = (await makeKey(provider, "RSA-2048-PSS-SHA256")).ref;
    const ec = (await makeKey(provider)).ref;
    const cipher = { ref: cipherKey, algorithm: "RSA-2048-OAEP-SHA256", context: NO_CONTEXT } as const;
    const signable = { kind: "message", bytes: MESSAGE } as const;
    fake.calls.clear();
    for (const time of [1, 2]) {
      const { value: ciphertext } = await provider.cipher.encrypt({ ...cipher, plaintext: MESSAGE }, call());
      expect((await provider.cipher.decrypt({ ...cipher, ciphertext }, call())).value.equals(MESSAGE)).toBe(true);
      const context = wrapContext();
      const { value: wrap } = await provider.wrapper.wrap({ ref: cipherKey, payload: MESSAGE, context }, call());
      const opened = await provider.wrapper.unwrap({ ref: cipherKey, wrap, context }, call());
      expect(opened.value.equals(MESSAGE)).toBe(true);
      for (const { ref, algorithm } of [
        { ref: pss, algorithm: "RSA-2048-PSS-SHA256" },
        { ref: ec, algorithm: "EC-P256-SHA256" },
      ] as const) {
        const { value: signature } = await provider.signer.sign({ ref, algorithm, signable }, call());
        const input = { ref, algorithm, signable, signature };
        expect((await provider.signer.verify(input, call())).value).toBe(true);
      }
      for (const operation of ["Encrypt", "Decrypt", "WrapKey", "UnwrapKey"])
        expect(fake.calls.count(operation)).toBe(time);
      for (const operation of ["Sign", "Verify"]) expect(fake.calls.count(operation)).toBe(2 * time);
      expect(fake.calls.count("GetKey")).toBe(0);
    }
  });

  it("carries the request id of the caller's, and gives the service's own", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    const signable = { kind: "message", bytes: MESSAGE } as const;
    const { requestId } = await provider.signer.sign({ ref, algorithm: "EC-P256-SHA256", signable }, call());
    expect(requestId).toBe(fake.calls.of("Sign").at(-1)?.requestId);
  });

  it("sends digests only, whatever the length of the message", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider, "EC-P384-SHA384");
    const bytes = randomBytes(100_000);
    const algorithm = "EC-P384-SHA384";
    const { value } = await provider.signer.sign({ ref, algorithm, signable: { kind: "message", bytes } }, call());
    expect(fake.calls.of("Sign").at(-1)?.input["value"]).toBe(hash("sha384", bytes, "buffer").toString("base64url"));
    const spki = (await provider.publicKeys.publicKey(ref, call())).value;
    expect(verify("sha384", bytes, createPublicKey({ key: spki, format: "der", type: "spki" }), value)).toBe(true);
  });

  it("is refused for a key of another vault, and for a reference without a version, before the call", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    fake.calls.clear();
    const strange = [
      ref.replace(/:\d+/u, ":1"),
      ref.replace("https://127.0.0.1", "https://v.vault.azure.net"),
      ref.slice(0, ref.lastIndexOf("/")),
      `${ref}?x=1`,
      `${ref}/../other`,
      "",
    ];
    for (const one of strange) {
      expect((await faultOfRejected(provider, provider.describe(one, call()))).failure).toBe("INTERNAL");
    }
    expect(fake.calls.count()).toBe(0);
  });
});

describe("wraps of a vault", () => {
  it("hold the digest of their context before the payload", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider, "RSA-3072-OAEP-SHA256");
    const context = wrapContext();
    await provider.wrapper.wrap({ ref, payload: MESSAGE, context }, call());
    const { input } = fake.calls.of("WrapKey").at(-1) ?? expect.fail();
    expect(input["alg"]).toBe("RSA-OAEP-256");
    expect(Buffer.from(String(input["value"]), "base64url")).toEqual(Buffer.concat([context.digest, MESSAGE]));
  });

  it("that open to other bytes than ours are INVALID", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider, "RSA-3072-OAEP-SHA256");
    const context = wrapContext();
    const { value: wrap } = await provider.wrapper.wrap({ ref, payload: MESSAGE, context }, call());
    fake.faults.add({ kind: "wrong-plaintext", operation: "UnwrapKey" });
    const fault = await faultOfRejected(provider, provider.wrapper.unwrap({ ref, wrap, context }, call()));
    expect(fault).toMatchObject({ failure: "INVALID", detail: "the bytes do not open" });
  });
});

describe("wraps of a managed hsm", () => {
  it("are by AES key wrap, and need payloads of whole blocks", async () => {
    const { fake, provider } = await openPair({ kind: "managed-hsm" });
    const { ref } = await makeKey(provider, "AES-KW");
    const context = wrapContext();
    const payload = randomBytes(72);
    const { value } = await provider.wrapper.wrap({ ref, payload, context }, call());
    expect([value.length, fake.calls.of("WrapKey").at(-1)?.input["alg"]]).toEqual([112, "A256KW"]);
    const odd = provider.wrapper.wrap({ ref, payload: randomBytes(71), context }, call());
    expect((await faultOfRejected(provider, odd)).detail).toMatch(/^unsupported: wrap of a length/u);
  });
});

describe("the client", () => {
  it("keeps a token that was revoked, and takes a new one once it is renewed", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    const { vaultUrl: url, ca } = fake;
    const client = openKeyVaultClient({ url, ca, openTokens: () => fake.credential });
    const read = async () => await client.getKey(parseRef(ref, url), call());
    await read();
    fake.revokeTokens();
    expect((await faultOfRejected(provider, read())).failure).toBe("CREDENTIALS");
    client.renew();
    expect((await read()).value.id).toBe(ref);
  });

  it("tells a token that is not to be had from an answer of the vault's, and sends nothing with it", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    const { vaultUrl: url, ca } = fake;
    const getToken = async () => {
      throw Object.assign(new Error("hush"), { name: "CredentialUnavailableError" });
    };
    const client = openKeyVaultClient({ url, ca, openTokens: () => ({ getToken }) });
    fake.calls.clear();
    const fault = await faultOfRejected(provider, client.updateKey(parseRef(ref, url), { enabled: false }, call()));
    expect(fault).toMatchObject({ failure: "CREDENTIALS", answered: false });
    expect(fault.detail).toMatch(/^no token is to be had: check the credentials/u);
    expect(fake.calls.count("Challenge")).toBe(fake.calls.count());
  });

  it("rejects at once when the signal fires, though the service says nothing", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    const leaving = new AbortController();
    fake.faults.add({ kind: "hang", operation: "GetKey" });
    const asked = provider.describe(ref, call(leaving.signal));
    leaving.abort(new Error("the caller left"));
    expect((await faultOfRejected(provider, asked)).failure).toBe("CANCELLED");
  });

  it("does nothing once it is closed", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    await provider[Symbol.asyncDispose]();
    fake.calls.clear();
    expect((await faultOfRejected(provider, provider.describe(ref, call()))).detail).toBe("the provider is closed");
    expect(fake.calls.count()).toBe(0);
  });

  it("says what is wrong with an endpoint that is away", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    await fake.stop();
    const fault = await faultOfRejected(provider, provider.describe(ref, call()));
    expect(fault.failure).toBe("OUTAGE");
    expect(fault.detail).toMatch(/^the service gave no answer: ECONN/u);
  });
});
