import type { AlgorithmName } from "#core/algorithms.ts";
import type { Context } from "#core/context.ts";
import type { Capabilities, CapabilityRow, ProviderOperation, Quota } from "#core/provider.ts";
import { refused } from "./errors.ts";
import { digestBytes, modulusBytes, OFFERED, shapeOf } from "./specs.ts";

/** Messages are hashed here, and only their digests are sent. */
const MAX_MESSAGE_BYTES = 524_288;
/** Microsoft publishes none for a Managed HSM's AES; requests are JSON. */
const MAX_AES_BYTES = 4096;
/** PKCS#8 of an RSA-4096 key has some 2,400 bytes. */
const MAX_PRIVATE_KEY_BYTES = 16_384;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
/** What AES key wrap adds (RFC 3394 § 2.2.1). */
const KW_OVERHEAD_BYTES = 8;
/** SHA-256 of the wrap context stands before the payload: neither RSA-OAEP nor AES key wrap takes additional data here. */
export const CONTEXT_BYTES = 32;
const VAULT_RECIPIENT = "RSA-3072-OAEP-SHA256";
const HSM_RECIPIENT = "AES-KW";

/** What distinguishes one vault's abilities from another's. */
export type Setting = { readonly hardwareProtected: boolean; readonly retentionDays: number };

/** What a vault can do, by its configuration. */
export function vaultCapabilities({ hardwareProtected, retentionDays }: Setting): Capabilities {
  const capacity = oaepCapacity(VAULT_RECIPIENT) - CONTEXT_BYTES;
  return {
    rows: [
      ...OFFERED.filter((name) => shapeOf(name).family !== "oct").flatMap(rowsOf),
      { operation: "wrap", algorithm: VAULT_RECIPIENT, minInputBytes: 1, maxInputBytes: capacity, context: "bytes" },
      {
        operation: "unwrap",
        algorithm: VAULT_RECIPIENT,
        maxInputBytes: modulusBytes(VAULT_RECIPIENT) ?? 0,
        context: "bytes",
      },
    ],
    quotas: quotasOf(hardwareProtected ? HSM_PER_10_S : SOFTWARE_PER_10_S),
    protection: hardwareProtected ? "hsm" : "software",
    entity: ["US"],
    recipientAlgorithm: VAULT_RECIPIENT,
    destructionDays: { min: retentionDays, max: retentionDays },
    processOnly: true,
    // Nothing is documented for a vault; replicas of its Region are read.
    propagationMs: 60_000,
    // A tenth of the 4,000 other requests in 10 s, of which each listed key costs two (service limits).
    listedPerSecond: 20,
  };
}

/** What a Managed HSM can do, by its configuration. No quota is published but what its partitions can compute. */
export function hsmCapabilities({ retentionDays }: Pick<Setting, "retentionDays">): Capabilities {
  const wrap = { algorithm: HSM_RECIPIENT, minInputBytes: 8, context: "bytes" } as const;
  const longest = CONTEXT_BYTES + MAX_AES_BYTES + KW_OVERHEAD_BYTES;
  return {
    rows: [
      ...OFFERED.flatMap(rowsOf),
      { operation: "wrap", ...wrap, maxInputBytes: MAX_AES_BYTES },
      { operation: "unwrap", algorithm: HSM_RECIPIENT, maxInputBytes: longest, context: "bytes" },
    ],
    protection: "hsm",
    entity: ["US"],
    recipientAlgorithm: HSM_RECIPIENT,
    destructionDays: { min: retentionDays, max: retentionDays },
    processOnly: true,
    // "Up to six minutes" for a write of a multi-Region HSM.
    propagationMs: 360_000,
  };
}

type Ability = Omit<CapabilityRow, "algorithm">;

function rowsOf(algorithm: AlgorithmName): CapabilityRow[] {
  return abilitiesOf(algorithm).map((ability) => ({ ...ability, algorithm }));
}

