import { timingSafeEqual } from "node:crypto";
import type { SealedTable } from "#core/records.ts";
import { RowHmac } from "./row-hmac.ts";

export const SEAL_BYTES = 32;
/** The link before the first change. */
export const FIRST_LINK: Buffer = Buffer.alloc(SEAL_BYTES);
/** What a removal seals in place of a record. */
export const REMOVED = "null";

/** What one link of the feed covers, besides the link before it. */
export type LinkedChange = {
  readonly revision: number;
  readonly table: SealedTable;
  readonly id: string;
  readonly seal: Uint8Array;
  readonly rootVersion: number;
};

/** What the seal of a row covers. */
export type SealedText = {
  /** `idempotency` stands in no feed; its revision is 0. */
  readonly table: SealedTable | "idempotency";
  readonly revision: number;
  readonly text: string;
  readonly rootVersion: number;
};

/** What the seal of one part of a snapshot covers. */
export type SealedPart = {
  readonly revision: number;
  readonly part: number;
  readonly parts: number;
  readonly link: Uint8Array;
  readonly entries: Uint8Array;
  readonly rootVersion: number;
};

/**
 * Makes and checks the row seals and the links of the feed under K_row of one or more root versions (architecture.md, Trust in the
 * database). What is of a root version that is not known has no seal, and fits none.
 */
export class Sealer {
  /** The root version that new seals and links are made with. */
  readonly current: number;
  readonly #hmacs: ReadonlyMap<number, RowHmac>;
  readonly #expected = Buffer.alloc(SEAL_BYTES);

  /** Each key is 32 bytes; they are copied. */
  constructor(rowKeys: ReadonlyMap<number, Uint8Array>, current: number) {
    this.#hmacs = new Map([...rowKeys].map(([version, key]) => [version, new RowHmac(key)]));
    this.current = current;
  }

  /** HMAC-SHA-256(K_row, table || 00 || revision u64 || text), 32 bytes. */
  seal(row: SealedText): Buffer | undefined {
    return asBytes(this.#seal(row));
  }

  sealFits(row: SealedText, seal: unknown): boolean {
    return this.#fits(this.#seal(row), seal);
  }

  /** HMAC-SHA-256(K_row, previous || revision u64 || table || 00 || row id || 00 || row seal), 32 bytes. */
  link(previous: Uint8Array, change: LinkedChange): Buffer | undefined {
    return asBytes(this.#link(previous, change));
  }

  linkFits(previous: Uint8Array, change: LinkedChange, link: unknown): boolean {
    return this.#fits(this.#link(previous, change), link);
  }

  /** HMAC-SHA-256(K_row, "snapshots" || 00 || revision u64 || part u64 || parts u64 || link || entries), 32 bytes. */
  snapshotSeal(part: SealedPart): Buffer | undefined {
    return asBytes(this.#snapshotSeal(part));
  }

  snapshotFits(part: SealedPart, seal: unknown): boolean {
    return this.#fits(this.#snapshotSeal(part), seal);
  }

  #seal({ table, revision, text, rootVersion }: SealedText): string | undefined {
    return this.#hmacs.get(rootVersion)?.digest(table, "\0", revision, text);
  }

  #link(previous: Uint8Array, { revision, table, id, seal, rootVersion }: LinkedChange): string | undefined {
    return this.#hmacs.get(rootVersion)?.digest(previous, revision, table, "\0", id, "\0", seal);
  }

  #snapshotSeal({ revision, part, parts, link, entries, rootVersion }: SealedPart): string | undefined {
    return this.#hmacs.get(rootVersion)?.digest("snapshots\0", revision, part, parts, link, entries);
  }

  #fits(expected: string | undefined, actual: unknown): boolean {
    if (expected === undefined) return false;
    this.#expected.write(expected, "latin1");
    return sealsEqual(this.#expected, actual);
  }
}

/** Compares a seal or link with what it should be, in constant time; false for anything that is not 32 bytes. */
export function sealsEqual(expected: Uint8Array, actual: unknown): boolean {
  if (!(actual instanceof Uint8Array) || actual.length !== SEAL_BYTES) return false;
  return timingSafeEqual(expected, actual);
}

function asBytes(digest: string | undefined): Buffer | undefined {
  return digest === undefined ? undefined : Buffer.from(digest, "latin1");
}
