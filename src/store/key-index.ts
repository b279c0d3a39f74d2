import type { KeyId } from "#core/ids.ts";
import type { KeyRecord, VersionRecord } from "#core/records.ts";
import { heldUnsealed, placeholderKey } from "./unsealed-key.ts";

type Entry = {
  readonly id: KeyId;
  /** The last record that verified. */
  record: KeyRecord | undefined;
  /** Ascending. */
  versions: readonly VersionRecord[];
  /** Rows of this key that do not verify: its own, or its versions'; with the time when that was seen. */
  readonly badRows: Map<string, number>;
  /** Stands in while no record has verified. */
  placeholder: KeyRecord | undefined;
  /** What is answered: the record, or one with a hold. */
  shown: KeyRecord | undefined;
  /** Where it is listed. */
  namespace: string | undefined;
};

/** Keys and their versions in memory, by id and by name. A key with a row that does not verify is shown with a hold. */
export class KeyIndex {
  readonly #entries = new Map<KeyId, Entry>();
  readonly #namespaces = new Map<string, Map<KeyId, Entry>>();
  readonly #names = new Map<string, Map<string, Entry>>();
  /** Names that only unverified rows claim; a verified key's name goes before. */
  readonly #claimed = new Map<string, Map<string, Entry>>();
  /** Namespaces whose row does not verify, with the time when that was seen. */
  readonly #badNamespaces = new Map<string, number>();
  #heldSince: number | undefined;
  #heldEvidence = "";

  get(id: KeyId): KeyRecord | undefined {
    return this.#show(this.#entries.get(id));
  }

  byName(namespace: string, name: string): KeyRecord | undefined {
    return this.#show(this.#names.get(namespace)?.get(name) ?? this.#claimed.get(namespace)?.get(name));
  }

  /** The key that holds a name, be it verified or only claimed. */
  holderOf(namespace: string, name: string): KeyId | undefined {
    return (this.#names.get(namespace)?.get(name) ?? this.#claimed.get(namespace)?.get(name))?.id;
  }

  *list(namespace: string): Iterable<KeyRecord> {
    for (const entry of this.#namespaces.get(namespace)?.values() ?? []) {
      const shown = this.#show(entry);
      if (shown !== undefined) yield shown;
    }
  }

  count(): number {
    let count = 0;
    for (const entries of this.#namespaces.values()) count += entries.size;
    return count;
  }

  version(key: KeyId, version: number): VersionRecord | undefined {
    return this.#entries.get(key)?.versions.find((record) => record.version === version);
  }

  versions(key: KeyId): readonly VersionRecord[] {
    return this.#entries.get(key)?.versions ?? [];
  }

  /** Whether a row of the key, or of its namespace, does not verify. */
  isBad(id: KeyId): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && (entry.badRows.size > 0 || this.#badNamespaces.has(entry.namespace ?? ""));
  }

  putKey(record: KeyRecord): void {
    const entry = this.#entry(record.id);
    this.#unindex(entry);
    entry.record = record;
    entry.placeholder = undefined;
    this.#index(entry);
  }

  dropKey(id: KeyId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#unindex(entry);
    entry.record = undefined;
    entry.placeholder = undefined;
    this.#index(entry);
    this.#prune(entry);
  }

  putVersion(record: VersionRecord): void {
    const entry = this.#entry(record.key);
    const others = entry.versions.filter((other) => other.version !== record.version);
    entry.versions = [...others, record].toSorted((a, b) => a.version - b.version);
  }

  dropVersion(key: KeyId, version: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.versions = entry.versions.filter((other) => other.version !== version);
    this.#prune(entry);
  }

  /** Marks a row of a key as bad. `unverified` is what its own row says, where that is the bad one. */
  markBad(
    id: KeyId,
    row: string,
    { since, unverified }: { since: number; unverified?: Readonly<Record<string, unknown>> | undefined },
  ): void {
    const entry = this.#entry(id);
    this.#unindex(entry);
    if (!entry.badRows.has(row)) entry.badRows.set(row, since);
    if (entry.record === undefined && row === id) entry.placeholder = placeholderKey(id, unverified);
    this.#index(entry);
  }

  clearBad(id: KeyId, row: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.badRows.delete(row)) return;
    this.#unindex(entry);
    if (row === id) entry.placeholder = undefined;
    this.#index(entry);
    this.#prune(entry);
  }

  /** Holds the keys of a namespace whose row does not verify since a time, or (with undefined) lets them be. */
  holdNamespace(name: string, since: number | undefined): void {
    if (since === undefined) this.#badNamespaces.delete(name);
    else if (!this.#badNamespaces.has(name)) this.#badNamespaces.set(name, since);
  }

  /** Holds every key, or (with undefined) lets them be. */
  holdAll(since: number | undefined, evidence = ""): void {
    this.#heldSince = since;
    this.#heldEvidence = evidence;
  }

  #show(entry: Entry | undefined): KeyRecord | undefined {
    const shown = entry?.shown;
    if (shown === undefined) return undefined;
    if (this.#heldSince !== undefined) return heldUnsealed(shown, this.#heldSince, this.#heldEvidence);
    const since = this.#badNamespaces.get(shown.namespace);
    return since === undefined ? shown : heldUnsealed(shown, since, "the row of its namespace does not verify");
  }

  #entry(id: KeyId): Entry {
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const entry: Entry = {
      id,
      record: undefined,
      versions: [],
      badRows: new Map(),
      placeholder: undefined,
      shown: undefined,
      namespace: undefined,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  #index(entry: Entry): void {
    const base = entry.record ?? entry.placeholder;
    const since = entry.badRows.values().next().value;
    entry.shown =
      base === undefined || since === undefined
        ? base
        : heldUnsealed(base, since, `rows that do not verify: ${[...entry.badRows.keys()].join(", ")}`);
    this.#place(entry, base?.namespace);
    if (base === undefined) return;
    const names = inner(entry.record === undefined ? this.#claimed : this.#names, base.namespace);
    for (const name of namesOf(base)) names.set(name, entry);
  }

  #unindex(entry: Entry): void {
    const { shown } = entry;
    if (shown === undefined) return;
    for (const map of [this.#names, this.#claimed]) {
      const names = map.get(shown.namespace);
      for (const name of namesOf(shown)) if (names?.get(name) === entry) names.delete(name);
    }
  }

  /** A key that stays in its namespace keeps its place in the order. */
  #place(entry: Entry, namespace: string | undefined): void {
    if (entry.namespace === namespace) return;
    if (entry.namespace !== undefined) this.#namespaces.get(entry.namespace)?.delete(entry.id);
    if (namespace !== undefined) inner(this.#namespaces, namespace).set(entry.id, entry);
    entry.namespace = namespace;
  }

  #prune(entry: Entry): void {
    if (entry.shown === undefined && entry.versions.length === 0 && entry.badRows.size === 0) {
      this.#entries.delete(entry.id);
    }
  }
}

/** The name and the aliases of a key, which share one index. */
export function namesOf(record: Pick<KeyRecord, "name" | "aliases">): readonly string[] {
  return [...new Set([record.name, ...record.aliases])];
}

function inner<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Map<string, V>();
  map.set(key, made);
  return made;
}
