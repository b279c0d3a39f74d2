import type { AlgorithmName } from "#core/algorithms.ts";
import type { Capabilities, CapabilityRow, ProviderOperation } from "#core/provider.ts";
import { refused } from "./errors.ts";

/** Encrypt takes 1 to this many bytes (API reference, Encrypt, Plaintext). */
const MAX_PLAINTEXT_BYTES = 4096;
/** Decrypt takes 1 to this many bytes (API reference, Decrypt, CiphertextBlob). */
export const MAX_CIPHERTEXT_BYTES = 6144;
/** GenerateRandom gives 1 to this many bytes (API reference, GenerateRandom, NumberOfBytes). */
export const MAX_RANDOM_BYTES = 1024;

const opaque = { algorithm: "AES-256-OPAQUE", context: "map" } as const;

const ROWS: readonly CapabilityRow[] = [
  { operation: "encrypt", maxInputBytes: MAX_PLAINTEXT_BYTES, ...opaque },
  { operation: "decrypt", maxInputBytes: MAX_CIPHERTEXT_BYTES, ...opaque },
  { operation: "wrap", maxInputBytes: MAX_PLAINTEXT_BYTES, ...opaque },
  { operation: "unwrap", maxInputBytes: MAX_CIPHERTEXT_BYTES, ...opaque },
];

export const AWS_KMS_CAPABILITIES: Capabilities = {
  rows: ROWS,
  protection: "hsm",
  entity: ["US"],
  recipientAlgorithm: "AES-256-OPAQUE",
  destructionDays: { min: 7, max: 30 },
  processOnly: false,
  // "Usually seconds, in some cases several minutes" (developer guide, eventual consistency).
  propagationMs: 300_000,
};

/** Refuses what no row allows. */
export function requireCapability(operation: ProviderOperation, algorithm: AlgorithmName, inputBytes: number): void {
  const row = ROWS.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw refused(`unsupported: ${operation} with ${algorithm}`);
  if (inputBytes > row.maxInputBytes)
    throw refused(`unsupported: ${operation} of more than ${row.maxInputBytes} bytes`);
}
