import type { AlgorithmName } from "#core/algorithms.ts";
import type { Capabilities, CapabilityRow, ProviderOperation } from "#core/provider.ts";
import { unsupported } from "./errors.ts";
import { GCM_OVERHEAD_BYTES } from "./gcm.ts";
import { WRAP_OVERHEAD_BYTES } from "./kwp.ts";
import { OPAQUE_OVERHEAD_BYTES } from "./opaque.ts";

const MAX_BYTES = 65_536;
const MAX_WRAP_BYTES = 4096;
export const MAX_RANDOM_BYTES = 1024;
export const RECIPIENT_ALGORITHM = "AES-KWP";

/** Algorithms of keys that this provider makes, with the length of their material. */
export const MATERIAL_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "AES-256-OPAQUE": 32,
  "AES-256-GCM": 32,
  "AES-KWP": 32,
  "HMAC-SHA-224": 28,
  "HMAC-SHA-256": 32,
  "HMAC-SHA-384": 48,
  "HMAC-SHA-512": 64,
};

const CIPHERS = [
  { algorithm: "AES-256-OPAQUE", overhead: OPAQUE_OVERHEAD_BYTES },
  { algorithm: "AES-256-GCM", overhead: GCM_OVERHEAD_BYTES },
] as const;
const MACS = ["HMAC-SHA-224", "HMAC-SHA-256", "HMAC-SHA-384", "HMAC-SHA-512"] as const;

const rows: readonly CapabilityRow[] = [
  ...CIPHERS.flatMap(({ algorithm, overhead }): CapabilityRow[] => [
    { operation: "encrypt", algorithm, maxInputBytes: MAX_BYTES, context: "bytes" },
    { operation: "decrypt", algorithm, maxInputBytes: MAX_BYTES + overhead, context: "bytes" },
  ]),
  { operation: "wrap", algorithm: RECIPIENT_ALGORITHM, maxInputBytes: MAX_WRAP_BYTES, context: "bytes" },
  {
    operation: "unwrap",
    algorithm: RECIPIENT_ALGORITHM,
    maxInputBytes: MAX_WRAP_BYTES + WRAP_OVERHEAD_BYTES,
    context: "bytes",
  },
  ...MACS.flatMap((algorithm): CapabilityRow[] => [
    { operation: "mac", algorithm, maxInputBytes: MAX_BYTES, context: "none" },
    { operation: "verify-mac", algorithm, maxInputBytes: MAX_BYTES, context: "none" },
  ]),
];

/** What a software HSM can do. It keeps the window of a destruction by its own clock. */
export const LOCAL_CAPABILITIES: Capabilities = {
  rows,
  protection: "software",
  entity: [],
  recipientAlgorithm: RECIPIENT_ALGORITHM,
  destructionDays: { min: 1, max: 90 },
  processOnly: false,
  propagationMs: 0,
};

/** Refuses what no row allows. Bytes that are to be opened have no length here: a wrong one is a verdict on them, given with the others. */
export function requireCapability(operation: ProviderOperation, algorithm: AlgorithmName, inputBytes = 0): void {
  const row = rows.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw unsupported(`${operation} with ${algorithm}`);
  if (inputBytes > row.maxInputBytes) {
    throw unsupported(`${operation} of ${inputBytes} bytes: at most ${row.maxInputBytes}`);
  }
}
