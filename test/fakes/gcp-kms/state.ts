import { type KeyObject, randomBytes } from "node:crypto";
import { Eventual } from "../aws-kms/eventual.ts";
import { type Algorithm, isAsymmetric, type Purpose, rowOf } from "./algorithms.ts";
import { generateKey, type Material, once } from "./material.ts";

export type ProtectionLevel = "SOFTWARE" | "HSM";
export type VersionState =
  | "PENDING_GENERATION"
  | "ENABLED"
  | "DISABLED"
  | "DESTROYED"
  | "DESTROY_SCHEDULED"
  | "PENDING_IMPORT"
  | "IMPORT_FAILED"
  | "GENERATION_FAILED";

export type KeyRing = { readonly name: string; readonly createdMs: number };

export type Version = {
  readonly name: string;
  readonly id: string;
  readonly algorithm: Algorithm;
  readonly protectionLevel: ProtectionLevel;
  readonly createdMs: number;
  /** Reads see its latest value; cryptography may see an older one. */
  readonly state: Eventual<VersionState>;
  generatedMs: number | undefined;
  /** When a pending state ends, and in what. */
  due: { readonly atMs: number; readonly state: VersionState } | undefined;
  destroyMs: number | undefined;
  destroyEventMs: number | undefined;
  material: Material | undefined;
  imported: Imported | undefined;
  importFailure: string | undefined;
};

export type Imported = {
  readonly job: string;
  readonly atMs: number;
  /** SHA-256 of the material, once some was accepted: a later import must bring the same. */
  readonly fingerprint: string | undefined;
};

export type CryptoKey = {
  readonly name: string;
  readonly purpose: Purpose;
  readonly createdMs: number;
  readonly protectionLevel: ProtectionLevel;
  readonly importOnly: boolean;
  readonly destroyScheduledMs: number;
  readonly versions: Version[];
  /** The id of the version that Encrypt takes. Reads see its latest value; Encrypt may see an older one. */
  readonly primary: Eventual<string | undefined>;
  algorithm: Algorithm;
  labels: Readonly<Record<string, string>>;
  rotationMs: number | undefined;
  nextRotationMs: number | undefined;
};

export type ImportJob = {
  readonly name: string;
  readonly method: string;
  readonly protectionLevel: ProtectionLevel;
  readonly createdMs: number;
  readonly readyMs: number;
  readonly unwrapWith: () => Promise<KeyObject>;
};

/** What an in-memory Cloud KMS holds, and the switches that tests turn. */
export type KmsState = {
  readonly now: () => number;
  /** Tells one fake's page tokens from another's. */
  readonly id: string;
  readonly keyRings: Map<string, KeyRing>;
  readonly keys: Map<string, CryptoKey>;
  readonly jobs: Map<string, ImportJob>;
  /** The pair under which imports are wrapped, by its bits. Google makes one for each job; here one per size serves all. */
  readonly wrappingKey: (bits: number) => () => Promise<KeyObject>;
  propagationMs: number;
  generationMs: number;
  importMs: number;
};

export const DAY_MS = 86_400_000;
export const JOB_LIFE_MS = 3 * DAY_MS;

export type Switches = Pick<KmsState, "now" | "propagationMs" | "generationMs" | "importMs">;

export const createKmsState = (switches: Switches): KmsState => {
  const pairs = new Map<number, () => Promise<KeyObject>>();
  return {
    ...switches,
    id: randomBytes(4).toString("hex"),
    keyRings: new Map(),
    keys: new Map(),
    jobs: new Map(),
    wrappingKey: (bits) => {
      const pair = pairs.get(bits) ?? once(() => generateKey({ kind: "rsa", bits }));
      pairs.set(bits, pair);
      return pair;
    },
  };
};

/** Adds a version with material of its own: ENABLED, or PENDING_GENERATION for a while if it is asymmetric. */
export const addGenerated = (kms: KmsState, key: CryptoKey): Version => {
  const nowMs = kms.now();
  const pending = isAsymmetric(key.algorithm) && kms.generationMs > 0;
  return addVersion(kms, key, {
    algorithm: key.algorithm,
    state: pending ? "PENDING_GENERATION" : "ENABLED",
    due: pending ? { atMs: nowMs + kms.generationMs, state: "ENABLED" } : undefined,
    generatedMs: pending ? undefined : nowMs,
    material: once(() => generateKey(rowOf(key.algorithm).shape)),
  });
};

type NewVersion = Pick<Version, "algorithm" | "due" | "generatedMs" | "material"> & { readonly state: VersionState };

/** Adds a version under the next id: ids are never given twice. */
export const addVersion = (kms: KmsState, key: CryptoKey, { state, ...made }: NewVersion): Version => {
  const id = String(key.versions.length + 1);
  const version: Version = {
    ...made,
    id,
    name: `${key.name}/cryptoKeyVersions/${id}`,
    protectionLevel: key.protectionLevel,
    createdMs: kms.now(),
    state: new Eventual(state),
    destroyMs: undefined,
    destroyEventMs: undefined,
    imported: undefined,
    importFailure: undefined,
  };
  key.versions.push(version);
  return version;
};

/** The state as reads tell it; only cryptography lags behind. */
export const stateOf = (version: Version): VersionState => version.state.seen(Number.POSITIVE_INFINITY);

/** Changes a state for all readers, and for cryptography too unless it is one of those that travel slowly. */
export const changeState = (kms: KmsState, version: Version, state: VersionState): void => {
  const slow = state === "DISABLED" || state === "DESTROY_SCHEDULED";
  version.state.set(state, { nowMs: kms.now(), delayMs: slow ? kms.propagationMs : 0 });
};

/** Makes a version the one that Encrypt takes, after a while. */
export const changePrimary = (kms: KmsState, key: CryptoKey, id: string): void => {
  const first = key.primary.seen(Number.POSITIVE_INFINITY) === undefined;
  key.primary.set(id, { nowMs: kms.now(), delayMs: first ? 0 : kms.propagationMs });
};

export const findVersion = (key: CryptoKey, id: string | undefined): Version | undefined =>
  key.versions.find((version) => version.id === id);

/** Does what dates have made due: destructions, ends of pending states, rotations. */
export const applyDates = (kms: KmsState): void => {
  const nowMs = kms.now();
  for (const key of kms.keys.values()) {
    for (const version of key.versions) applyDatesOf(version, nowMs);
    while (key.rotationMs !== undefined && key.nextRotationMs !== undefined && key.nextRotationMs <= nowMs) {
      key.nextRotationMs += key.rotationMs;
      changePrimary(kms, key, addGenerated(kms, key).id);
    }
  }
};

const applyDatesOf = (version: Version, nowMs: number): void => {
  if (version.due !== undefined && version.due.atMs <= nowMs) {
    version.state.set(version.due.state, { nowMs, delayMs: 0 });
    if (version.due.state === "ENABLED") version.generatedMs ??= version.due.atMs;
    version.due = undefined;
  }
  if (version.destroyMs !== undefined && version.destroyMs <= nowMs) {
    version.state.set("DESTROYED", { nowMs, delayMs: 0 });
    version.destroyEventMs = version.destroyMs;
    version.destroyMs = undefined;
    version.material = undefined;
  }
};
