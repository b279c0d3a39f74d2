import { keyIdOf, parseUuid } from "#core/ids.ts";
import type { ClientRecord, KeyRecord, Lifecycle, Role, VersionRecord } from "#core/records.ts";

const KEY_ID = keyIdOf(parseUuid("0193a1b2-0000-7000-8000-000000000001"));

/** An active lifecycle without dates. */
export function lifecycle(part: Partial<Lifecycle> = {}): Lifecycle {
  return {
    state: "active",
    stateReason: null,
    processing: null,
    previousReason: null,
    activateTime: null,
    protectStopTime: null,
    deactivateTime: null,
    destroyTime: null,
    compromiseOccurrenceTime: null,
    ...part,
  };
}

/** An active portable key of the namespace `default` with version 1. */
export function keyRecord(part: Partial<KeyRecord> = {}): KeyRecord {
  return {
    ...lifecycle(),
    id: KEY_ID,
    namespace: "default",
    name: "orders",
    aliases: [],
    labels: {},
    description: "",
    owner: "",
    contacts: [],
    dataClass: "",
    attributes: {},
    purpose: "encrypt",
    algorithm: "AES-256-GCM",
    custody: { kind: "portable", holders: ["a", "b"], minimum: 2, threshold: 1, dedicated: false },
    origin: "generated",
    exportability: { extractable: false, neverExtractable: true, sensitive: true, alwaysSensitive: true, fresh: true },
    links: [],
    hold: null,
    primaryVersion: 1,
    pendingVersion: null,
    pendingTime: null,
    latestVersion: 1,
    rotation: { everyDays: null, maxMessages: null, maxBytes: null, nextTime: null },
    onState: "stop",
    route: "default",
    branch: null,
    generation: 1,
    createTime: 0,
    updateTime: 0,
    createdBy: "cli_1",
    ...part,
  };
}

export function versionRecord(part: Partial<VersionRecord> = {}): VersionRecord {
  return {
    ...lifecycle(),
    key: KEY_ID,
    version: 1,
    branch: null,
    branchVersion: null,
    seal: null,
    createTime: 0,
    ...part,
  };
}

/** A client of the namespace `default` that sees every key and may use none. */
export function clientRecord(role: Role, part: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: "cli_1",
    name: "someone",
    namespace: "default",
    person: "someone",
    role,
    keys: ["*"],
    allow: [],
    contextEquals: {},
    expireTime: null,
    createTime: 0,
    ...part,
  };
}
