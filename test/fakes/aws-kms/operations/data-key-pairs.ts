import { createPublicKey } from "node:crypto";
import { seal } from "../ciphering.ts";
import { type Input, required } from "../input.ts";
import { generateKey } from "../material.ts";
import { KEY_SPECS } from "../specs.ts";
import type { KmsState } from "../state.ts";
import { keyToWrapWith } from "./data-keys.ts";
import { type Answer, base64, type Operations, stopDryRun } from "./operation.ts";

export const dataKeyPairOperations: Operations = {
  GenerateDataKeyPair: async (kms, input) => {
    const { privateKey, ...rest } = await dataKeyPair(kms, input, "GenerateDataKeyPair");
    return { ...rest, PrivateKeyPlaintext: base64(privateKey) };
  },

  GenerateDataKeyPairWithoutPlaintext: async (kms, input) => {
    const { privateKey: _, ...rest } = await dataKeyPair(kms, input, "GenerateDataKeyPairWithoutPlaintext");
    return rest;
  },
};

const PAIR_SPECS = KEY_SPECS.filter((spec) => /^(RSA|ECC|ML_KEM)_/.test(spec));

const dataKeyPair = async (
  kms: KmsState,
  input: Input,
  operation: string,
): Promise<Answer & { readonly privateKey: Buffer }> => {
  const spec = required(input.choice("KeyPairSpec", PAIR_SPECS), "KeyPairSpec");
  const context = input.pairs("EncryptionContext");
  const key = keyToWrapWith(kms, input, operation);
  stopDryRun(input);
  const pair = await generateKey(spec);
  const privateKey = pair.export({ type: "pkcs8", format: "der" });
  const { blob, materialId } = await seal(key, privateKey, { algorithm: "SYMMETRIC_DEFAULT", context });
  return {
    privateKey,
    KeyId: key.arn,
    KeyPairSpec: spec,
    PublicKey: base64(createPublicKey(pair).export({ type: "spki", format: "der" })),
    PrivateKeyCiphertextBlob: base64(blob),
    KeyMaterialId: materialId,
  };
};
