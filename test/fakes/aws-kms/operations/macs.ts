import { createHmac, timingSafeEqual } from "node:crypto";
import { AwsFailure } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { keyName, keyToUse, requireEnabled, requireUsage } from "../resolve.ts";
import { allAlgorithms } from "../specs.ts";
import type { Key, KmsState } from "../state.ts";
import { base64, type Operations, stopDryRun } from "./operation.ts";
import { secretOf } from "./signatures.ts";

export const macOperations: Operations = {
  GenerateMac: async (kms, input) => {
    const { key, algorithm, message } = readMac(kms, input, "GenerateMac");
    stopDryRun(input);
    return { KeyId: key.arn, Mac: base64(await macOf(key, algorithm, message)), MacAlgorithm: algorithm };
  },

  VerifyMac: async (kms, input) => {
    const { key, algorithm, message } = readMac(kms, input, "VerifyMac");
    const claimed = required(input.bytes("Mac", { min: 1, max: 6144 }), "Mac");
    stopDryRun(input);
    const mac = await macOf(key, algorithm, message);
    if (claimed.length !== mac.length || !timingSafeEqual(claimed, mac)) throw new AwsFailure("KMSInvalidMacException");
    return { KeyId: key.arn, MacValid: true, MacAlgorithm: algorithm };
  },
};

const readMac = (
  kms: KmsState,
  input: Input,
  operation: "GenerateMac" | "VerifyMac",
): { readonly key: Key; readonly algorithm: string; readonly message: Buffer } => {
  const message = required(input.bytes("Message", { min: 1, max: 4096 }), "Message");
  const algorithm = required(input.choice("MacAlgorithm", allAlgorithms("GENERATE_VERIFY_MAC")), "MacAlgorithm");
  const key = keyToUse(kms, keyName(input), `kms:${operation}`);
  requireUsage(key, { usage: "GENERATE_VERIFY_MAC", algorithm, operation });
  requireEnabled(kms, key);
  return { key, algorithm, message };
};

const macOf = async (key: Key, algorithm: string, message: Buffer): Promise<Buffer> =>
  createHmac(`sha${algorithm.slice("HMAC_SHA_".length)}`, await secretOf(key))
    .update(message)
    .digest();
