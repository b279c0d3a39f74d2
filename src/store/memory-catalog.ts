import type { Catalog, RowFault } from "#core/catalog.ts";
import type { ClientId, KeyId, Uuid } from "#core/ids.ts";
import {
  type BranchRecord,
  type BranchVersionRecord,
  type ClientRecord,
  type CredentialRecord,
  type DrainRecord,
  type KeyRecord,
  type NamespaceRecord,
  type NativeBindingRecord,
  type ProviderRecord,
  type RecipientRecord,
  type SealedSecretRecord,
  type SealedTable,
  type SealedTables,
  type VersionRecord,
  type WrapRecord,
  branchVersionRowId,
  versionRowId,
} from "#core/records.ts";
import type { Chain } from "./chain.ts";
import type { AnyRecord } from "./judge.ts";
import { KeyIndex } from "./key-index.ts";

type Shelf<T extends SealedTable> = { put(record: SealedTables[T]): void; drop(id: string): void };
type Shelves = { readonly [T in Exclude<SealedTable, "history">]: Shelf<T> };

/** The catalog over Maps. Only verified records are put in; which they are, the chain says. */
export class MemoryCatalog implements Catalog {
  freshAtMs = 0;
  readonly #keys = new KeyIndex();
  readonly #namespaces = new Map<string, NamespaceRecord>();
  readonly #branches = new Map<string, BranchRecord>();
  readonly #branchVersions = new Grouped<BranchVersionRecord>((record) => record.branch);
  readonly #wraps = new Grouped<WrapRecord>((record) => branchVersionRowId(record.branch, record.branchVersion));
  readonly #bindings = new Grouped<NativeBindingRecord>((record) => versionRowId(record.key, record.version));
  readonly #bindingsByRef = new Grouped<NativeBindingRecord>((record) =>
    refLabel(record.providerUid, record.nativeRef),
  );
  readonly #recipients = new Map<string, RecipientRecord>();
  readonly #providers = new Map<string, ProviderRecord>();
  readonly #drains = new Map<string, DrainRecord>();
  /** Stands for the row of a drain that does not verify: whoever breaks it must not end the drain. */
  readonly #brokenDrains = new Map<string, DrainRecord>();
  readonly #clients = new Map<string, ClientRecord>();
  readonly #credentials = new Grouped<CredentialRecord>((record) => record.client);
  readonly #digests = new Grouped<CredentialRecord>((record) => record.digest ?? undefined);
  readonly #subjects = new Grouped<CredentialRecord>((record) => record.subject ?? undefined);
  readonly #secrets = new Map<string, SealedSecretRecord>();
  readonly #faults = new Map<string, RowFault>();
  readonly #shelves: Shelves;
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
    const keys = this.#keys;
    this.#shelves = {
      namespaces: plain(this.#namespaces, (r) => r.name),
      keys: { put: (r) => keys.putKey(r), drop: (id) => keys.dropKey(id as KeyId) },
      versions: {
        put: (r) => keys.putVersion(r),
        drop: (id) => keys.dropVersion(keyOfVersionRow(id), Number(id.slice(id.lastIndexOf("/") + 1))),
      },
      branches: plain(this.#branches, (r) => r.id),
      branch_versions: {
        put: (r) => this.#branchVersions.put(branchVersionRowId(r.branch, r.version), r),
        drop: (id) => this.#branchVersions.drop(id),
      },
      recipients: plain(this.#recipients, (r) => r.id),
      wraps: { put: (r) => this.#wraps.put(r.id, r), drop: (id) => this.#wraps.drop(id) },
      bindings: {
        put: (r) => [this.#bindings, this.#bindingsByRef].forEach((group) => group.put(r.id, r)),
        drop: (id) => [this.#bindings, this.#bindingsByRef].forEach((group) => group.drop(id)),
      },
      providers: plain(this.#providers, (r) => r.uid),
      drains: plain(this.#drains, (r) => r.provider),
      clients: plain(this.#clients, (r) => r.id),
      credentials: {
        put: (r) => [this.#credentials, this.#digests, this.#subjects].forEach((group) => group.put(r.id, r)),
        drop: (id) => [this.#credentials, this.#digests, this.#subjects].forEach((group) => group.drop(id)),
      },
      secrets: plain(this.#secrets, (r) => r.id),
    };
  }

  /** Puts a verified record in the place of its row, or takes the row out; a fault of the row is over. */
  apply(table: SealedTable, id: string, record: AnyRecord | null): void {
    this.clearFault(table, id);
    if (table === "history") return;
    const shelf = this.#shelves[table] as Shelf<SealedTable>;
    if (record === null) shelf.drop(id);
    else shelf.put(record);
  }

  /** Takes a row that does not verify out of sight; false if that was known. The key that it belongs to is held, or all of its namespace. */
  addFault(
    fault: RowFault,
    { since, unverified }: { since: number; unverified?: Readonly<Record<string, unknown>> | undefined },
  ): boolean {
    const label = `${fault.table}/${fault.id}`;
    if (this.#faults.get(label)?.fault === fault.fault) return false;
    this.#faults.set(label, fault);
    const { table, id } = fault;
    if (table === "keys") this.#keys.markBad(id as KeyId, id, { since, unverified });
    else if (table === "versions") this.#keys.markBad(keyOfVersionRow(id), id, { since });
    else if (table === "namespaces") this.#keys.holdNamespace(id, since);
    else if (table === "drains" && this.#chain.named(table, id) !== undefined)
      this.#brokenDrains.set(id, brokenDrain(id, since));
    if (table !== "keys" && table !== "history" && table !== "feed") this.#shelves[table].drop(id);
    return true;
  }

  clearFault(table: RowFault["table"], id: string): void {
    if (!this.#faults.delete(`${table}/${id}`)) return;
    if (table === "keys") this.#keys.clearBad(id as KeyId, id);
    else if (table === "versions") this.#keys.clearBad(keyOfVersionRow(id), id);
    else if (table === "namespaces") this.#keys.holdNamespace(id, undefined);
    else if (table === "drains") this.#brokenDrains.delete(id);
  }

  hasFault(table: RowFault["table"], id: string): boolean {
    return this.#faults.has(`${table}/${id}`);
  }

  /** Whether a row of the key, or of its namespace, does not verify. */
  isKeyBad(id: KeyId): boolean {
    return this.#keys.isBad(id);
  }

  /** Holds every key since a time, or (with undefined) lets them be. */
  holdAll(since: number | undefined, evidence?: string): void {
    this.#keys.holdAll(since, evidence);
  }

  /** The key that has a name, verified or not. */
  holderOf(namespace: string, name: string): KeyId | undefined {
    return this.#keys.holderOf(namespace, name);
  }

  get revision(): number {
    return this.#chain.revision;
  }

  get faults(): readonly RowFault[] {
    return [...this.#faults.values()];
  }

  revisionOf(table: SealedTable, id: string): number {
    return this.hasFault(table, id) ? 0 : (this.#chain.named(table, id)?.revision ?? 0);
  }

  namespace(name: string): NamespaceRecord | undefined {
    return this.#namespaces.get(name);
  }

  namespaces(): Iterable<NamespaceRecord> {
    return this.#namespaces.values();
  }

  key(id: KeyId): KeyRecord | undefined {
    return this.#keys.get(id);
  }

  keyByName(namespace: string, nameOrAlias: string): KeyRecord | undefined {
    return this.#keys.byName(namespace, nameOrAlias);
  }

  keys(namespace: string): Iterable<KeyRecord> {
    return this.#keys.list(namespace);
  }

  keyCount(): number {
    return this.#keys.count();
  }

  version(key: KeyId, version: number): VersionRecord | undefined {
    return this.#keys.version(key, version);
  }

  versions(key: KeyId): readonly VersionRecord[] {
    return this.#keys.versions(key);
  }

  branch(id: Uuid): BranchRecord | undefined {
    return this.#branches.get(id);
  }

  branches(): Iterable<BranchRecord> {
    return this.#branches.values();
  }

  branchVersion(branch: Uuid, version: number): BranchVersionRecord | undefined {
    return this.#branchVersions.get(branchVersionRowId(branch, version));
  }

  branchVersions(branch: Uuid): readonly BranchVersionRecord[] {
    return this.#branchVersions.group(branch).toSorted((a, b) => a.version - b.version);
  }

  wraps(branch: Uuid, version: number): readonly WrapRecord[] {
    return this.#wraps.group(branchVersionRowId(branch, version));
  }

  bindings(key: KeyId, version: number): readonly NativeBindingRecord[] {
    return this.#bindings.group(versionRowId(key, version));
  }

  allBindings(): Iterable<NativeBindingRecord> {
    return this.#bindings.all();
  }

  bindingOf(providerUid: string, nativeRef: string): NativeBindingRecord | undefined {
    return this.#bindingsByRef.group(refLabel(providerUid, nativeRef))[0];
  }

  recipient(id: Uuid): RecipientRecord | undefined {
    return this.#recipients.get(id);
  }

  recipients(): Iterable<RecipientRecord> {
    return this.#recipients.values();
  }

  provider(uid: string): ProviderRecord | undefined {
    return this.#providers.get(uid);
  }

  providers(): Iterable<ProviderRecord> {
    return this.#providers.values();
  }

  drain(provider: string): DrainRecord | undefined {
    return this.#drains.get(provider) ?? this.#brokenDrains.get(provider);
  }

  client(id: ClientId): ClientRecord | undefined {
    return this.#clients.get(id);
  }

  *clients(namespace: string): Iterable<ClientRecord> {
    for (const client of this.#clients.values()) if (client.namespace === namespace) yield client;
  }

  credentials(client: ClientId): readonly CredentialRecord[] {
    return this.#credentials.group(client);
  }

  credentialByDigest(digest: string): CredentialRecord | undefined {
    return this.#digests.group(digest)[0];
  }

  credentialsBySubject(subject: string): readonly CredentialRecord[] {
    return this.#subjects.group(subject);
  }

  secret(id: string): SealedSecretRecord | undefined {
    return this.#secrets.get(id);
  }
}

/** Records by id, and in groups by what they belong to, if to anything. */
class Grouped<R> {
  readonly #groupOf: (record: R) => string | undefined;
  readonly #records = new Map<string, R>();
  readonly #groups = new Map<string, readonly R[]>();

  constructor(groupOf: (record: R) => string | undefined) {
    this.#groupOf = groupOf;
  }

  get(id: string): R | undefined {
    return this.#records.get(id);
  }

  all(): Iterable<R> {
    return this.#records.values();
  }

  group(name: string): readonly R[] {
    return this.#groups.get(name) ?? [];
  }

  put(id: string, record: R): void {
    this.drop(id);
    this.#records.set(id, record);
    const group = this.#groupOf(record);
    if (group !== undefined) this.#groups.set(group, [...this.group(group), record]);
  }

  drop(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    const group = this.#groupOf(record);
    if (group === undefined) return;
    const rest = this.group(group).filter((other) => other !== record);
    if (rest.length === 0) this.#groups.delete(group);
    else this.#groups.set(group, rest);
  }
}

function plain<R>(map: Map<string, R>, idOf: (record: R) => string): { put(record: R): void; drop(id: string): void } {
  return { put: (record) => map.set(idOf(record), record), drop: (id) => map.delete(id) };
}

function brokenDrain(provider: string, time: number): DrainRecord {
  return { provider, drained: true, share: 0, by: "", reason: "the row of its drain does not verify", time };
}

function refLabel(providerUid: string, nativeRef: string): string {
  return `${providerUid} ${nativeRef}`;
}

function keyOfVersionRow(id: string): KeyId {
  return id.slice(0, id.lastIndexOf("/")) as KeyId;
}
