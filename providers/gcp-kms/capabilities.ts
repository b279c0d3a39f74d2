import type { AlgorithmName } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import type { Capabilities, CapabilityRow, ProviderOperation } from "#core/provider.ts";
import { hashOf, modulusBytes, OFFERED, shapeOf } from "./algorithms.ts";
import { refused } from "./errors.ts";
import { isImportable, materialBounds } from "./import-material.ts";

/** Plaintext and additional data have so many bytes each in software, and together in an HSM (proto, EncryptRequest). */
const PLAINTEXT_BYTES = { SOFTWARE: 65_536, HSM: 8192 } as const;
/** Left for the additional data, of which an encoded context has 8,192 bytes at most. */
const HSM_CONTEXT_BYTES = 2048;
const DATA_BYTES = 65_536;
/** What the service adds to a ciphertext is not published: more than that opens nothing. */
const OVERHEAD_BYTES = 1024;
const GCM_BYTES = 12 + 16;
const HASH_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const KEM_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = { "ML-KEM-768": 1088, "ML-KEM-1024": 1568 };

/** The days between a destruction and its end: fixed when a key is made. */
export const DESTRUCTION_DAYS = 7;

export type ProtectionLevel = keyof typeof PLAINTEXT_BYTES;
type Ability = Omit<CapabilityRow, "algorithm">;

function abilitiesOf(algorithm: AlgorithmName, level: ProtectionLevel): readonly Ability[] {
  const { purpose, digest } = shapeOf(algorithm);
  const plain = PLAINTEXT_BYTES[level] - (level === "HSM" ? HSM_CONTEXT_BYTES : 0);
  switch (purpose) {
    case "ENCRYPT_DECRYPT":
      return [
        { operation: "encrypt", maxInputBytes: plain, context: "bytes" },
        { operation: "decrypt", maxInputBytes: plain + OVERHEAD_BYTES, context: "bytes" },
        { operation: "wrap", maxInputBytes: plain, context: "bytes" },
        { operation: "unwrap", maxInputBytes: plain + OVERHEAD_BYTES, context: "bytes" },
      ];
    case "RAW_ENCRYPT_DECRYPT":
      return [
        { operation: "encrypt", maxInputBytes: plain, context: "bytes" },
        { operation: "decrypt", maxInputBytes: plain + GCM_BYTES, context: "bytes" },
      ];
    case "ASYMMETRIC_DECRYPT": {
      const modulus = modulusBytes(algorithm) ?? 0;
      const hash = HASH_BYTES[hashOf(algorithm) ?? ""] ?? 0;
      return [
        { operation: "encrypt", maxInputBytes: modulus - 2 * hash - 2, context: "none" },
        { operation: "decrypt", maxInputBytes: modulus, context: "none" },
      ];
    }
    case "ASYMMETRIC_SIGN":
      return [
        {
          operation: "sign",
          maxInputBytes: digest === undefined ? DATA_BYTES : 524_288,
          context: "none",
          ...(digest === undefined ? {} : { digests: true }),
        },
      ];
    case "MAC":
      return [
        { operation: "mac", maxInputBytes: DATA_BYTES, context: "none" },
        { operation: "verify-mac", maxInputBytes: DATA_BYTES, context: "none" },
      ];
    case "KEY_ENCAPSULATION":
      return [{ operation: "decapsulate", maxInputBytes: KEM_BYTES[algorithm] ?? 0, context: "none" }];
  }
}

/** What a key ring offers whose new keys are of a protection level. */
export function gcpKmsCapabilities(level: ProtectionLevel): Capabilities {
  const offered = OFFERED.filter((algorithm) => level === "HSM" || shapeOf(algorithm).hsmOnly !== true);
  return {
    rows: offered.flatMap((algorithm) => [
      ...abilitiesOf(algorithm, level).map((ability) => ({ ...ability, algorithm })),
      ...(isImportable(algorithm)
        ? [{ operation: "import" as const, algorithm, ...materialBounds(algorithm), context: "none" as const }]
        : []),
    ]),
    quotas: [
      {
        name: "cryptographic requests of a project (regional, and adjusted by the service)",
        perSecond: 1000,
        operations: ["encrypt", "decrypt", "wrap", "unwrap", "sign", "mac", "verify-mac", "decapsulate"],
      },
    ],
    protection: level === "HSM" ? "hsm" : "software",
    entity: ["US"],
    recipientAlgorithm: "AES-256-OPAQUE",
    destructionDays: { min: DESTRUCTION_DAYS, max: DESTRUCTION_DAYS },
    processOnly: false,
    // "Disabling a key version … usually takes about a minute" (Cloud KMS resource consistency).
    propagationMs: 60_000,
    // Half of 600 read requests a minute, of which each key costs one.
    listedPerSecond: 5,
  };
}

export type Require = (operation: ProviderOperation, algorithm: AlgorithmName, inputBytes?: number) => CapabilityRow;

/** Refuses what no row allows; gives the row. `inputBytes` is left out where the length is a verdict on the caller's bytes. */
export function requirer({ rows }: Capabilities): Require {
  return (operation, algorithm, inputBytes) => {
    const row = rows.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
    if (row === undefined) throw refused(`unsupported: ${operation} with ${algorithm}`);
    if (inputBytes !== undefined && inputBytes > row.maxInputBytes)
      throw refused(`unsupported: ${operation} of ${inputBytes} bytes, wanted at most ${row.maxInputBytes}`);
    return row;
  };
}

/** Refuses a context where the row binds none. */
export function requireContext({ context: binds, operation }: CapabilityRow, context: Context): void {
  const isEmpty = context.kind === "none" || (context.kind === "map" && context.pairs.size === 0);
  if (binds === "none" && !isEmpty) throw refused(`unsupported: ${operation} with a context`);
}
