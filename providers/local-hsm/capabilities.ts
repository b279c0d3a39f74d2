import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import type { Capabilities, CapabilityRow, ProviderOperation } from "#core/provider.ts";
import { unsupported } from "./errors.ts";
import { GCM_OVERHEAD_BYTES } from "./gcm.ts";
import { WRAP_OVERHEAD_BYTES } from "./kwp.ts";
import { OPAQUE_OVERHEAD_BYTES } from "./opaque.ts";
import { digestBytes, OFFERED_ALGORITHMS, shapeOf } from "./shapes.ts";

const MAX_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 524_288;
const MAX_WRAP_BYTES = 4096;
/** SPKI of P-521 has 158 bytes. */
const MAX_PEER_KEY_BYTES = 256;
/** HMAC keys of others: from 128 bits on (SP 800-131A asks for 112), and no longer than anybody needs: HMAC hashes what exceeds its block. */
const HMAC_IMPORT_BYTES = { min: 16, max: 1024 } as const;
const MAX_PKCS8_BYTES = 16_384;
/** SPKI of RSA-4096 has 550 bytes. */
const MAX_WRAPPING_KEY_BYTES = 1024;
export const MAX_RANDOM_BYTES = 1024;
export const RECIPIENT_ALGORITHM = "AES-KWP";

function usesOf(algorithm: AlgorithmName): readonly CapabilityRow[] {
  const { purpose } = algorithmTraits(algorithm);
  switch (purpose) {
    case "encrypt":
      return cipherRows(algorithm);
    case "sign":
      return signatureRows(algorithm);
    case "mac":
      return [plain("mac", algorithm, MAX_MESSAGE_BYTES), plain("verify-mac", algorithm, MAX_MESSAGE_BYTES)];
    case "wrap":
      return [
        { ...plain("wrap-material", algorithm, MAX_BYTES), minInputBytes: algorithm === "AES-KW" ? 16 : 1 },
        plain("unwrap-material", algorithm, MAX_BYTES + WRAP_OVERHEAD_BYTES),
      ];
    case "agree":
      return [plain("agree", algorithm, MAX_PEER_KEY_BYTES)];
    case "kem":
      return [
        plain("encapsulate", algorithm, 0),
        plain("decapsulate", algorithm, KEM_CIPHERTEXT_BYTES[algorithm] ?? 0),
      ];
  }
}

/** FIPS 203, table 3. */
const KEM_CIPHERTEXT_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "ML-KEM-512": 768,
  "ML-KEM-768": 1088,
  "ML-KEM-1024": 1568,
};

function cipherRows(algorithm: AlgorithmName): readonly CapabilityRow[] {
  const shape = shapeOf(algorithm);
  if (shape?.kind === "rsa") {
    const modulusBytes = shape.modulusBits / 8;
    const capacity = modulusBytes - 2 * (digestBytes(algorithm) ?? 0) - 2; // RFC 8017 § 7.1.1
    return [plain("encrypt", algorithm, capacity), plain("decrypt", algorithm, modulusBytes)];
  }
  const overhead = algorithm === "AES-256-OPAQUE" ? OPAQUE_OVERHEAD_BYTES : GCM_OVERHEAD_BYTES;
  return [
    { operation: "encrypt", algorithm, maxInputBytes: MAX_BYTES, context: "bytes" },
    { operation: "decrypt", algorithm, maxInputBytes: MAX_BYTES + overhead, context: "bytes" },
  ];
}

function signatureRows(algorithm: AlgorithmName): readonly CapabilityRow[] {
  const takesDigests = algorithm.startsWith("EC-") || algorithm.includes("-PKCS1-");
  const digests = takesDigests ? ({ digests: true } as const) : {};
  return [
    { ...plain("sign", algorithm, MAX_MESSAGE_BYTES), ...digests },
    { ...plain("verify", algorithm, MAX_MESSAGE_BYTES), ...digests },
  ];
}

function importOf(algorithm: AlgorithmName): CapabilityRow {
  const shape = shapeOf(algorithm);
  if (shape?.kind !== "secret") return plain("import", algorithm, MAX_PKCS8_BYTES);
  return plain("import", algorithm, secretBytes(algorithm, shape.bytes).max);
}

/** What lengths of a symmetric key are taken from outside: HMAC keys have a range, the others one length. */
export function secretBytes(algorithm: AlgorithmName, bytes: number): { readonly min: number; readonly max: number } {
  return algorithmTraits(algorithm).purpose === "mac" ? HMAC_IMPORT_BYTES : { min: bytes, max: bytes };
}

function plain(operation: ProviderOperation, algorithm: AlgorithmName, maxInputBytes: number): CapabilityRow {
  return { operation, algorithm, maxInputBytes, context: "none" };
}

const rows: readonly CapabilityRow[] = [
  ...OFFERED_ALGORITHMS.flatMap((algorithm) => [
    ...usesOf(algorithm),
    importOf(algorithm),
    plain("export", algorithm, MAX_WRAPPING_KEY_BYTES),
  ]),
  { operation: "wrap", algorithm: RECIPIENT_ALGORITHM, maxInputBytes: MAX_WRAP_BYTES, context: "bytes" },
  {
    operation: "unwrap",
    algorithm: RECIPIENT_ALGORITHM,
    maxInputBytes: MAX_WRAP_BYTES + WRAP_OVERHEAD_BYTES,
    context: "bytes",
  },
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

/**
 * Refuses what no row allows, and answers the row. Bytes that are to be opened have no length here: a wrong one is a verdict on them,
 * given with the others.
 */
export function requireCapability(
  operation: ProviderOperation,
  algorithm: AlgorithmName,
  inputBytes?: number,
): CapabilityRow {
  const row = rows.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw unsupported(`${operation} with ${algorithm}`);
  if (inputBytes === undefined) return row;
  const { minInputBytes = 0, maxInputBytes } = row;
  if (inputBytes > maxInputBytes) throw unsupported(`${operation} of ${inputBytes} bytes: at most ${maxInputBytes}`);
  if (inputBytes < minInputBytes) throw unsupported(`${operation} of ${inputBytes} bytes: at least ${minInputBytes}`);
  return row;
}

/** Refuses a context where the row binds none: it is never dropped. */
export function requireContext({ operation, algorithm, context }: CapabilityRow, given: Context): void {
  const isEmpty = given.kind === "none" || (given.kind === "map" && given.pairs.size === 0);
  if (context === "none" && !isEmpty) throw unsupported(`${operation} with ${algorithm} and a context`);
}
