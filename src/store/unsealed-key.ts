import { ALGORITHMS, type AlgorithmName } from "#core/algorithms.ts";
import type { KeyId } from "#core/ids.ts";
import { PURPOSES, type Purpose } from "#core/purposes.ts";
import type { Hold, KeyRecord } from "#core/records.ts";

/** The key with a hold that nothing but a row that verifies again takes away. */
export function heldUnsealed(record: KeyRecord, since: number, evidence: string): KeyRecord {
  const hold: Hold = { binding: null, class: "unsealed", since, evidence };
  return { ...record, hold };
}

/**
 * Stands for a key of which no verified record is known. Of the unverified record only the words that say which key it is are taken,
 * so that the refusal reads well; all that could allow anything is fixed here.
 */
export function placeholderKey(id: KeyId, unverified: Readonly<Record<string, unknown>> = {}): KeyRecord {
  const text = (name: string): string => (typeof unverified[name] === "string" ? unverified[name] : "");
  const purpose = PURPOSES.find((known) => known === unverified["purpose"]) ?? "encrypt";
  return {
    ...SUSPENDED,
    id,
    namespace: text("namespace"),
    name: text("name"),
    aliases: Array.isArray(unverified["aliases"])
      ? unverified["aliases"].filter((alias) => typeof alias === "string")
      : [],
    purpose,
    algorithm: algorithmOf(unverified["algorithm"], purpose),
  };
}

function algorithmOf(value: unknown, purpose: Purpose): AlgorithmName {
  const names = Object.keys(ALGORITHMS) as AlgorithmName[];
  const named = names.find((name) => name === value && ALGORITHMS[name].purpose === purpose);
  return named ?? names.find((name) => ALGORITHMS[name].purpose === purpose) ?? "AES-256-GCM";
}

const SUSPENDED: Omit<KeyRecord, "id" | "namespace" | "name" | "aliases" | "purpose" | "algorithm"> = {
  state: "suspended",
  stateReason: "hold",
  processing: "deny",
  previousReason: null,
  activateTime: null,
  protectStopTime: null,
  deactivateTime: null,
  destroyTime: null,
  compromiseOccurrenceTime: null,
  labels: {},
  description: "the row of this key does not verify",
  owner: "",
  contacts: [],
  dataClass: "",
  attributes: {},
  custody: { kind: "portable", holders: [], minimum: 1, threshold: 1, dedicated: false },
  origin: "generated",
  exportability: {
    extractable: false,
    neverExtractable: false,
    sensitive: false,
    alwaysSensitive: false,
    fresh: false,
  },
  links: [],
  hold: null,
  primaryVersion: null,
  pendingVersion: null,
  pendingTime: null,
  latestVersion: 0,
  rotation: { everyDays: null, maxMessages: null, maxBytes: null, nextTime: null },
  onState: "stop",
  route: "",
  branch: null,
  generation: 0,
  createTime: 0,
  updateTime: 0,
  createdBy: "",
};