function abilitiesOf(algorithm: AlgorithmName): Ability[] {
  const { family, use } = shapeOf(algorithm);
  const imports: Ability[] =
    family === "oct" ? [] : [{ operation: "import", maxInputBytes: MAX_PRIVATE_KEY_BYTES, context: "none" }];
  if (use === "signer") {
    const of = { maxInputBytes: MAX_MESSAGE_BYTES, context: "none", digests: true } as const;
    return [{ operation: "sign", ...of }, { operation: "verify", ...of }, ...imports];
  }
  if (use === "wrapper") {
    return [
      { operation: "wrap-material", minInputBytes: 16, maxInputBytes: MAX_AES_BYTES, context: "none" },
      { operation: "unwrap-material", maxInputBytes: MAX_AES_BYTES + KW_OVERHEAD_BYTES, context: "none" },
    ];
  }
  if (family === "oct") {
    const maxInputBytes = IV_BYTES + MAX_AES_BYTES + TAG_BYTES;
    return [
      { operation: "encrypt", minInputBytes: 1, maxInputBytes: MAX_AES_BYTES, context: "bytes" },
      { operation: "decrypt", maxInputBytes, context: "bytes" },
    ];
  }
  return [
    { operation: "encrypt", minInputBytes: 1, maxInputBytes: oaepCapacity(algorithm), context: "none" },
    { operation: "decrypt", maxInputBytes: modulusBytes(algorithm) ?? 0, context: "none" },
    ...imports,
  ];
}

/** RFC 8017 § 7.1.1: a modulus holds a message, two digests and two bytes. */
function oaepCapacity(algorithm: AlgorithmName): number {
  return (modulusBytes(algorithm) ?? 0) - 2 * digestBytes(algorithm) - 2;
}

/** Transactions of one vault in 10 seconds (service limits, key transactions). */
const SOFTWARE_PER_10_S: Readonly<Record<string, number>> = {
  "RSA-2048-": 4000,
  "RSA-3072-": 1000,
  "RSA-4096-": 500,
  "EC-": 4000,
};
const HSM_PER_10_S: Readonly<Record<string, number>> = {
  "RSA-2048-": 2000,
  "RSA-3072-": 500,
  "RSA-4096-": 250,
  "EC-": 2000,
};

function quotasOf(per10s: Readonly<Record<string, number>>): Quota[] {
  return Object.entries(per10s).map(([prefix, count]) => ({
    name: `key transactions (${prefix.slice(0, -1)})`,
    perSecond: count / 10,
    operations: prefix === "EC-" ? ["sign", "verify"] : ["encrypt", "decrypt", "wrap", "unwrap", "sign", "verify"],
    algorithms: [prefix],
  }));
}

/** Refuses what no row allows; gives the row. `inputBytes` is left out where the length is a verdict on the caller's bytes. */
export function requireCapability(
  { rows }: Capabilities,
  operation: ProviderOperation,
  algorithm: AlgorithmName,
  inputBytes?: number,
): CapabilityRow {
  const row = rows.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw refused(`unsupported: ${operation} with ${algorithm}`);
  const { minInputBytes = 0, maxInputBytes } = row;
  if (inputBytes !== undefined && (inputBytes < minInputBytes || inputBytes > maxInputBytes)) {
    throw refused(`unsupported: ${operation} of ${inputBytes} bytes, wanted ${minInputBytes} to ${maxInputBytes}`);
  }
  return row;
}

/** Refuses an algorithm that no row names: there is nothing that its key could do. */
export function requireOffered({ rows }: Capabilities, algorithm: AlgorithmName): void {
  if (!rows.some((row) => row.algorithm === algorithm)) throw refused(`unsupported: a key for ${algorithm}`);
}

/** Refuses a context where the row binds none: it is never dropped. */
export function requireContext({ operation, algorithm, context }: CapabilityRow, given: Context): void {
  const isEmpty = given.kind === "none" || (given.kind === "map" && given.pairs.size === 0);
  if (context === "none" && !isEmpty) throw refused(`unsupported: ${operation} with ${algorithm} and a context`);
}
