/**
 * The sealed records: what people or sagas decide. Each is plain JSON with integers only (times are epoch milliseconds), and stands in
 * one table of the store and in the chained feed. `null` stands where there is nothing, so that two writings of a record are one.
 */
import type { AlgorithmName } from "./algorithms.ts";
import type { Custody } from "./custody.ts";
import type { BindingId, ClientId, KeyId, Uuid } from "./ids.ts";
import type { KeyOperation, Purpose } from "./purposes.ts";
import type { DesiredClass, Processing, State, StateReason } from "./states.ts";

/** A provider's own name of a key: an ARN, an object id. */
export type NativeRef = string;

export type NamespaceRecord = {
  readonly id: Uuid;
  readonly name: string;
  readonly dualControl: boolean;
  readonly approvers: number;
  readonly activation: "automatic" | "manual";
  readonly createTime: number;
};

/** A stop on a key until a person decides. */
export type Hold = {
  readonly binding: BindingId | null;
  /** The observed class or the failure that led to it; `unsealed` for a row that does not verify. */
  readonly class: string;
  readonly since: number;
  readonly evidence: string;
};

/** The part of a key or of a version that the lifecycle reads and writes. */
export type Lifecycle = {
  readonly state: State;
  readonly stateReason: StateReason | null;
  /** Null unless suspended. */
  readonly processing: Processing | null;
  /** The reason to which `cancel-destroy` and leaving `archived` return; null unless there is one. */
  readonly previousReason: StateReason | null;
  readonly activateTime: number | null;
  readonly protectStopTime: number | null;
  readonly deactivateTime: number | null;
  readonly destroyTime: number | null;
  readonly compromiseOccurrenceTime: number | null;
};

export type KeyRecord = Lifecycle & {
  readonly id: KeyId;
  readonly namespace: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string;
  readonly owner: string;
  readonly contacts: readonly string[];
  readonly dataClass: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly algorithm: AlgorithmName;
  readonly custody: Custody;
  readonly origin: "generated" | "imported" | "adopted";
  readonly exportability: {
    readonly extractable: boolean;
    readonly neverExtractable: boolean;
    readonly sensitive: boolean;
    readonly alwaysSensitive: boolean;
    readonly fresh: boolean;
  };
  readonly links: readonly { readonly kind: string; readonly key: KeyId; readonly version: number | null }[];
  readonly hold: Hold | null;
  /** Null before activation. */
  readonly primaryVersion: number | null;
  readonly pendingVersion: number | null;
  /** When a pending version becomes primary by itself; null if there is none. */
  readonly pendingTime: number | null;
  readonly latestVersion: number;
  readonly rotation: {
    readonly everyDays: number | null;
    readonly maxMessages: number | null;
    readonly maxBytes: number | null;
    readonly nextTime: number | null;
  };
  readonly onState: "stop" | "continue";
  /** The route that placed it. */
  readonly route: string;
  /** The branch whose keys seal new versions; null unless portable. */
  readonly branch: Uuid | null;
  readonly generation: number;
  readonly createTime: number;
  readonly updateTime: number;
  readonly createdBy: string;
};

export type VersionRecord = Lifecycle & {
  readonly key: KeyId;
  readonly version: number;
  /** Portable: the branch version that seals it, and the 40 bytes of the seal in base64. */
  readonly branch: Uuid | null;
  readonly branchVersion: number | null;
  readonly seal: string | null;
  readonly createTime: number;
};

/** A branch key: 32 bytes per namespace and placement that seal version keys. Its versions are {@link BranchVersionRecord}s. */
export type BranchRecord = {
  readonly id: Uuid;
  readonly namespace: string;
  /** Recipients that should hold a wrap, in the order of the placement; who lacks one is filled in by and by. */
  readonly recipients: readonly BranchRecipient[];
  readonly minimum: number;
  readonly threshold: number;
  /** The route that placed it: what it requires is asked of whoever opens it. */
  readonly route: string;
  /** The key that it is dedicated to. */
  readonly dedicatedTo: KeyId | null;
  readonly primaryVersion: number;
  readonly createTime: number;
};

/** A place of a branch: the provider that should hold it, by its name when it was placed and by its uid once that is known. */
export type BranchRecipient = { readonly provider: string; readonly uid: string | null };

export type BranchVersionRecord = {
  readonly branch: Uuid;
  readonly version: number;
  /** 32 bytes, base64; of the key itself (recipient zeroed). */
  readonly commitment: string;
  /** Who contributed randomness: `gateway`, or uids of providers. */
  readonly origin: readonly string[];
  readonly createTime: number;
};

/** A provider key that wraps branch keys: one per provider and namespace (or dedicated). */
export type RecipientRecord = {
  readonly id: Uuid;
  readonly namespace: string;
  readonly providerUid: string;
  readonly nativeRef: NativeRef;
  readonly dedicatedTo: KeyId | null;
  readonly createTime: number;
};

/** A stop on one binding: no use until a person or a fresh wrap clears it. */
export type Quarantine = { readonly class: string; readonly since: number; readonly evidence: string };

/** A binding of kind `wrap`: a branch key version under one recipient. */
export type WrapRecord = {
  readonly id: BindingId;
  readonly branch: Uuid;
  readonly branchVersion: number;
  readonly recipient: Uuid;
  /** The provider's own bytes, base64. */
  readonly wrap: string;
  readonly desired: DesiredClass;
  readonly quarantine: Quarantine | null;
  readonly createTime: number;
};

