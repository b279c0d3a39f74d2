import { ALGORITHM_NAMES, type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { Capabilities, CapabilityRow, ProviderOperation } from "#core/provider.ts";
import { unsupported } from "./errors.ts";
import { isOffered, specOf } from "./specs.ts";
import type { HashName, TokenFacts } from "./wire.ts";

/** Longer ones cost a process of the module, and so every other caller, too much time. */
const MAX_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 524_288;
const MAX_WRAP_BYTES = 4096;
const MAX_PEER_KEY_BYTES = 256;
export const MAX_RANDOM_BYTES = 1024;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
export const CONTEXT_BYTES = 32;
const KW_OVERHEAD_BYTES = 8;
const KWP_OVERHEAD_BYTES = 15;

/** keys.md: a recipient wraps with AES-KW, with AES-GCM only where KW is missing. */
const RECIPIENTS = ["AES-KW", "AES-256-GCM"] as const;

/** What a token can do, by the mechanisms that it lists; undefined where it could not even wrap branch keys. */
export function capabilitiesOf(facts: TokenFacts): Capabilities | undefined {
  const offered = ALGORITHM_NAMES.filter((name) => offers(facts, name));
  const recipient = RECIPIENTS.find((name) => offered.includes(name));
  if (recipient === undefined) return undefined;
  const isKeyWrap = recipient === "AES-KW";
  const overhead = isKeyWrap ? KW_OVERHEAD_BYTES + CONTEXT_BYTES : IV_BYTES + TAG_BYTES;
  const shared = { algorithm: recipient, context: "bytes" } as const;
  return {
    rows: [
      ...offered.flatMap((name) => rowsOf(name)),
      { operation: "wrap", minInputBytes: isKeyWrap ? 8 : 1, maxInputBytes: MAX_WRAP_BYTES, ...shared },
      { operation: "unwrap", maxInputBytes: MAX_WRAP_BYTES + overhead, ...shared },
    ],
    protection: facts.manufacturer.startsWith("SoftHSM") ? "software" : "hsm",
    entity: [],
    recipientAlgorithm: recipient,
    destructionDays: null,
    processOnly: true,
    propagationMs: 0,
  };
}

function offers(facts: TokenFacts, algorithm: AlgorithmName): boolean {
  const spec = specOf(algorithm, facts.kwp);
  if (spec === undefined || !isOffered(facts, spec)) return false;
  const oaep = /^RSA-\d+-OAEP-(SHA1|SHA256|SHA512)$/u.exec(algorithm)?.[1];
  return oaep === undefined || facts.oaepHashes.includes(oaep.toLowerCase() as HashName);
}

function rowsOf(algorithm: AlgorithmName): readonly CapabilityRow[] {
  switch (algorithmTraits(algorithm).purpose) {
    case "encrypt":
      return cipherRows(algorithm);
    case "sign": {
      const digests = algorithm.startsWith("EC-") || algorithm.includes("-PKCS1-") ? ({ digests: true } as const) : {};
      return (["sign", "verify"] as const).map((operation) => ({
        ...plain(operation, algorithm, MAX_MESSAGE_BYTES),
        ...digests,
      }));
    }
    case "mac":
      return [plain("mac", algorithm, MAX_MESSAGE_BYTES), plain("verify-mac", algorithm, MAX_MESSAGE_BYTES)];
    case "wrap":
      return [
        { ...plain("wrap-material", algorithm, MAX_WRAP_BYTES), minInputBytes: algorithm === "AES-KW" ? 16 : 1 },
        plain("unwrap-material", algorithm, MAX_WRAP_BYTES + KWP_OVERHEAD_BYTES),
      ];
    case "agree":
      return [plain("agree", algorithm, MAX_PEER_KEY_BYTES)];
    case "kem":
      return [];
  }
}

function cipherRows(algorithm: AlgorithmName): readonly CapabilityRow[] {
  const rsa = /^RSA-(\d+)-OAEP-(SHA1|SHA256|SHA512)$/u.exec(algorithm);
  if (rsa !== null) {
    const modulusBytes = Number(rsa[1]) / 8;
    const hashBytes = { SHA1: 20, SHA256: 32, SHA512: 64 }[rsa[2] ?? ""] ?? 0;
    const capacity = modulusBytes - 2 * hashBytes - 2; // RFC 8017 § 7.1.1
    return [plain("encrypt", algorithm, capacity), plain("decrypt", algorithm, modulusBytes)];
  }
  return [
    { operation: "encrypt", algorithm, maxInputBytes: MAX_BYTES, context: "bytes" },
    { operation: "decrypt", algorithm, maxInputBytes: MAX_BYTES + IV_BYTES + TAG_BYTES, context: "bytes" },
  ];
}

function plain(operation: ProviderOperation, algorithm: AlgorithmName, maxInputBytes: number): CapabilityRow {
  return { operation, algorithm, maxInputBytes, context: "none" };
}

/** Refuses what no row allows; gives the row. `inputBytes` is left out where the length is a verdict on the caller's bytes. */
export function requireCapability(
  { rows }: Capabilities,
  operation: ProviderOperation,
  algorithm: AlgorithmName,
  inputBytes?: number,
): CapabilityRow {
  const row = rows.find((candidate) => candidate.operation === operation && candidate.algorithm === algorithm);
  if (row === undefined) throw unsupported(`${operation} with ${algorithm}`);
  const { minInputBytes = 0, maxInputBytes } = row;
  if (inputBytes !== undefined && (inputBytes < minInputBytes || inputBytes > maxInputBytes))
    throw unsupported(`${operation} of ${inputBytes} bytes, wanted ${minInputBytes} to ${maxInputBytes}`);
  return row;
}
