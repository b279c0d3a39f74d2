import { describe, expect, it } from "vitest";
import { contract, createKey, expectFailure, flip, onFake, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const plaintext = Buffer.from("attack at dawn");
const encrypt = async (KeyId: string, EncryptionContext?: Record<string, string>): Promise<Uint8Array> => {
  const answer = await kms.encrypt({ KeyId, Plaintext: plaintext, ...(EncryptionContext && { EncryptionContext }) });
  return present(answer.CiphertextBlob);
};

describe("AWS KMS symmetric encryption", () => {
  contract("a ciphertext opens again, and names its key by ARN", async () => {
    const key = await createKey(kms);
    const sealed = await kms.encrypt({ KeyId: key.id, Plaintext: plaintext });
    expect(sealed).toMatchObject({ KeyId: key.arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" });
    const opened = await kms.decrypt({ KeyId: key.id, CiphertextBlob: sealed.CiphertextBlob });
    expect(opened.KeyId).toBe(key.arn);
    expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(plaintext);
  });

  contract("Decrypt finds the key by the ciphertext", async () => {
    const key = await createKey(kms);
    const opened = await kms.decrypt({ CiphertextBlob: await encrypt(key.id) });
    expect(opened.KeyId).toBe(key.arn);
    expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(plaintext);
  });

  contract("two encryptions of the same plaintext differ, and do not show it", async () => {
    const key = await createKey(kms);
    const [one, other] = [Buffer.from(await encrypt(key.id)), Buffer.from(await encrypt(key.id))];
    expect(one.equals(other)).toBe(false);
    expect(one.includes(plaintext)).toBe(false);
  });

  contract("the encryption context is bound, in any order", async () => {
    const key = await createKey(kms);
    const CiphertextBlob = await encrypt(key.id, { tenant: "a", purpose: "ünïcode" });
    const opened = await kms.decrypt({
      KeyId: key.id,
      CiphertextBlob,
      EncryptionContext: { purpose: "ünïcode", tenant: "a" },
    });
    expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(plaintext);
    for (const EncryptionContext of [
      {},
      { tenant: "a" },
      { tenant: "b", purpose: "ünïcode" },
      { Tenant: "a", purpose: "ünïcode" },
    ]) {
      await expectFailure(
        kms.decrypt({ KeyId: key.id, CiphertextBlob, EncryptionContext }),
        "InvalidCiphertextException",
      );
    }
  });

  contract("a context that was not there when encrypting is refused", async () => {
    const key = await createKey(kms);
    const CiphertextBlob = await encrypt(key.id);
    const call = kms.decrypt({ KeyId: key.id, CiphertextBlob, EncryptionContext: { a: "1" } });
    await expectFailure(call, "InvalidCiphertextException");
  });

  contract("the pairs of a context cannot be split otherwise", async () => {
    const key = await createKey(kms);
    const CiphertextBlob = await encrypt(key.id, { a: "1", b: "2" });
    for (const EncryptionContext of [{ a: "1b2" }, { a1b: "2" }, { a: "1", b2: "" }]) {
      await expectFailure(
        kms.decrypt({ KeyId: key.id, CiphertextBlob, EncryptionContext }),
        "InvalidCiphertextException",
      );
    }
  });

  contract("a ciphertext of another key is the wrong key", async () => {
    const [key, other] = [await createKey(kms), await createKey(kms)];
    const CiphertextBlob = await encrypt(key.id);
    await expectFailure(
      kms.decrypt({ KeyId: other.id, CiphertextBlob }),
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  });

  contract("a changed last byte is refused", async () => {
    const key = await createKey(kms);
    const blob = await encrypt(key.id);
    const call = kms.decrypt({ KeyId: key.id, CiphertextBlob: flip(blob, blob.length - 1) });
    await expectFailure(call, "InvalidCiphertextException", "UnknownError");
  });

  contract("a changed byte in the middle is refused", async () => {
    const key = await createKey(kms);
    const blob = await encrypt(key.id);
    const call = kms.decrypt({ KeyId: key.id, CiphertextBlob: flip(blob, blob.length - 20) });
    await expectFailure(call, "InvalidCiphertextException");
  });

  contract("a cut ciphertext is refused", async () => {
    const key = await createKey(kms);
    const blob = await encrypt(key.id);
    for (const length of [3, blob.length - 1]) {
      const call = kms.decrypt({ KeyId: key.id, CiphertextBlob: blob.subarray(0, length) });
      await expectFailure(call, "InvalidCiphertextException");
    }
  });

  it.runIf(onFake)("no single changed bit and no cut leaves a ciphertext that opens", async () => {
    const key = await createKey(kms);
    const blob = await encrypt(key.id);
    const spoilt = [...blob.keys()].flatMap((at) => [flip(blob, at), blob.subarray(0, Math.max(at, 1))]);
    const refusals = spoilt.map(async (CiphertextBlob) => {
      await expectFailure(kms.decrypt({ KeyId: key.id, CiphertextBlob }), "InvalidCiphertextException");
    });
    await Promise.all(refusals);
  });

  contract("a plaintext of 4096 bytes is encrypted", async () => {
    const { id: KeyId } = await createKey(kms);
    const most = Buffer.alloc(4096, 7);
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: most });
    const opened = await kms.decrypt({ KeyId, CiphertextBlob });
    expect(Buffer.from(present(opened.Plaintext)).equals(most)).toBe(true);
  });

  contract("a longer or an empty plaintext is refused", async () => {
    const { id: KeyId } = await createKey(kms);
    await expectFailure(
      kms.encrypt({ KeyId, Plaintext: Buffer.alloc(4097) }),
      "ValidationException",
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    );
    await expectFailure(kms.encrypt({ KeyId, Plaintext: Buffer.alloc(0) }), "ValidationException");
  });
});
