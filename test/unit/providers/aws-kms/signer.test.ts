import { constants, createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { Signable } from "#core/provider.ts";
import { nativeOf } from "#providers/aws-kms/specs.ts";
import { algorithmsWith, flipped, makeKey } from "./algorithms.ts";
import { call, faultOfRejected, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const message = Buffer.from("pay 100 to Alice");
const whole: Signable = { kind: "message", bytes: message };

/** Algorithms of which the tests make keys; the long RSA keys take seconds to generate, and differ by their row alone. */
const TRIED = algorithmsWith("sign").filter((name) => !/^RSA-[34]/u.test(name));

/** What an independent verifier says: the signature is over the message, in the contract's encoding. */
function fits(algorithm: AlgorithmName, key: KeyObject, signature: Buffer): boolean {
  const { hash = null } = algorithmTraits(algorithm);
  if (!algorithm.includes("-PSS-")) return verify(hash, message, key, signature);
  const salted = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hash, message, salted, signature);
}

describe("sign and verify", () => {
  it.for(TRIED)("%s: a signature of a message fits its public key, and no other message", async (algorithm) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const { value: spki } = await provider.publicKeys.publicKey(ref, call());
    const { value: signature, requestId } = await provider.signer.sign({ ref, algorithm, signable: whole }, call());
    expect(requestId).toBe(fake.calls.of("Sign")[0]?.requestId);
    expect(fits(algorithm, createPublicKey({ key: spki, format: "der", type: "spki" }), signature)).toBe(true);
    const input = { ref, algorithm, signable: whole, signature };
    const verdict = async (change: object) => (await provider.signer.verify({ ...input, ...change }, call())).value;
    expect(await verdict({})).toBe(true);
    expect(await verdict({ signable: { kind: "message", bytes: flipped(message) } })).toBe(false);
    for (const at of [0, signature.length - 1])
      expect(await verdict({ signature: flipped(signature, at) })).toBe(false);
    expect(await verdict({ signature: signature.subarray(0, -1) })).toBe(false);
    expect(fake.calls.of("Sign")[0]?.input).toEqual({
      KeyId: ref,
      Message: message.toString("base64"),
      MessageType: "RAW",
      SigningAlgorithm: nativeOf(algorithm, "SIGN_VERIFY"),
    });
  });

  const hashed = TRIED.filter((name) => algorithmTraits(name).hash !== undefined);

  it.for(hashed)("%s: a signature of a digest is one of its message", async (algorithm) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const { hash = "" } = algorithmTraits(algorithm);
    const digest: Signable = { kind: "digest", bytes: createHash(hash).update(message).digest() };
    const { value: signature } = await provider.signer.sign({ ref, algorithm, signable: digest }, call());
    for (const signable of [whole, digest]) {
      expect((await provider.signer.verify({ ref, algorithm, signable, signature }, call())).value).toBe(true);
    }
    expect(fake.calls.of("Sign")[0]?.input["MessageType"]).toBe("DIGEST");
    expect(fake.calls.of("Verify").map(({ input }) => input["MessageType"])).toEqual(["RAW", "DIGEST"]);
  });

  it("4096 bytes are signed", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ED25519");
    const signable: Signable = { kind: "message", bytes: Buffer.alloc(4096, 7) };
    const { value: signature } = await provider.signer.sign({ ref, algorithm: "ED25519", signable }, call());
    const verdict = await provider.signer.verify({ ref, algorithm: "ED25519", signable, signature }, call());
    expect(verdict.value).toBe(true);
  });

  it("a signature of no bytes, or of more than the service reads, is false without a call", async () => {
    const { fake, provider } = await openPair();
    for (const signature of [Buffer.alloc(0), Buffer.alloc(6145)]) {
      const input = { ref: "arn", algorithm: "ED25519", signable: whole, signature } as const;
      expect(await provider.signer.verify(input, call())).toEqual({ value: false, requestId: null });
    }
    expect(fake.calls.count()).toBe(0);
  });

  it("false has the request id of the refusal", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, "ED25519");
    const input = { ref, algorithm: "ED25519", signable: whole, signature: Buffer.alloc(64) } as const;
    const verdict = await provider.signer.verify(input, call());
    expect(verdict).toEqual({ value: false, requestId: fake.calls.of("Verify")[0]?.requestId });
  });

  it.for([
    ["says false, as emulators do", `{"SignatureValid":false}`, false],
    ["says true", `{"SignatureValid":true}`, true],
  ] as const)("a 200 that %s is that", async ([, body, value]) => {
    const provider = await openProvider({ endpoint: await serve(() => ({ body })) });
    const input = { ref: "arn", algorithm: "ED25519", signable: whole, signature: Buffer.alloc(64) } as const;
    expect(await provider.signer.verify(input, call())).toMatchObject({ value });
  });

  it("an answer without a signature or a verdict is an outage", async () => {
    const provider = await openProvider({ endpoint: await serve(() => ({ body: "{}" })) });
    const input = { ref: "arn", algorithm: "ED25519", signable: whole } as const;
    expect((await faultOfRejected(provider, provider.signer.sign(input, call()))).failure).toBe("OUTAGE");
    const verifying = provider.signer.verify({ ...input, signature: Buffer.alloc(64) }, call());
    expect((await faultOfRejected(provider, verifying)).failure).toBe("OUTAGE");
  });

  it("a key that is disabled or of another kind is no verdict", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ED25519");
    const aes = await makeKey(provider, "AES-256-OPAQUE");
    const input = { algorithm: "ED25519", signable: whole, signature: Buffer.alloc(64) } as const;
    const other = provider.signer.verify({ ...input, ref: aes }, call());
    expect((await faultOfRejected(provider, other)).failure).toBe("INTERNAL");
    await provider.keys.disable(ref, call());
    expect((await faultOfRejected(provider, provider.signer.verify({ ...input, ref }, call()))).failure).toBe("STATE");
  });
});

