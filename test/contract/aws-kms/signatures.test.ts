import { constants, createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SIGNING } from "../../fakes/aws-kms/signing.ts";
import { contract, createKey, expectFailure, flip, onFake, openSubject, present } from "./subject.ts";

type SignInput = Parameters<Awaited<ReturnType<typeof openSubject>>["sign"]>[0];
type Algorithm = NonNullable<SignInput["SigningAlgorithm"]>;

const kms = await openSubject();
const Message = Buffer.from("attack at dawn");
const digestOf = (hash: string): Buffer => createHash(hash).update(Message).digest();
const publicKeyOf = async (KeyId: string): Promise<KeyObject> => {
  const { PublicKey } = await kms.getPublicKey({ KeyId });
  return createPublicKey({ key: Buffer.from(present(PublicKey)), format: "der", type: "spki" });
};

/** The verdict of node:crypto. A PSS salt must be as long as the digest. */
const isGenuine = (key: KeyObject, algorithm: Algorithm, signature: Uint8Array): boolean => {
  const hash = /^(ED|ML)/.test(algorithm) ? null : `sha${algorithm.slice(-3)}`;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hash, Message, { key, ...(algorithm.includes("PSS") && pss) }, signature);
};

const RSA_HASHES = ["256", "384", "512"] as const;
const rsa = await createKey(kms, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });

