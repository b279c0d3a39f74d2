import { SEALED_TABLES, type SealedTable } from "#core/records.ts";
import { toInteger } from "./schema.ts";
import { FIRST_LINK, type LinkedChange, REMOVED, SEAL_BYTES, type Sealer } from "./seals.ts";

/** What the chain names last for a row. `seal` is its 32 bytes as latin1, which takes a third of a Buffer's memory. */
export type Named = { readonly revision: number; readonly seal: string; readonly rootVersion: number };

export type FeedChange = LinkedChange & { readonly link: Uint8Array };

/** The verified feed as this process knows it: where it ends, and which revision and seal every row must have. */
export class Chain {
  #revision = 0;
  #link: Uint8Array = FIRST_LINK;
  readonly #named = new Map<SealedTable, Map<string, Named>>(SEALED_TABLES.map((table) => [table, new Map()]));

  get revision(): number {
    return this.#revision;
  }

  get link(): Uint8Array {
    return this.#link;
  }

  named(table: SealedTable, id: string): Named | undefined {
    return this.#table(table).get(id);
  }

  /** The rows of a table that must be there. */
  rows(table: SealedTable): ReadonlyMap<string, Named> {
    return this.#table(table);
  }

  /** Follows one change if it is the next one and its link is right; false, and nothing else, if not. */
  follow(change: FeedChange, sealer: Sealer): boolean {
    if (change.revision !== this.#revision + 1) return false;
    if (!sealer.linkFits(this.#link, change, change.link)) return false;
    this.append(change);
    return true;
  }

  /** Takes a change whose link is known to be right, such as one that this process has just written. */
  append(change: FeedChange): void {
    this.#revision = change.revision;
    this.#link = change.link;
    this.name(change.table, change.id, {
      revision: change.revision,
      seal: latin1(change.seal),
      rootVersion: change.rootVersion,
    });
  }

  /** Starts from a verified snapshot. */
  startAt(revision: number, link: Uint8Array): void {
    this.#revision = revision;
    this.#link = link;
  }

  name(table: SealedTable, id: string, named: Named): void {
    this.#table(table).set(id, named);
  }

  /** Takes the place of another chain, whose state it has from then on. */
  become(other: Chain): void {
    this.startAt(other.revision, other.link);
    for (const table of SEALED_TABLES) this.#named.set(table, other.#table(table));
  }

  /** Forgets a row whose last change is a removal: it must not be there. */
  drop(table: SealedTable, id: string): void {
    this.#table(table).delete(id);
  }

  #table(table: SealedTable): Map<string, Named> {
    const rows = this.#named.get(table);
    if (rows === undefined) throw new TypeError(`no sealed table ${table}`);
    return rows;
  }
}

/** Whether the last change of a row is its removal. */
export function isRemoval(table: SealedTable, named: Named, sealer: Sealer): boolean {
  const { revision, rootVersion } = named;
  const removal = sealer.seal({ table, revision, text: REMOVED, rootVersion });
  return removal !== undefined && latin1(removal) === named.seal;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

const TABLE_NAMES: ReadonlySet<unknown> = new Set(SEALED_TABLES);

/** Parses a row of `changes`; undefined if a column has another type than we write. */
export function parseChange(row: Readonly<Record<string, unknown>>): FeedChange | undefined {
  const revision = toInteger(row["revision"]);
  const rootVersion = toInteger(row["root_version"]);
  const { tbl: table, row_id: id, seal, link } = row;
  if (revision === undefined || rootVersion === undefined || typeof id !== "string") return undefined;
  if (!isSealedTable(table) || !isSealBytes(seal) || !isSealBytes(link)) return undefined;
  return { revision, table, id, seal, link, rootVersion };
}

export function isSealedTable(value: unknown): value is SealedTable {
  return TABLE_NAMES.has(value);
}

export function isSealBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === SEAL_BYTES;
}
