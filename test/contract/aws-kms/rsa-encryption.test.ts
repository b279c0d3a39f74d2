import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { describe, expect } from "vitest";
import { contract, createKey, expectFailure, flip, openSubject, present } from "./subject.ts";

const kms = await openSubject();
const Plaintext = Buffer.from("attack at dawn");
const rsa = await createKey(kms, { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
const KeyId = rsa.id;
const HASHES = { RSAES_OAEP_SHA_1: "sha1", RSAES_OAEP_SHA_256: "sha256" } as const;
const ALGORITHMS = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"] as const;

describe("AWS KMS RSA encryption", () => {
  contract("a ciphertext has the modulus' length and opens again", async () => {
    for (const EncryptionAlgorithm of ALGORITHMS) {
      const sealed = await kms.encrypt({ KeyId, Plaintext, EncryptionAlgorithm });
      expect(sealed).toMatchObject({ KeyId: rsa.arn, EncryptionAlgorithm });
      expect(sealed.CiphertextBlob).toHaveLength(256);
      const opened = await kms.decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob: sealed.CiphertextBlob });
      expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(Plaintext);
    }
  });

  contract("what node:crypto encrypts to the public key, the service decrypts", async () => {
    const { PublicKey } = await kms.getPublicKey({ KeyId });
    const key = createPublicKey({ key: Buffer.from(present(PublicKey)), format: "der", type: "spki" });
    for (const EncryptionAlgorithm of ALGORITHMS) {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const CiphertextBlob = publicEncrypt({ key, padding, oaepHash: HASHES[EncryptionAlgorithm] }, Plaintext);
      const opened = await kms.decrypt({ KeyId, EncryptionAlgorithm, CiphertextBlob });
      expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(Plaintext);
    }
  });

  contract("another hash or a changed byte is refused", async () => {
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" });
    const blob = present(CiphertextBlob);
    const wrongHash = kms.decrypt({ KeyId, CiphertextBlob: blob, EncryptionAlgorithm: "RSAES_OAEP_SHA_1" });
    await expectFailure(wrongHash, "InvalidCiphertextException");
    const spoilt = flip(blob, 100);
    const call = kms.decrypt({ KeyId, CiphertextBlob: spoilt, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" });
    await expectFailure(call, "InvalidCiphertextException");
  });

  contract("a plaintext beyond the capacity of OAEP is refused", async () => {
    for (const [EncryptionAlgorithm, most] of [
      ["RSAES_OAEP_SHA_1", 214],
      ["RSAES_OAEP_SHA_256", 190],
    ] as const) {
      await kms.encrypt({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(most, 1) });
      await expectFailure(
        kms.encrypt({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(most + 1, 1) }),
        "ValidationException",
        `Algorithm ${EncryptionAlgorithm} and key spec RSA_2048 cannot encrypt data larger than ${most} bytes.`,
      );
    }
  });

  contract("the algorithm must be named", async () => {
    await expectFailure(kms.encrypt({ KeyId, Plaintext }), "InvalidKeyUsageException");
  });

  contract("an encryption context is refused with an RSA key", async () => {
    const call = kms.encrypt({
      KeyId,
      Plaintext,
      EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
      EncryptionContext: { a: "1" },
    });
    await expectFailure(call, "ValidationException");
  });

  contract("an RSA key wraps no data keys", async () => {
    await expectFailure(kms.generateDataKey({ KeyId, KeySpec: "AES_256" }), "InvalidKeyUsageException");
  });

  contract("ReEncrypt goes from a symmetric key to an RSA key", async () => {
    const { id } = await createKey(kms);
    const { CiphertextBlob } = await kms.encrypt({ KeyId: id, Plaintext });
    const moved = await kms.reEncrypt({
      CiphertextBlob,
      SourceKeyId: id,
      DestinationKeyId: KeyId,
      DestinationEncryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
    const opened = await kms.decrypt({
      KeyId,
      CiphertextBlob: moved.CiphertextBlob,
      EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
    expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(Plaintext);
  });
});
