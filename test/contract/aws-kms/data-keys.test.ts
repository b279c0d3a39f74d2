import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect } from "vitest";
import { contract, createKey, expectFailure, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const openPlain = async (
  KeyId: string,
  CiphertextBlob: Uint8Array | undefined,
  EncryptionContext: Record<string, string> = {},
): Promise<Buffer> => Buffer.from(present((await kms.decrypt({ KeyId, CiphertextBlob, EncryptionContext })).Plaintext));

describe("AWS KMS data keys", () => {
  contract("a data key of 32 bytes is the plaintext of its blob", async () => {
    const { id: KeyId, arn } = await createKey(kms);
    const made = await kms.generateDataKey({ KeyId, KeySpec: "AES_256", EncryptionContext: { a: "1" } });
    expect(made.KeyId).toBe(arn);
    expect(made.Plaintext).toHaveLength(32);
    const opened = await openPlain(KeyId, made.CiphertextBlob, { a: "1" });
    expect(opened).toStrictEqual(Buffer.from(present(made.Plaintext)));
    const bare = kms.decrypt({ KeyId, CiphertextBlob: made.CiphertextBlob });
    await expectFailure(bare, "InvalidCiphertextException");
  });

  contract("a data key has the length that was asked for", async () => {
    const { id: KeyId } = await createKey(kms);
    expect((await kms.generateDataKey({ KeyId, KeySpec: "AES_128" })).Plaintext).toHaveLength(16);
    expect((await kms.generateDataKey({ KeyId, NumberOfBytes: 64 })).Plaintext).toHaveLength(64);
  });

  contract("a data key without plaintext shows none", async () => {
    const { id: KeyId } = await createKey(kms);
    const made = await kms.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: "AES_256" });
    expect(made).not.toHaveProperty("Plaintext");
    expect(await openPlain(KeyId, made.CiphertextBlob)).toHaveLength(32);
  });

  contract("exactly one of spec and length is given", async () => {
    const { id: KeyId } = await createKey(kms);
    await expectFailure(kms.generateDataKey({ KeyId }), "ValidationException");
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256", NumberOfBytes: 32 }), "ValidationException");
  });

  contract("a data key has at most 1024 bytes", async () => {
    const { id: KeyId } = await createKey(kms);
    expect((await kms.generateDataKey({ KeyId, NumberOfBytes: 1024 })).Plaintext).toHaveLength(1024);
    await expectFailure(kms.generateDataKey({ KeyId, NumberOfBytes: 1025 }), "ValidationException");
  });

  contract("an HMAC key wraps no data keys", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256" }), "InvalidKeyUsageException");
  });

  contract("a data key pair is whole, and its private key the plaintext of its blob", async () => {
    const { id: KeyId } = await createKey(kms);
    const made = await kms.generateDataKeyPair({ KeyId, KeyPairSpec: "ECC_NIST_P256" });
    const privateDer = Buffer.from(present(made.PrivateKeyPlaintext));
    const privateKey = createPrivateKey({ key: privateDer, format: "der", type: "pkcs8" });
    const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" });
    expect(Buffer.from(present(made.PublicKey))).toStrictEqual(publicKey);
    expect(await openPlain(KeyId, made.PrivateKeyCiphertextBlob)).toStrictEqual(privateDer);
  });

  contract("a data key pair without plaintext shows none", async () => {
    const { id: KeyId } = await createKey(kms);
    const made = await kms.generateDataKeyPairWithoutPlaintext({ KeyId, KeyPairSpec: "ECC_NIST_P384" });
    expect(made).not.toHaveProperty("PrivateKeyPlaintext");
    expect(made.KeyPairSpec).toBe("ECC_NIST_P384");
    await openPlain(KeyId, made.PrivateKeyCiphertextBlob);
  });

  contract("random bytes are 1 to 1024", async () => {
    expect((await kms.generateRandom({ NumberOfBytes: 1024 })).Plaintext).toHaveLength(1024);
    await expectFailure(
      kms.generateRandom({ NumberOfBytes: 0 }),
      "ValidationException",
      "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    await expectFailure(kms.generateRandom({ NumberOfBytes: 1025 }), "ValidationException");
    await expectFailure(kms.generateRandom({}), "ValidationException", "NumberOfBytes is required.");
  });

  contract("ReEncrypt moves a ciphertext to another key and context", async () => {
    const [from, to] = [await createKey(kms), await createKey(kms)];
    const Plaintext = Buffer.from("attack at dawn");
    const sealed = await kms.encrypt({ KeyId: from.id, Plaintext, EncryptionContext: { a: "1" } });
    const moved = await kms.reEncrypt({
      CiphertextBlob: sealed.CiphertextBlob,
      SourceKeyId: from.id,
      SourceEncryptionContext: { a: "1" },
      DestinationKeyId: to.id,
      DestinationEncryptionContext: { b: "2" },
    });
    expect(moved).toMatchObject({ SourceKeyId: from.arn, KeyId: to.arn });
    expect(await openPlain(to.id, moved.CiphertextBlob, { b: "2" })).toStrictEqual(Plaintext);
  });

  contract("ReEncrypt refuses a wrong source context", async () => {
    const [from, to] = [await createKey(kms), await createKey(kms)];
    const { CiphertextBlob } = await kms.encrypt({ KeyId: from.id, Plaintext: Buffer.from("x") });
    const call = kms.reEncrypt({
      CiphertextBlob,
      SourceKeyId: from.id,
      SourceEncryptionContext: { a: "1" },
      DestinationKeyId: to.id,
    });
    await expectFailure(call, "InvalidCiphertextException");
  });

  contract("ReEncrypt refuses a wrong source key", async () => {
    const [from, to] = [await createKey(kms), await createKey(kms)];
    const { CiphertextBlob } = await kms.encrypt({ KeyId: from.id, Plaintext: Buffer.from("x") });
    const call = kms.reEncrypt({ CiphertextBlob, SourceKeyId: to.id, DestinationKeyId: to.id });
    await expectFailure(call, "IncorrectKeyException");
  });

  contract("a dry run does nothing and says that it would have succeeded", async () => {
    const { id: KeyId } = await createKey(kms);
    const Plaintext = Buffer.from("x");
    await expectFailure(
      kms.encrypt({ KeyId, Plaintext, DryRun: true }),
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256", DryRun: true }), "DryRunOperationException");
    await kms.disableKey({ KeyId });
    await expectFailure(kms.encrypt({ KeyId, Plaintext, DryRun: true }), "DisabledException");
  });
});
