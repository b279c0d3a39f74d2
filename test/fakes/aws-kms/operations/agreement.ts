import { createPublicKey, decapsulate, diffieHellman, encapsulate, type KeyObject } from "node:crypto";
import { invalidCiphertext, validation } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { keyName, keyToUse, requireEnabled, requireUsage } from "../resolve.ts";
import { allAlgorithms } from "../specs.ts";
import type { Key, KmsState } from "../state.ts";
import { base64, type Operations, stopDryRun } from "./operation.ts";
import { secretOf } from "./signatures.ts";

export const agreementOperations: Operations = {
  DeriveSharedSecret: async (kms, input) => {
    const algorithm = required(input.choice("KeyAgreementAlgorithm", ["ECDH"]), "KeyAgreementAlgorithm");
    const theirs = required(input.bytes("PublicKey", { min: 1, max: 8192 }), "PublicKey");
    const key = keyToUse(kms, keyName(input), "kms:DeriveSharedSecret");
    requireUsage(key, { usage: "KEY_AGREEMENT", algorithm, operation: "DeriveSharedSecret" });
    requireEnabled(kms, key);
    const privateKey = await secretOf(key);
    const publicKey = readPoint(theirs, privateKey);
    stopDryRun(input);
    return {
      KeyId: key.arn,
      SharedSecret: base64(diffieHellman({ privateKey, publicKey })),
      KeyAgreementAlgorithm: algorithm,
      KeyOrigin: key.origin,
    };
  },

  Encapsulate: async (kms, input) => {
    const { key, algorithm } = readKem(kms, input, "Encapsulate");
    stopDryRun(input);
    const { sharedKey, ciphertext } = encapsulate(createPublicKey(await secretOf(key)));
    return {
      KeyId: key.arn,
      SharedSecret: base64(sharedKey),
      SharedSecretCiphertextBlob: base64(ciphertext),
      EncapsulationAlgorithm: algorithm,
    };
  },

  Decapsulate: async (kms, input) => {
    const blob = required(
      input.bytes("SharedSecretCiphertextBlob", { min: 1, max: 6144 }),
      "SharedSecretCiphertextBlob",
    );
    const { key, algorithm } = readKem(kms, input, "Decapsulate");
    stopDryRun(input);
    const secret = await secretOf(key);
    return { KeyId: key.arn, SharedSecret: base64(open(secret, blob)), EncapsulationAlgorithm: algorithm };
  },
};

const readPoint = (spki: Buffer, privateKey: KeyObject): KeyObject => {
  try {
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    const curve = privateKey.asymmetricKeyDetails?.namedCurve;
    if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve === curve) return key;
  } catch {
    // said below, as for a key of another curve
  }
  throw validation("The public key is not valid for the key spec of the KMS key.");
};

const readKem = (
  kms: KmsState,
  input: Input,
  operation: "Encapsulate" | "Decapsulate",
): { readonly key: Key; readonly algorithm: string } => {
  const algorithms = allAlgorithms("ENCAPSULATE_DECAPSULATE");
  const algorithm = required(input.choice("EncapsulationAlgorithm", algorithms), "EncapsulationAlgorithm");
  const key = keyToUse(kms, keyName(input), `kms:${operation}`);
  requireUsage(key, { usage: "ENCAPSULATE_DECAPSULATE", algorithm, operation });
  requireEnabled(kms, key);
  return { key, algorithm };
};

/** A changed ciphertext of the right length gives another secret and no error: FIPS 203 § 6.3. */
const open = (key: KeyObject, blob: Buffer): Buffer => {
  try {
    return decapsulate(key, blob);
  } catch {
    throw invalidCiphertext();
  }
};
