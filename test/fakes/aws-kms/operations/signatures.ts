import { createPublicKey, type KeyObject } from "node:crypto";
import { AwsFailure, invalidState, unsupported, validation } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { keyName, keyToUse, requireEnabled, requireUsage } from "../resolve.ts";
import { SIGNING, type SigningScheme } from "../signing.ts";
import { ALGORITHM_FIELDS, algorithmsOf, allAlgorithms } from "../specs.ts";
import { currentMaterial, type Key, type KmsState } from "../state.ts";
import { base64, type Operations, stopDryRun } from "./operation.ts";

export const signatureOperations: Operations = {
  Sign: async (kms, input) => {
    const { key, algorithm, scheme, message, digest } = readSigning(kms, input, "Sign");
    stopDryRun(input);
    const secret = await secretOf(key);
    const signature = digest ? scheme.signDigest?.(secret, message) : scheme.sign(secret, message);
    return { KeyId: key.arn, Signature: base64(required(signature, "Signature")), SigningAlgorithm: algorithm };
  },

  Verify: async (kms, input) => {
    const { key, algorithm, scheme, message, digest } = readSigning(kms, input, "Verify");
    const signature = required(input.bytes("Signature", { min: 1, max: 6144 }), "Signature");
    stopDryRun(input);
    const secret = await secretOf(key);
    const valid = digest
      ? scheme.verifyDigest?.(secret, message, signature)
      : scheme.verify(secret, message, signature);
    if (valid !== true) throw new AwsFailure("KMSInvalidSignatureException");
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: algorithm };
  },

  GetPublicKey: async (kms, input) => {
    const key = keyToUse(kms, keyName(input), "kms:GetPublicKey");
    if (key.spec === "SYMMETRIC_DEFAULT" || key.usage === "GENERATE_VERIFY_MAC") {
      throw unsupported(`${key.arn} key spec is ${key.spec} which is not valid for GetPublicKey.`);
    }
    requireEnabled(kms, key);
    const publicKey = createPublicKey(await secretOf(key)).export({ type: "spki", format: "der" });
    return {
      KeyId: key.arn,
      PublicKey: base64(publicKey),
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      [ALGORITHM_FIELDS[key.usage]]: algorithmsOf(key.spec, key.usage),
    };
  },
};

/** The secret or private key that a usable key works with now. */
export const secretOf = async (key: Key): Promise<KeyObject> => {
  const secret = await currentMaterial(key)?.key?.();
  if (secret === undefined) throw invalidState(`${key.arn} is pending import.`);
  return secret;
};

type Signing = {
  readonly key: Key;
  readonly algorithm: string;
  readonly scheme: SigningScheme;
  readonly message: Buffer;
  readonly digest: boolean;
};

const readSigning = (kms: KmsState, input: Input, operation: "Sign" | "Verify"): Signing => {
  const message = required(input.bytes("Message", { min: 1, max: 4096 }), "Message");
  const type = input.choice("MessageType", ["RAW", "DIGEST", "EXTERNAL_MU"]) ?? "RAW";
  const algorithm = required(input.choice("SigningAlgorithm", allAlgorithms("SIGN_VERIFY")), "SigningAlgorithm");
  const key = keyToUse(kms, keyName(input), `kms:${operation}`);
  requireUsage(key, { usage: "SIGN_VERIFY", algorithm, operation });
  requireEnabled(kms, key);
  const scheme = SIGNING[algorithm];
  if (scheme === undefined || type === "EXTERNAL_MU") {
    throw unsupported(`this fake cannot do ${algorithm} with message type ${type}`);
  }
  if (type === "DIGEST" && scheme.digestBytes === undefined) {
    throw validation(`MessageType DIGEST is not valid for algorithm ${algorithm}.`);
  }
  if (type === "DIGEST" && message.length !== scheme.digestBytes) {
    throw validation(`Digest is invalid length for algorithm ${algorithm}.`);
  }
  return { key, algorithm, scheme, message, digest: type === "DIGEST" };
};