/** A binding of kind `native`: the provider's own key that is one version of a key. */
export type NativeBindingRecord = {
  readonly id: BindingId;
  readonly key: KeyId;
  readonly version: number;
  readonly providerUid: string;
  readonly nativeRef: NativeRef;
  /** SPKI DER, base64, kept so that signatures are verified without the provider; null for secret keys. */
  readonly publicKey: string | null;
  /** Where the provider was last brought, and seen to be; what it should be follows from the states of key and version. */
  readonly reached: DesiredClass;
  /** When something was last done to the key over there: it may not be seen everywhere for a while. */
  readonly changeTime: number;
  readonly quarantine: Quarantine | null;
  readonly createTime: number;
};

/** A key service met before: what its configured name stands for. */
export type ProviderRecord = {
  readonly uid: string;
  /** The name under which it was last configured. */
  readonly name: string;
  readonly kind: string;
  /** The provider key that tells "this key" from "this account". */
  readonly canary: NativeRef;
  readonly firstUseTime: number;
};

/** An operator's drain of a provider, by its configured name. `share` is in thousandths: below 1000 while it is being restored. */
export type DrainRecord = {
  readonly provider: string;
  readonly drained: boolean;
  readonly share: number;
  readonly by: string;
  readonly reason: string;
  readonly time: number;
};

export const ROLES = ["admin", "operator", "user", "auditor"] as const;
export type Role = (typeof ROLES)[number];

export type ClientRecord = {
  readonly id: ClientId;
  readonly name: string;
  readonly namespace: string;
  readonly person: string;
  readonly role: Role;
  /** Globs on key names (not aliases). */
  readonly keys: readonly string[];
  /** Key operations, or `*` alone. */
  readonly allow: readonly (KeyOperation | "*")[];
  readonly contextEquals: Readonly<Record<string, string>>;
  readonly expireTime: number | null;
  readonly createTime: number;
};

export type CredentialRecord = {
  readonly id: `crd_${string}`;
  readonly client: ClientId;
  readonly kind: "api-key" | "mtls";
  /**
   * Who acts with it: the holder of a certificate, by its subject; with an API key whoever made it, so that nobody becomes two persons by making keys,
   * nor another one by making a key for that one's client.
   */
  readonly person: string;
  /** For people: the first characters of the secret, or the subject. */
  readonly hint: string;
  /** SHA-256 of the secret, base64; null for a certificate. */
  readonly digest: string | null;
  /** What the certificate must say, as `canonicalSubject` writes it; null for an API key. */
  readonly subject: string | null;
  readonly state: "active" | "revoked";
  readonly expireTime: number | null;
  readonly createTime: number;
};

/** A secret of the gateway itself under the root key (audit signing key, local authority's key): AES-256-KWP, base64. */
export type SealedSecretRecord = {
  readonly id: string;
  readonly sealed: string;
  readonly publicKey: string | null;
  readonly rootVersion: number;
  readonly createTime: number;
};

/** One entry of a key's history: written in the transaction of the change that it tells of. */
export type HistoryRecord = {
  readonly key: KeyId;
  readonly generation: number;
  readonly time: number;
  readonly actor: string;
  readonly action: string;
  readonly from: State | null;
  readonly to: State;
  readonly reason: string | null;
  readonly detail: string;
  readonly ticket: string;
  readonly requestId: string;
};

/** The sealed tables and their records. The id of a row is given by {@link rowId}. */
export type SealedTables = {
  readonly namespaces: NamespaceRecord;
  readonly keys: KeyRecord;
  readonly versions: VersionRecord;
  readonly branches: BranchRecord;
  readonly branch_versions: BranchVersionRecord;
  readonly recipients: RecipientRecord;
  readonly wraps: WrapRecord;
  readonly bindings: NativeBindingRecord;
  readonly providers: ProviderRecord;
  readonly drains: DrainRecord;
  readonly clients: ClientRecord;
  readonly credentials: CredentialRecord;
  readonly secrets: SealedSecretRecord;
  readonly history: HistoryRecord;
};

export type SealedTable = keyof SealedTables;

/** How the id of a row follows from its record; the store refuses a row whose id is another. */
export const ROW_IDS: { readonly [T in SealedTable]: (record: SealedTables[T]) => string } = {
  namespaces: (r) => r.name,
  keys: (r) => r.id,
  versions: (r) => versionRowId(r.key, r.version),
  branches: (r) => r.id,
  branch_versions: (r) => branchVersionRowId(r.branch, r.version),
  recipients: (r) => r.id,
  wraps: (r) => r.id,
  bindings: (r) => r.id,
  providers: (r) => r.uid,
  drains: (r) => r.provider,
  clients: (r) => r.id,
  credentials: (r) => r.id,
  secrets: (r) => r.id,
  history: (r) => `${r.key}/${r.generation}`,
};

export const SEALED_TABLES = Object.keys(ROW_IDS) as readonly SealedTable[];

export function versionRowId(key: KeyId, version: number): string {
  return `${key}/${version}`;
}

export function branchVersionRowId(branch: Uuid, version: number): string {
  return `${branch}/${version}`;
}

/** A key that awaits its material, and not from outside. */
export function isUnfinished({ stateReason, origin, latestVersion }: KeyRecord): boolean {
  return stateReason === "awaiting-material" && origin === "generated" && latestVersion > 0;
}
