import type { AlgorithmName } from "#core/algorithms.ts";
import type { Capabilities, CapabilityRow, ProviderOperation, Quota } from "#core/provider.ts";
import { refused } from "./errors.ts";
import { isImportable, materialBounds } from "./import-material.ts";
import { digestBytes, modulusBytes, OFFERED, shapeOf } from "./specs.ts";

/** Encrypt, Sign, Verify, GenerateMac and VerifyMac take 1 to this many bytes (API reference, Plaintext, Message). */
const MESSAGE_BYTES = { minInputBytes: 1, maxInputBytes: 4096 } as const;
/** Decrypt takes 1 to this many bytes (API reference, Decrypt, CiphertextBlob). */
export const MAX_CIPHERTEXT_BYTES = 6144;
/** DeriveSharedSecret takes 1 to this many bytes (API reference, PublicKey). */
const MAX_PUBLIC_KEY_BYTES = 8192;
/** GenerateRandom gives 1 to this many bytes (API reference, GenerateRandom, NumberOfBytes). */
export const MAX_RANDOM_BYTES = 1024;
/** Bytes of an encapsulation by key spec (API reference, Encapsulate, SharedSecretCiphertextBlob; FIPS 203 table 3). */
const ENCAPSULATION_BYTES: Readonly<Record<string, number>> = { ML_KEM_512: 768, ML_KEM_768: 1088, ML_KEM_1024: 1568 };

type Ability = Omit<CapabilityRow, "algorithm">;

/** What a key of the algorithm can be asked for. */
function abilitiesOf(algorithm: AlgorithmName): Ability[] {
  const { keySpec, keyUsage } = shapeOf(algorithm);
  switch (keyUsage) {
    case "ENCRYPT_DECRYPT":
      return keySpec === "SYMMETRIC_DEFAULT" ? opaqueAbilities() : oaepAbilities(algorithm);
    case "SIGN_VERIFY": {
      const of = { ...MESSAGE_BYTES, context: "none", ...digestsOf(algorithm) } as const;
      return [
        { operation: "sign", ...of },
        { operation: "verify", ...of },
      ];
    }
    case "GENERATE_VERIFY_MAC":
      return [
        { operation: "mac", ...MESSAGE_BYTES, context: "none" },
        { operation: "verify-mac", ...MESSAGE_BYTES, context: "none" },
      ];
    case "KEY_AGREEMENT":
      return [{ operation: "agree", maxInputBytes: MAX_PUBLIC_KEY_BYTES, context: "none" }];
    case "ENCAPSULATE_DECAPSULATE":
      return [
        { operation: "encapsulate", maxInputBytes: 0, context: "none" },
        { operation: "decapsulate", maxInputBytes: ENCAPSULATION_BYTES[keySpec] ?? 0, context: "none" },
      ];
  }
}

function opaqueAbilities(): Ability[] {
  return [
    { operation: "encrypt", ...MESSAGE_BYTES, context: "map" },
    { operation: "decrypt", maxInputBytes: MAX_CIPHERTEXT_BYTES, context: "map" },
    { operation: "wrap", ...MESSAGE_BYTES, context: "map" },
    { operation: "unwrap", maxInputBytes: MAX_CIPHERTEXT_BYTES, context: "map" },
  ];
}

/** RFC 8017 § 7.1.1: a modulus holds a message, two digests and two bytes. */
function oaepAbilities(algorithm: AlgorithmName): Ability[] {
  const modulus = modulusBytes(shapeOf(algorithm).keySpec) ?? 0;
  const maxInputBytes = modulus - 2 * (digestBytes(algorithm) ?? 0) - 2;
  return [
    { operation: "encrypt", minInputBytes: 1, maxInputBytes, context: "none" },
    { operation: "decrypt", maxInputBytes: modulus, context: "none" },
  ];
}

function digestsOf(algorithm: AlgorithmName): { digests?: true } {
  return digestBytes(algorithm) === undefined ? {} : { digests: true };
}

const ROWS: readonly CapabilityRow[] = OFFERED.flatMap((algorithm) => [
  ...abilitiesOf(algorithm).map((ability) => ({ ...ability, algorithm })),
  ...(isImportable(algorithm)
    ? [{ operation: "import", algorithm, ...materialBounds(algorithm), context: "none" } as const]
    : []),
]);

/** Of an account in a Region (developer guide, Request quotas); symmetric ones are more in some Regions. */
const QUOTAS: readonly Quota[] = [
  {
    name: "cryptographic operations (symmetric) request rate",
    perSecond: 10_000,
    operations: ["encrypt", "decrypt", "wrap", "unwrap", "mac", "verify-mac"],
    algorithms: ["AES-", "HMAC-"],
  },
  {
    name: "cryptographic operations (RSA) request rate",
    perSecond: 1000,
    operations: ["encrypt", "decrypt", "sign", "verify"],
    algorithms: ["RSA-"],
  },
  {
    name: "cryptographic operations (ECC and SM2) request rate",
    perSecond: 1000,
    operations: ["sign", "verify", "agree"],
    algorithms: ["EC-", "ED25519", "ECDH-"],
  },
  {
    name: "cryptographic operations (ML-DSA) request rate",
    perSecond: 1000,
    operations: ["sign", "verify"],
    algorithms: ["ML-DSA-"],
  },
];

export const AWS_KMS_CAPABILITIES: Capabilities = {
  rows: ROWS,
  quotas: QUOTAS,
  protection: "hsm",
  entity: ["US"],
  recipientAlgorithm: "AES-256-OPAQUE",
  destructionDays: { min: 7, max: 30 },
  processOnly: true,
  // "Usually seconds, in some cases several minutes" (developer guide, eventual consistency).
  propagationMs: 300_000,
  // A tenth of what DescribeKey allows, which each listed key costs (developer guide, Request quotas).
  listedPerSecond: 200,
};

/** Refuses what no row allows; gives the row. `inputBytes` is left out where the length is a verdict on the caller's bytes. */
export function requireCapability(
  operation: ProviderOperation,
  algorithm: AlgorithmName,
  inputBytes?: number,
): CapabilityRow {
  const row = ROWS.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw refused(`unsupported: ${operation} with ${algorithm}`);
  const { minInputBytes = 0, maxInputBytes } = row;
  if (inputBytes !== undefined && (inputBytes < minInputBytes || inputBytes > maxInputBytes)) {
    throw refused(`unsupported: ${operation} of ${inputBytes} bytes, wanted ${minInputBytes} to ${maxInputBytes}`);
  }
  return row;
}
