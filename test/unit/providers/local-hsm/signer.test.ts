import { constants, createPublicKey, hash, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { call, expectUnsupported, faultOf } from "../../../conformance/provider/subject.ts";
import { keptHsm, rsaKey } from "./kept.ts";

const { provider, keyOf, publicKeyOf, restart } = await keptHsm();
const message = Buffer.from("attack at dawn");
const signRows = LOCAL_CAPABILITIES.rows.filter(({ operation }) => operation === "sign");
const ALGORITHMS = signRows.map(({ algorithm }) => algorithm);
const DIGESTS = signRows.flatMap(({ algorithm, digests }) => (digests === true ? [algorithm] : []));

const messageOf = (bytes: Uint8Array) => ({ kind: "message", bytes }) as const;
const digestOf = (algorithm: AlgorithmName) =>
  ({ kind: "digest", bytes: hash(algorithmTraits(algorithm).hash ?? "", message, "buffer") }) as const;

async function signed(algorithm: AlgorithmName, signable: Parameters<typeof provider.signer.sign>[0]["signable"]) {
  const ref = await keyOf(algorithm);
  return {
    ref,
    algorithm,
    signable,
    signature: (await provider.signer.sign({ ref, algorithm, signable }, call())).value,
  };
}

/** As somebody with the public key verifies. */
async function fits(ref: string, algorithm: AlgorithmName, signature: Uint8Array): Promise<boolean> {
  const key = createPublicKey({ key: await publicKeyOf(ref), format: "der", type: "spki" });
  const padding = algorithm.includes("-PSS-") ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const options = algorithm.startsWith("RSA-") ? { padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(algorithmTraits(algorithm).hash ?? null, message, { key, ...options }, signature);
}

describe("signatures of messages", () => {
  it("are offered for 27 algorithms, and for digests with PKCS #1 v1.5 and ECDSA", () => {
    expect(ALGORITHMS).toHaveLength(27);
    expect(DIGESTS).toHaveLength(13);
    expect(DIGESTS.every((name) => /^EC-|-PKCS1-/u.test(name))).toBe(true);
  });

  it.each(ALGORITHMS)("with %s verify under the public key, and under nothing else", async (algorithm) => {
    const made = await signed(algorithm, messageOf(message));
    expect(await fits(made.ref, algorithm, made.signature)).toBe(true);
    const verdict = async (change: object) => (await provider.signer.verify({ ...made, ...change }, call())).value;
    expect(await verdict({})).toBe(true);
    expect(await verdict({ signable: messageOf(Buffer.from("attack at dusk")) })).toBe(false);
    const { signature } = made;
    const flipped = Buffer.from(signature);
    flipped.writeUInt8(flipped.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
    const malformed = [flipped, Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, Buffer.alloc(1)])];
    for (const other of [...malformed, Buffer.alloc(signature.length)]) {
      expect(await verdict({ signature: other })).toBe(false);
    }
  });

  it("do not verify under another key of the algorithm", async () => {
    const made = await signed("EC-P256-SHA256", messageOf(message));
    const ref = await keyOf("EC-P256-SHA256", "other");
    expect((await provider.signer.verify({ ...made, ref }, call())).value).toBe(false);
  });

  it.each(["EC-P256-SHA256", "EC-P521-SHA512"] as const)(
    "with %s are DER, and r and s side by side are none",
    async (algorithm) => {
      const made = await signed(algorithm, messageOf(message));
      expect(made.signature[0]).toBe(0x30);
      const bytes = algorithm === "EC-P256-SHA256" ? 64 : 132;
      const verdict = await provider.signer.verify({ ...made, signature: Buffer.alloc(bytes, 1) }, call());
      expect(verdict.value).toBe(false);
    },
  );

  it("with PSS have a salt as long as the digest: another length does not verify", async () => {
    const algorithm = "RSA-2048-PSS-SHA256";
    const ref = await keyOf(algorithm);
    const input = { ref, algorithm, signable: messageOf(message) } as const;
    const verdicts = [32, 20, 0].map(async (saltLength) => {
      const key = { key: rsaKey(2048), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
      return (await provider.signer.verify({ ...input, signature: sign("sha256", message, key) }, call())).value;
    });
    expect(await Promise.all(verdicts)).toEqual([true, false, false]);
  });

  it("take 524,288 bytes and no more", async () => {
    const made = await signed("ED25519", messageOf(Buffer.alloc(524_288)));
    expect((await provider.signer.verify(made, call())).value).toBe(true);
    await expectUnsupported(provider, async () => await signed("ED25519", messageOf(Buffer.alloc(524_289))));
  });
});

describe("signatures of digests", () => {
  it.each(DIGESTS)("with %s are those of the message under verification, both ways", async (algorithm) => {
    const made = await signed(algorithm, digestOf(algorithm));
    expect(await fits(made.ref, algorithm, made.signature)).toBe(true);
    const { value } = await provider.signer.verify({ ...made, signable: messageOf(message) }, call());
    expect(value).toBe(true);
    const ofMessage = await signed(algorithm, messageOf(message));
    const input = { ...ofMessage, signable: digestOf(algorithm) };
    const verdict = async (signature: Buffer) => (await provider.signer.verify({ ...input, signature }, call())).value;
    const { signature } = ofMessage;
    expect(await verdict(signature)).toBe(true);
    const flipped = Buffer.from(signature);
    flipped.writeUInt8(flipped.readUInt8(8) ^ 1, 8);
    for (const other of [
      flipped,
      Buffer.alloc(0),
      signature.subarray(1),
      Buffer.concat([signature, Buffer.alloc(1)]),
    ]) {
      expect(await verdict(other)).toBe(false);
    }
  });

  it("of another length than the hash's are refused", async () => {
    for (const length of [0, 20, 31, 33, 48]) {
      const signable = { kind: "digest", bytes: Buffer.alloc(length) } as const;
      await expectUnsupported(provider, async () => await signed("EC-P256-SHA256", signable));
      await expectUnsupported(provider, async () => await signed("RSA-2048-PKCS1-SHA256", signable));
    }
  });

  it.each(["RSA-2048-PSS-SHA256", "ED25519", "ML-DSA-44", "SLH-DSA-SHA2-128s"] as const)(
    "with %s are refused",
    async (algorithm) => {
      const signable = { kind: "digest", bytes: Buffer.alloc(32) } as const;
      await expectUnsupported(provider, async () => await signed(algorithm, signable));
      const ref = await keyOf(algorithm);
      const input = { ref, algorithm, signable, signature: Buffer.alloc(64) };
      await expectUnsupported(provider, async () => await provider.signer.verify(input, call()));
    },
  );

  it("are not made with one nonce twice, and leave s as it falls", async () => {
    const all = await Promise.all(
      Array.from({ length: 24 }, async () => await signed("EC-SECP256K1-SHA256", digestOf("EC-SECP256K1-SHA256"))),
    );
    expect(new Set(all.map(({ signature }) => signature.toString("hex"))).size).toBe(24);
    expect(all.some(({ signature }) => signature.readUInt8(4 + signature.readUInt8(3) + 1) === 33)).toBe(true); // s >= 2^255
  });
});

describe("a key that signs", () => {
  it("is the same after a restart", async () => {
    const made = await signed("ML-DSA-65", messageOf(message));
    const next = await restart();
    expect((await next.signer.verify(made, call())).value).toBe(true);
    expect((await next.publicKeys.publicKey(made.ref, call())).value.equals(await publicKeyOf(made.ref))).toBe(true);
  });

  it("stops at once where another process disables it, though its key is decoded here", async () => {
    const ref = await keyOf("EC-P384-SHA384", "stopped");
    const input = { ref, algorithm: "EC-P384-SHA384", signable: messageOf(message) } as const;
    const { value: signature } = await provider.signer.sign(input, call());
    const next = await restart();
    await next.keys.disable(ref, call());
    const attempts = [
      async () => await provider.signer.sign(input, call()),
      async () => await provider.signer.verify({ ...input, signature }, call()),
    ];
    for (const attempt of attempts) expect((await faultOf(provider, attempt)).nativeCode).toBe("KeyDisabled");
    expect((await provider.publicKeys.publicKey(ref, call())).value.length).toBeGreaterThan(0);
    await next.keys.enable(ref, call());
    expect((await provider.signer.verify({ ...input, signature }, call())).value).toBe(true);
  });

  it("signs with its own algorithm only", async () => {
    const ref = await keyOf("RSA-2048-PKCS1-SHA256");
    const input = { ref, algorithm: "RSA-2048-PSS-SHA256", signable: messageOf(message) } as const;
    await expectUnsupported(provider, async () => await provider.signer.sign(input, call()));
  });
});
