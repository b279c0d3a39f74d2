import { createPublicKey, diffieHellman, encapsulate, generateKeyPairSync } from "node:crypto";
import { describe, expect } from "vitest";
import { contract, createKey, expectFailure, openSubject, present } from "./subject.ts";

const kms = await openSubject();

describe("AWS KMS key agreement and encapsulation", () => {
  contract("a shared secret is the one that node:crypto derives", async () => {
    for (const [KeySpec, namedCurve] of [
      ["ECC_NIST_P256", "prime256v1"],
      ["ECC_NIST_P384", "secp384r1"],
    ] as const) {
      const { id: KeyId } = await createKey(kms, { KeySpec, KeyUsage: "KEY_AGREEMENT" });
      const ours = generateKeyPairSync("ec", { namedCurve });
      const PublicKey = ours.publicKey.export({ type: "spki", format: "der" });
      const answer = await kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey });
      const theirs = present((await kms.getPublicKey({ KeyId })).PublicKey);
      const publicKey = createPublicKey({ key: Buffer.from(theirs), format: "der", type: "spki" });
      const expected = diffieHellman({ privateKey: ours.privateKey, publicKey });
      expect(Buffer.from(present(answer.SharedSecret))).toStrictEqual(expected);
    }
  });

  contract("a public key of another curve is refused", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
    const PublicKey = publicKey.export({ type: "spki", format: "der" });
    const call = kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: "ECDH", PublicKey });
    await expectFailure(call, "ValidationException");
  });

  contract("what is encapsulated decapsulates, by the service or by node:crypto", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" });
    const common = { KeyId, EncapsulationAlgorithm: "ML_KEM" } as const;
    const made = await kms.encapsulate(common);
    expect(made.SharedSecretCiphertextBlob).toHaveLength(1088);
    const opened = await kms.decapsulate({
      ...common,
      SharedSecretCiphertextBlob: made.SharedSecretCiphertextBlob,
    });
    expect(opened.SharedSecret).toStrictEqual(made.SharedSecret);
    const theirs = present((await kms.getPublicKey({ KeyId })).PublicKey);
    const ours = encapsulate(createPublicKey({ key: Buffer.from(theirs), format: "der", type: "spki" }));
    const agreed = await kms.decapsulate({ ...common, SharedSecretCiphertextBlob: ours.ciphertext });
    expect(Buffer.from(present(agreed.SharedSecret))).toStrictEqual(Buffer.from(ours.sharedKey));
  });

  contract("an encapsulation of the wrong length is refused", async () => {
    const { id: KeyId } = await createKey(kms, { KeySpec: "ML_KEM_768", KeyUsage: "ENCAPSULATE_DECAPSULATE" });
    const blob = Buffer.alloc(1087);
    const call = kms.decapsulate({ KeyId, EncapsulationAlgorithm: "ML_KEM", SharedSecretCiphertextBlob: blob });
    await expectFailure(call, "InvalidCiphertextException");
  });
});