describe("AWS KMS signatures", () => {
  for (const padding of ["PKCS1_V1_5", "PSS"] as const) {
    for (const type of ["RAW", "DIGEST"] as const) {
      contract(`RSASSA_${padding} over a ${type} message is a signature to node:crypto`, async () => {
        const key = await publicKeyOf(rsa.id);
        for (const bits of RSA_HASHES) {
          const SigningAlgorithm = `RSASSA_${padding}_SHA_${bits}` as const;
          const message = type === "RAW" ? Message : digestOf(`sha${bits}`);
          const answer = await kms.sign({ KeyId: rsa.id, Message: message, MessageType: type, SigningAlgorithm });
          expect(answer).toMatchObject({ KeyId: rsa.arn, SigningAlgorithm });
          expect(isGenuine(key, SigningAlgorithm, present(answer.Signature))).toBe(true);
        }
      });
    }
  }

  const curves = [
    ["ECC_NIST_P256", "256"],
    ["ECC_NIST_P384", "384"],
    ["ECC_NIST_P521", "512"],
    ["ECC_SECG_P256K1", "256"],
  ] as const;
  for (const [KeySpec, bits] of curves) {
    contract(`${KeySpec} signs messages and digests in DER, to the satisfaction of node:crypto`, async () => {
      const { id: KeyId } = await createKey(kms, { KeySpec, KeyUsage: "SIGN_VERIFY" });
      const key = await publicKeyOf(KeyId);
      const SigningAlgorithm = `ECDSA_SHA_${bits}` as const;
      const digest = digestOf(`sha${bits}`);
      const raw = await kms.sign({ KeyId, Message, SigningAlgorithm });
      const hashed = await kms.sign({ KeyId, Message: digest, MessageType: "DIGEST", SigningAlgorithm });
      expect(isGenuine(key, SigningAlgorithm, present(raw.Signature))).toBe(true);
      expect(isGenuine(key, SigningAlgorithm, present(hashed.Signature))).toBe(true);
      const crosswise = [
        await kms.verify({ KeyId, Message, SigningAlgorithm, Signature: hashed.Signature }),
        await kms.verify({
          KeyId,
          Message: digest,
          MessageType: "DIGEST",
          SigningAlgorithm,
          Signature: raw.Signature,
        }),
      ];
      expect(crosswise.map((answer) => answer.SignatureValid)).toStrictEqual([true, true]);
    });
  }

  contract("Ed25519 signs the message itself in 64 bytes", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" });
    const { Signature } = await kms.sign({ KeyId, Message, SigningAlgorithm: "ED25519_SHA_512" });
    expect(Signature).toHaveLength(64);
    expect(isGenuine(await publicKeyOf(KeyId), "ED25519_SHA_512", present(Signature))).toBe(true);
  });

  contract("ML-DSA-65 signs the message itself", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ML_DSA_65", KeyUsage: "SIGN_VERIFY" });
    const { Signature } = await kms.sign({ KeyId, Message, SigningAlgorithm: "ML_DSA_SHAKE_256" });
    expect(Signature).toHaveLength(3309);
    expect(isGenuine(await publicKeyOf(KeyId), "ML_DSA_SHAKE_256", present(Signature))).toBe(true);
  });

  contract("a changed message or RSA signature is an error", async () => {
    for (const [type, message] of [
      ["RAW", Message],
      ["DIGEST", digestOf("sha256")],
    ] as const) {
      for (const SigningAlgorithm of ["RSASSA_PSS_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"] as const) {
        const common = { KeyId: rsa.id, MessageType: type, SigningAlgorithm };
        const { Signature } = await kms.sign({ ...common, Message: message });
        const whole = { ...common, Message: message, Signature: present(Signature) };
        expect((await kms.verify(whole)).SignatureValid).toBe(true);
        await expectFailure(kms.verify({ ...whole, Message: flip(message, 0) }), "KMSInvalidSignatureException");
        for (const spoilt of [flip(whole.Signature, 200), whole.Signature.subarray(0, 255)]) {
          await expectFailure(kms.verify({ ...whole, Signature: spoilt }), "KMSInvalidSignatureException");
        }
      }
    }
  });

  it.runIf(onFake)("an RSA signature that lost its leading zero is refused", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const digest = digestOf("sha256");
    for (const scheme of [SIGNING["RSASSA_PSS_SHA_256"], SIGNING["RSASSA_PKCS1_V1_5_SHA_256"]].map(present)) {
      const message = Buffer.alloc(4);
      let signature: Buffer;
      do {
        message.writeUInt32BE(message.readUInt32BE() + 1);
        signature = scheme.sign(privateKey, message);
      } while (signature[0] !== 0);
      expect(scheme.verify(privateKey, message, signature)).toBe(true);
      expect(scheme.verify(privateKey, message, signature.subarray(1))).toBe(false);
      const hashed = createHash("sha256").update(message).digest();
      expect(scheme.verifyDigest?.(privateKey, hashed, signature)).toBe(true);
      expect(scheme.verifyDigest?.(privateKey, hashed, signature.subarray(1))).toBe(false);
      expect(scheme.verifyDigest?.(privateKey, digest, signature)).toBe(false);
    }
  });

  contract("an altered ECDSA signature is an error", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    for (const [MessageType, message] of [
      ["RAW", Message],
      ["DIGEST", digestOf("sha256")],
    ] as const) {
      const common = { KeyId, MessageType, Message: message, SigningAlgorithm: "ECDSA_SHA_256" } as const;
      const Signature = present((await kms.sign(common)).Signature);
      const spoilt = [flip(Signature, 20), flip(Signature, Signature.length - 1)];
      for (const each of spoilt) {
        await expectFailure(kms.verify({ ...common, Signature: each }), "KMSInvalidSignatureException");
      }
    }
  });

  contract("an ECDSA signature that is not DER is an error", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const call = { KeyId, Message, SigningAlgorithm: "ECDSA_SHA_256", Signature: Buffer.from("no DER") } as const;
    await expectFailure(kms.verify(call), "KMSInvalidSignatureException");
  });

  contract("a digest has the length of its hash", async () => {
    const common = { KeyId: rsa.id, SigningAlgorithm: "RSASSA_PSS_SHA_256" } as const;
    await expectFailure(
      kms.sign({ ...common, Message: Buffer.alloc(31), MessageType: "DIGEST" }),
      "ValidationException",
      "Digest is invalid length for algorithm RSASSA_PSS_SHA_256.",
    );
  });

  contract("a message to sign has at most 4096 bytes", async () => {
    const common = { KeyId: rsa.id, SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256" } as const;
    await kms.sign({ ...common, Message: Buffer.alloc(4096, 1) });
    await expectFailure(kms.sign({ ...common, Message: Buffer.alloc(4097, 1) }), "ValidationException");
  });

  contract("an algorithm of another key spec is refused", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await expectFailure(
      kms.sign({ KeyId, Message, SigningAlgorithm: "ECDSA_SHA_512" }),
      "InvalidKeyUsageException",
      "Algorithm ECDSA_SHA_512 is incompatible with key spec ECC_NIST_P256.",
    );
    const call = kms.sign({ KeyId: rsa.id, Message, SigningAlgorithm: "ECDSA_SHA_256" });
    await expectFailure(call, "InvalidKeyUsageException");
  });

  contract("a key of another usage does not sign", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    await expectFailure(
      kms.sign({ KeyId, Message, SigningAlgorithm: "RSASSA_PSS_SHA_256" }),
      "InvalidKeyUsageException",
      `${arn} key usage is ENCRYPT_DECRYPT which is not valid for Sign.`,
    );
  });

  contract("a public key says what it is for", async () => {
    expect(await kms.getPublicKey({ KeyId: rsa.id })).toMatchObject({
      KeyId: rsa.arn,
      KeySpec: "RSA_2048",
      KeyUsage: "SIGN_VERIFY",
      SigningAlgorithms: expect.arrayContaining(["RSASSA_PSS_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256"]),
    });
  });

  contract("a symmetric key has no public key", async () => {
    const { id: KeyId } = await createKey(kms);
    await expectFailure(kms.getPublicKey({ KeyId }), "UnsupportedOperationException");
  });

  contract("a disabled key does not sign", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await kms.disableKey({ KeyId });
    await expectFailure(kms.sign({ KeyId, Message, SigningAlgorithm: "ECDSA_SHA_256" }), "DisabledException");
  });

  contract("a disabled key does not show its public key", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    await kms.disableKey({ KeyId });
    await expectFailure(kms.getPublicKey({ KeyId }), "DisabledException");
  });
});
