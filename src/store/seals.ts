import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { SealedTable } from "#core/records.ts";

export const SEAL_BYTES = 32;
/** The link before the first change. */
export const FIRST_LINK: Buffer = Buffer.alloc(SEAL_BYTES);
/** What a removal seals in place of a record. */
export const REMOVED = "null";

const ZERO = Buffer.alloc(1);

/** What one link of the feed covers, besides the link before it. */
export type LinkedChange = {
  readonly revision: number;
  readonly table: SealedTable;
  readonly id: string;
  readonly seal: Uint8Array;
  readonly rootVersion: number;
};

/** Makes and checks the row seals and the links of the feed under K_row of one or more root versions (architecture.md, Trust in the database). */
export class Sealer {
  /** The root version that new seals and links are made with. */
  readonly current: number;
  readonly #keys: ReadonlyMap<number, KeyObject>;

  /** Each key is 32 bytes; they are copied. */
  constructor(rowKeys: ReadonlyMap<number, Uint8Array>, current: number) {
    this.#keys = new Map([...rowKeys].map(([version, key]) => [version, createSecretKey(key)]));
    this.current = current;
  }

  /** HMAC-SHA-256(K_row, table || 00 || revision u64 || text), 32 bytes; undefined for a root version that is not known. */
  seal(row: { table: SealedTable; revision: number; text: string; rootVersion: number }): Buffer | undefined {
    const key = this.#keys.get(row.rootVersion);
    if (key === undefined) return undefined;
    return createHmac("sha256", key)
      .update(Buffer.concat([Buffer.from(row.table), ZERO, uint64(row.revision)]))
      .update(row.text, "utf8")
      .digest();
  }

  /** HMAC-SHA-256(K_row, previous || revision u64 || table || 00 || row id || 00 || row seal), 32 bytes. */
  link(previous: Uint8Array, change: LinkedChange): Buffer | undefined {
    const key = this.#keys.get(change.rootVersion);
    if (key === undefined) return undefined;
    const named = Buffer.from(`${change.table}\0${change.id}\0`, "utf8");
    return createHmac("sha256", key)
      .update(Buffer.concat([previous, uint64(change.revision), named, change.seal]))
      .digest();
  }

  /** HMAC-SHA-256(K_row, "snapshots" || 00 || revision u64 || part u32 || parts u32 || link || entries), 32 bytes. */
  snapshotSeal(part: {
    revision: number;
    part: number;
    parts: number;
    link: Uint8Array;
    entries: Uint8Array;
    rootVersion: number;
  }): Buffer | undefined {
    const key = this.#keys.get(part.rootVersion);
    if (key === undefined) return undefined;
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(part.part, 0);
    numbers.writeUInt32BE(part.parts, 4);
    return createHmac("sha256", key)
      .update(Buffer.concat([Buffer.from("snapshots"), ZERO, uint64(part.revision), numbers, part.link]))
      .update(part.entries)
      .digest();
  }
}

/** Compares a seal or link with what it should be, in constant time; false where there is nothing to compare with. */
export function sealsEqual(expected: Uint8Array | undefined, actual: unknown): boolean {
  if (expected === undefined || !(actual instanceof Uint8Array) || actual.length !== expected.length) return false;
  return timingSafeEqual(expected, actual);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), 0);
  bytes.writeUInt32BE(value % 0x1_0000_0000, 4);
  return bytes;
}