describe("what no row allows is refused before the call", () => {
  const digest = (bytes: number): Signable => ({ kind: "digest", bytes: Buffer.alloc(bytes, 1) });
  it.for([
    { name: "another algorithm", algorithm: "SLH-DSA-SHA2-128s", signable: whole },
    { name: "an algorithm that encrypts", algorithm: "AES-256-OPAQUE", signable: whole },
    { name: "4097 bytes", algorithm: "RSA-2048-PSS-SHA256", signable: { kind: "message", bytes: Buffer.alloc(4097) } },
    { name: "nothing", algorithm: "RSA-2048-PSS-SHA256", signable: { kind: "message", bytes: Buffer.alloc(0) } },
    { name: "a digest for Ed25519", algorithm: "ED25519", signable: digest(64) },
    { name: "a digest for ML-DSA", algorithm: "ML-DSA-65", signable: digest(64) },
    { name: "a digest of another hash", algorithm: "EC-P384-SHA384", signable: digest(32) },
  ] as const)("$name", async ({ algorithm, signable }) => {
    const { fake, provider } = await openPair();
    const input = { ref: "arn", algorithm, signable };
    for (const asking of [
      provider.signer.sign(input, call()),
      provider.signer.verify({ ...input, signature: Buffer.alloc(64) }, call()),
    ]) {
      const { failure, detail } = await faultOfRejected(provider, asking);
      expect({ failure, detail }).toEqual({ failure: "INTERNAL", detail: expect.stringMatching(/^unsupported: /u) });
    }
    expect(fake.calls.count()).toBe(0);
  });
});

describe("public keys", () => {
  it("of an AES key there is none", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "AES-256-OPAQUE");
    expect((await faultOfRejected(provider, provider.publicKeys.publicKey(ref, call()))).failure).toBe("INTERNAL");
  });

  it("are asked for by the key's ref", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, "ML-KEM-768");
    const { requestId } = await provider.publicKeys.publicKey(ref, call());
    expect(fake.calls.of("GetPublicKey")).toMatchObject([{ keyId: ref, requestId }]);
  });
});
