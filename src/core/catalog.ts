/** What every process knows in memory: the verified records, followed along the feed. Reading costs no disk and no network. */
import type { ClientId, KeyId, Uuid } from "./ids.ts";
import type { InventoryEntry, InventoryId, InventoryPage } from "./inventory.ts";
import type {
  BranchRecord,
  BranchVersionRecord,
  ClientRecord,
  CredentialRecord,
  DrainRecord,
  HistoryRecord,
  KeyRecord,
  NamespaceRecord,
  NativeBindingRecord,
  NativeRef,
  ProviderRecord,
  RecipientRecord,
  SealedSecretRecord,
  SealedTable,
  SealedTables,
  VersionRecord,
  WrapRecord,
} from "./records.ts";

/** A row that does not verify: named in the log with `ROW_UNSEALED`, in `doctor` and in `status`. */
export type RowFault = {
  readonly table: SealedTable | "feed";
  readonly id: string;
  readonly fault: "unsealed" | "missing" | "rolled-back" | "unchained";
};

export interface Catalog {
  /** The newest revision that is applied. */
  readonly revision: number;
  /** Monotonic milliseconds of the last successful read of the feed. */
  readonly freshAtMs: number;
  readonly faults: readonly RowFault[];
  namespace(name: string): NamespaceRecord | undefined;
  namespaces(): Iterable<NamespaceRecord>;
  /** A key whose row, or whose version's row, does not verify is answered with a hold of class `unsealed`. */
  key(id: KeyId): KeyRecord | undefined;
  keyByName(namespace: string, nameOrAlias: string): KeyRecord | undefined;
  /** In the order of creation, newest last. */
  keys(namespace: string): Iterable<KeyRecord>;
  keyCount(): number;
  version(key: KeyId, version: number): VersionRecord | undefined;
  versions(key: KeyId): readonly VersionRecord[];
  branch(id: Uuid): BranchRecord | undefined;
  branches(): Iterable<BranchRecord>;
  branchVersion(branch: Uuid, version: number): BranchVersionRecord | undefined;
  branchVersions(branch: Uuid): readonly BranchVersionRecord[];
  /** The wraps of a branch version, quarantined ones included. */
  wraps(branch: Uuid, version: number): readonly WrapRecord[];
  /** The native keys of a key version; empty for portable ones. */
  bindings(key: KeyId, version: number): readonly NativeBindingRecord[];
  /** Every native binding, in no order. */
  allBindings(): Iterable<NativeBindingRecord>;
  /** The binding of a provider's key; undefined if nobody has it. */
  bindingOf(providerUid: string, nativeRef: NativeRef): NativeBindingRecord | undefined;
  recipient(id: Uuid): RecipientRecord | undefined;
  recipients(): Iterable<RecipientRecord>;
  provider(uid: string): ProviderRecord | undefined;
  providers(): Iterable<ProviderRecord>;
  drain(provider: string): DrainRecord | undefined;
  client(id: ClientId): ClientRecord | undefined;
  clients(namespace: string): Iterable<ClientRecord>;
  credentials(client: ClientId): readonly CredentialRecord[];
  /** By the base64 SHA-256 of the secret. */
  credentialByDigest(digest: string): CredentialRecord | undefined;
  /** By the canonical subject of a certificate; of those one at most is in force. */
  credentialsBySubject(subject: string): readonly CredentialRecord[];
  secret(id: string): SealedSecretRecord | undefined;
  /** The revision of a row, for {@link Mutation.ifRevision}; 0 if there is none. */
  revisionOf(table: SealedTable, id: string): number;
}

/** A row to write (or, with `record: null`, to remove), if it still has the revision that the change was decided on. */
export type Mutation = {
  readonly [T in SealedTable]: {
    readonly table: T;
    readonly id: string;
    readonly record: SealedTables[T] | null;
    /** 0: the row must not exist. */
    readonly ifRevision: number;
  };
}[SealedTable];

/** The answer kept for a repeated request (24 h per credential): enough to find the resource and the first status. */
export type IdempotencyEntry = {
  readonly credential: string;
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** SHA-256 of the RFC 8785 form of the body, base64. */
  readonly bodyDigest: string;
  readonly status: number;
  /** Where the resource is, such as `/v1/keys/key_…`. */
  readonly resource: string;
  readonly time: number;
};

/** What one use case wants written, at once or not at all. */
export type Change<R> = {
  readonly mutations: readonly Mutation[];
  readonly idempotency?: IdempotencyEntry;
  readonly result: R;
};

/** What a process says of itself every second or so; unsealed. */
export type Heartbeat = {
  readonly process: string;
  readonly gateway: string;
  readonly appliedRevision: number;
  readonly policyHash: string;
  readonly time: number;
  /** Health of the providers as this process sees it (JSON of `GET /v1/providers`' `gateways[]` members). */
  readonly report: string;
};

/** How much a key version has protected. */
export type ProtectedAmount = { readonly messages: number; readonly bytes: number };

/**
 * The store: rows, the chained feed and the unsealed tables behind one port; SQLite or PostgreSQL.
 *
 * Every write is one control transaction: it locks the feed's head, takes the next revisions, seals and links the rows, commits, and the
 * catalog of this process has applied it when the promise resolves.
 */
export interface Store extends AsyncDisposable {
  readonly catalog: Catalog;
  /**
   * Decides and writes. `decide` is pure and synchronous and may run several times: it sees the newest catalog and throws a KmsError to refuse.
   * A lost race runs it again; a name that another key holds is `NAME_TAKEN`.
   */
  change<R>(decide: (catalog: Catalog) => Change<R>): Promise<R>;
  /** Reads the feed now (before a 404, say); resolves with whether anything was new. */
  refresh(): Promise<boolean>;
  /** Called after records of other processes or our own were applied. */
  onApplied(listener: (applied: readonly Mutation[], own: boolean) => void): Disposable;
  /** Makes what a change has overwritten gone from the files of the database too, as far as it can. */
  scrub(): Promise<void>;
  /** Checks every row and the whole chain again, slowly; resolves with what does not verify. */
  verify(): Promise<readonly RowFault[]>;
  history(key: KeyId): Promise<readonly HistoryRecord[]>;
  findIdempotency(credential: string, key: string): Promise<IdempotencyEntry | undefined>;
  /** Batches last uses, by the hour; writes nothing to the feed. */
  noteUse(id: KeyId | CredentialRecord["id"], time: number): void;
  lastUse(id: KeyId | CredentialRecord["id"]): number | undefined;
  /** Counts a message that a key version (the id of its row) has protected; written in batches, nothing to the feed. */
  noteProtected(version: string, bytes: number): void;
  /** Of all processes, as far as they have written it. */
  protectedAmount(version: string): ProtectedAmount;
  beat(heartbeat: Heartbeat): Promise<void>;
  heartbeats(): Promise<readonly Heartbeat[]>;
  dropHeartbeat(process: string): Promise<void>;
  /** Notes keys that a provider listed; one that is known keeps its id. */
  noteInventory(entries: readonly InventoryEntry[]): Promise<void>;
  /** Forgets the keys of a provider that were last seen before `time`. */
  forgetUnseen(providerUid: string, time: number): Promise<void>;
  inventory(page: InventoryPage): Promise<readonly InventoryEntry[]>;
  findInventory(id: InventoryId): Promise<InventoryEntry | undefined>;
  /** Takes or renews a named lease for `ms` by the store's clock; false while another process has it. */
  lease(name: string, process: string, ms: number): Promise<boolean>;
}
