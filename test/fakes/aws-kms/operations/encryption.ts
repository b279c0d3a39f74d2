import { checkSealing, open, seal } from "../ciphering.ts";
import { type Input, required } from "../input.ts";
import { keyName, keyToUse, requireEnabled, requireUsage } from "../resolve.ts";
import { allAlgorithms } from "../specs.ts";
import { base64, type Operations, stopDryRun } from "./operation.ts";

export const encryptionOperations: Operations = {
  Encrypt: async (kms, input) => {
    const plaintext = required(input.bytes("Plaintext", { min: 1, max: 4096 }), "Plaintext");
    const sealing = { algorithm: algorithm(input, "EncryptionAlgorithm"), context: input.pairs("EncryptionContext") };
    const key = keyToUse(kms, keyName(input), "kms:Encrypt");
    requireUsage(key, { usage: "ENCRYPT_DECRYPT", algorithm: sealing.algorithm, operation: "Encrypt" });
    requireEnabled(kms, key);
    checkSealing(key, plaintext, sealing);
    stopDryRun(input);
    const { blob } = await seal(key, plaintext, sealing);
    return { KeyId: key.arn, CiphertextBlob: base64(blob), EncryptionAlgorithm: sealing.algorithm };
  },

  Decrypt: async (kms, input) => {
    const opening = {
      algorithm: algorithm(input, "EncryptionAlgorithm"),
      context: input.pairs("EncryptionContext"),
      keyId: input.text("KeyId", { min: 1, max: 2048 }),
      operation: "Decrypt",
      action: "kms:Decrypt",
    };
    const { key, plaintext, materialId } = await open(kms, ciphertext(input), opening);
    stopDryRun(input);
    return {
      KeyId: key.arn,
      Plaintext: base64(plaintext),
      EncryptionAlgorithm: opening.algorithm,
      KeyMaterialId: materialId,
    };
  },

  ReEncrypt: async (kms, input) => {
    const opening = {
      algorithm: algorithm(input, "SourceEncryptionAlgorithm"),
      context: input.pairs("SourceEncryptionContext"),
      keyId: input.text("SourceKeyId", { min: 1, max: 2048 }),
      operation: "ReEncrypt",
      action: "kms:ReEncryptFrom",
    };
    const sealing = {
      algorithm: algorithm(input, "DestinationEncryptionAlgorithm"),
      context: input.pairs("DestinationEncryptionContext"),
    };
    const opened = await open(kms, ciphertext(input), opening);
    const to = keyToUse(kms, keyName(input, "DestinationKeyId"), "kms:ReEncryptTo");
    requireUsage(to, { usage: "ENCRYPT_DECRYPT", algorithm: sealing.algorithm, operation: "ReEncrypt" });
    requireEnabled(kms, to);
    checkSealing(to, opened.plaintext, sealing);
    stopDryRun(input);
    const sealed = await seal(to, opened.plaintext, sealing);
    return {
      CiphertextBlob: base64(sealed.blob),
      SourceKeyId: opened.key.arn,
      KeyId: to.arn,
      SourceEncryptionAlgorithm: opening.algorithm,
      DestinationEncryptionAlgorithm: sealing.algorithm,
      SourceKeyMaterialId: opened.materialId,
      DestinationKeyMaterialId: sealed.materialId,
    };
  },
};

const algorithm = (input: Input, member: string): string =>
  input.choice(member, allAlgorithms("ENCRYPT_DECRYPT")) ?? "SYMMETRIC_DEFAULT";

const ciphertext = (input: Input): Buffer =>
  required(input.bytes("CiphertextBlob", { min: 1, max: 6144 }), "CiphertextBlob");
