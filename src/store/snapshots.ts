import type { Kysely } from "kysely";
import { SEALED_TABLES } from "#core/records.ts";
import { type Chain, type Named, isSealBytes, isSealedTable } from "./chain.ts";
import { type Schema, toInteger } from "./schema.ts";
import type { Sealer } from "./seals.ts";

const ENTRIES_PER_PART = 10_000;

/** One part of a snapshot, sealed and ready to be written. */
export type SnapshotPart = {
  readonly revision: number;
  readonly part: number;
  readonly parts: number;
  readonly entries: Buffer;
  readonly link: Uint8Array;
  readonly seal: Buffer;
  readonly root_version: number;
};

/** What the chain names now, in parts of at most 10,000 rows. */
export function* snapshotParts(chain: Chain, sealer: Sealer): Iterable<SnapshotPart> {
  const { revision, link } = chain;
  const total = SEALED_TABLES.reduce((sum, table) => sum + chain.rows(table).size, 0);
  const parts = Math.max(1, Math.ceil(total / ENTRIES_PER_PART));
  let part = 0;
  let pending: Buffer[] = [];
  const seal = (): SnapshotPart => {
    const entries = Buffer.concat(pending);
    pending = [];
    part += 1;
    const sealed = sealer.snapshotSeal({ revision, part, parts, link, entries, rootVersion: sealer.current });
    if (sealed === undefined) throw new TypeError("no key for the current root version");
    return { revision, part, parts, entries, link, seal: sealed, root_version: sealer.current };
  };
  for (const table of SEALED_TABLES) {
    for (const [id, named] of chain.rows(table)) {
      pending.push(encodeEntry(table, id, named));
      if (pending.length === ENTRIES_PER_PART) yield seal();
    }
  }
  if (pending.length > 0 || part === 0) yield seal();
}

/** A snapshot whose seals are right. */
export type Snapshot = { readonly revision: number; readonly link: Uint8Array; readonly entries: readonly Buffer[] };

/** The newest snapshot: undefined if there is none, `damaged` if it does not verify. */
export async function readSnapshot(db: Kysely<Schema>, sealer: Sealer): Promise<Snapshot | "damaged" | undefined> {
  const revision = await newestSnapshot(db);
  if (revision === 0) return undefined;
  if (revision === undefined) return "damaged";
  const rows = await db.selectFrom("snapshots").selectAll().where("revision", "=", revision).orderBy("part").execute();
  const parts: Buffer[] = [];
  let link: Uint8Array | undefined;
  for (const row of rows) {
    const rootVersion = toInteger(row.root_version);
    const { entries } = row;
    if (rootVersion === undefined || !(entries instanceof Uint8Array) || !isSealBytes(row.link)) return "damaged";
    link = row.link;
    const part = { revision, part: parts.length + 1, parts: rows.length, link, entries, rootVersion };
    if (!sealer.snapshotFits(part, row.seal)) return "damaged";
    parts.push(Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength));
  }
  return link === undefined ? "damaged" : { revision, link, entries: parts };
}

/** Lets a new chain start at a snapshot. */
export function startAtSnapshot(chain: Chain, { revision, link, entries }: Snapshot): void {
  chain.startAt(revision, link);
  for (const part of entries) {
    for (const { table, id, ...named } of decodeEntries(part)) if (isSealedTable(table)) chain.name(table, id, named);
  }
}

/** The revision of the newest snapshot: 0 if there is none, undefined if it cannot be read. */
export async function newestSnapshot(db: Kysely<Schema>): Promise<number | undefined> {
  const row = await db
    .selectFrom("snapshots")
    .select((eb) => eb.fn.max("revision").as("revision"))
    .executeTakeFirst();
  return row === undefined || row.revision === null ? 0 : toInteger(row.revision);
}

/** Writes a snapshot in place of the one before, and drops the changes that neither it nor a slow follower needs. */
export async function writeSnapshot(db: Kysely<Schema>, parts: readonly SnapshotPart[], keep: number): Promise<void> {
  const revision = parts[0]?.revision ?? 0;
  await db.deleteFrom("snapshots").execute();
  for (const part of parts) await db.insertInto("snapshots").values(part).execute();
  await db
    .deleteFrom("changes")
    .where("revision", "<=", revision - keep)
    .execute();
}

type NamedRow = Named & { readonly table: string; readonly id: string };

/** table length u8 || id length u16 || revision u64 || root version u32 || table || id || seal 32. */
function encodeEntry(table: string, id: string, { revision, rootVersion, seal }: Named): Buffer {
  const tableBytes = Buffer.from(table, "utf8");
  const idBytes = Buffer.from(id, "utf8");
  const numbers = Buffer.alloc(15);
  numbers.writeUInt8(tableBytes.length, 0);
  numbers.writeUInt16BE(idBytes.length, 1);
  numbers.writeBigUInt64BE(BigInt(revision), 3);
  numbers.writeUInt32BE(rootVersion, 11);
  return Buffer.concat([numbers, tableBytes, idBytes, Buffer.from(seal, "latin1")]);
}

/** Reads entries whose seal was right, so that their lengths are ours. */
function* decodeEntries(bytes: Buffer): Iterable<NamedRow> {
  for (let at = 0; at < bytes.length;) {
    const idAt = at + 15 + bytes.readUInt8(at);
    const sealAt = idAt + bytes.readUInt16BE(at + 1);
    yield {
      table: bytes.toString("utf8", at + 15, idAt),
      id: bytes.toString("utf8", idAt, sealAt),
      revision: Number(bytes.readBigUInt64BE(at + 3)),
      rootVersion: bytes.readUInt32BE(at + 11),
      seal: bytes.toString("latin1", sealAt, sealAt + 32),
    };
    at = sealAt + 32;
  }
}
