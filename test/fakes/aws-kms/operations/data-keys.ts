import { randomBytes } from "node:crypto";
import { seal } from "../ciphering.ts";
import { invalidKeyUsage, validation } from "../failure.ts";
import type { Input } from "../input.ts";
import { keyName, keyToUse, requireEnabled, requireUsage } from "../resolve.ts";
import type { Key, KmsState } from "../state.ts";
import { type Answer, base64, type Operations, stopDryRun } from "./operation.ts";

export const dataKeyOperations: Operations = {
  GenerateDataKey: async (kms, input) => {
    const { plaintext, ...rest } = await dataKey(kms, input, "GenerateDataKey");
    return { ...rest, Plaintext: base64(plaintext) };
  },

  GenerateDataKeyWithoutPlaintext: async (kms, input) => {
    const { plaintext: _, ...rest } = await dataKey(kms, input, "GenerateDataKeyWithoutPlaintext");
    return rest;
  },

  GenerateRandom: (_kms, input) => {
    const length = input.whole("NumberOfBytes", { min: 1, max: 1024 });
    if (length === undefined) throw validation("NumberOfBytes is required.");
    return { Plaintext: base64(randomBytes(length)) };
  },
};

const dataKey = async (
  kms: KmsState,
  input: Input,
  operation: string,
): Promise<Answer & { readonly plaintext: Buffer }> => {
  const length = readLength(input);
  const context = input.pairs("EncryptionContext");
  const key = keyToWrapWith(kms, input, operation);
  stopDryRun(input);
  const plaintext = randomBytes(length);
  const { blob, materialId } = await seal(key, plaintext, { algorithm: "SYMMETRIC_DEFAULT", context });
  return { plaintext, KeyId: key.arn, CiphertextBlob: base64(blob), KeyMaterialId: materialId };
};

/** The usable symmetric key under which an operation wraps what it generates. */
export const keyToWrapWith = (kms: KmsState, input: Input, operation: string): Key => {
  const key = keyToUse(kms, keyName(input), `kms:${operation}`);
  requireUsage(key, { usage: "ENCRYPT_DECRYPT", operation });
  if (key.spec !== "SYMMETRIC_DEFAULT") {
    throw invalidKeyUsage(`${key.arn} key spec is ${key.spec} which is not valid for ${operation}.`);
  }
  requireEnabled(kms, key);
  return key;
};

const readLength = (input: Input): number => {
  const spec = input.choice("KeySpec", ["AES_256", "AES_128"]);
  const length = input.whole("NumberOfBytes", { min: 1, max: 1024 });
  if (spec === undefined && length !== undefined) return length;
  if (spec !== undefined && length === undefined) return spec === "AES_256" ? 32 : 16;
  throw validation("Please specify either number of bytes or key spec.");
};
