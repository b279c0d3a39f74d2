/**
 * The lines of the trail. A segment is JSON Lines (UTF-8, `\n` after each record); the hash of a record is the SHA-256 of its line's
 * exact bytes without the line feed, in base64. Each record begins with its `sequence` (1, 2, 3 … per process, over all its segments)
 * and `previous`, the hash of the record before it, also over the border of a segment.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { canonicalJson } from "#core/canonical-json.ts";

/** `previous` of a process's first record: 32 zero bytes. */
export const GENESIS = Buffer.alloc(32).toString("base64");

/** Records between two checkpoints, at most. */
export const CHECKPOINT_RECORDS = 1000;

/** Bytes of a segment after which the next one begins. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

/** How a segment ended, as the next one says: with a checkpoint at rotation or close, or without one (killed, power lost, disk gone). */
export type SegmentEnd = "rotation" | "close" | "unclean";

/** What the first record of a segment says of the segment before it. */
export type PreviousSegment = {
  readonly file: string;
  readonly end: SegmentEnd;
  /** Bytes after the last whole line that an unclean stop left there; null if there were none. `digest` is their SHA-256, base64. */
  readonly torn: { readonly bytes: number; readonly digest: string } | null;
};

/** The first record of every segment. */
export type SegmentHeader = {
  readonly type: "segment";
  readonly format: 1;
  readonly process: string;
  /** 1, 2, 3 … per process. */
  readonly segment: number;
  readonly time: number;
  readonly after: PreviousSegment | null;
};

/** A signed statement: up to here, this is the chain. `head` is the hash of the record before it. */
export type Checkpoint = {
  readonly type: "checkpoint";
  readonly reason: "records" | "time" | Exclude<SegmentEnd, "unclean">;
  readonly process: string;
  readonly head: string;
  readonly time: number;
  readonly keyId: string;
  /** Ed25519 (RFC 8032) over {@link checkpointBytes}, base64. */
  readonly signature: string;
};

/** What every line carries. */
export type Chained = { readonly sequence: number; readonly previous: string };

/** SHA-256 of a line's bytes, base64. */
export function lineHash(line: string | Uint8Array): string {
  return hash("sha256", line, "base64");
}

/** Names a signing key: the first 16 hexadecimal digits of the SHA-256 of its public SPKI. */
export function auditKeyId(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return hash("sha256", publicKey.export({ format: "der", type: "spki" }), "hex").slice(0, 16);
}

/** The bytes that a checkpoint's signature covers: a label, 00, and the RFC 8785 form of what it states. */
export function checkpointBytes(checkpoint: Omit<Checkpoint, "signature" | "type">, sequence: number): Buffer {
  const { process, reason, head, time, keyId } = checkpoint;
  return Buffer.from(`claviger/1 audit checkpoint\0${canonicalJson({ process, reason, sequence, head, time, keyId })}`);
}

export function signCheckpoint(
  statement: Omit<Checkpoint, "signature" | "type">,
  { sequence, signingKey }: { readonly sequence: number; readonly signingKey: KeyObject },
): Checkpoint {
  const signature = sign(null, checkpointBytes(statement, sequence), signingKey).toString("base64");
  return { type: "checkpoint", ...statement, signature };
}

export function isSigned(record: Checkpoint & Chained, publicKey: KeyObject): boolean {
  return verify(null, checkpointBytes(record, record.sequence), publicKey, Buffer.from(record.signature, "base64"));
}

/** A line as JSON with a sequence and a link; undefined if it is none. What else it holds is for the reader to check. */
export function parseLine(line: string): (Chained & Readonly<Record<string, unknown>>) | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isChained(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: not a record
  }
}

function isChained(value: unknown): value is Chained & Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const { sequence, previous } = value as Partial<Chained>;
  return Number.isSafeInteger(sequence) && typeof previous === "string";
}

export function isSegmentHeader(record: Readonly<Record<string, unknown>>): record is SegmentHeader & Chained {
  return (
    record["type"] === "segment" && typeof record["process"] === "string" && Number.isSafeInteger(record["segment"])
  );
}

const TEXT_MEMBERS = ["reason", "process", "head", "keyId", "signature"] as const;

export function isCheckpoint(record: Readonly<Record<string, unknown>>): record is Checkpoint & Chained {
  if (record["type"] !== "checkpoint" || !Number.isSafeInteger(record["time"])) return false;
  return TEXT_MEMBERS.every((name) => typeof record[name] === "string");
}

/** Whether a line is exactly what the record of a checkpoint is written as: nothing beside what the signature covers. */
export function isExactCheckpoint(line: string, record: Checkpoint & Chained): boolean {
  const { sequence, previous, type, reason, process, head, time, keyId, signature } = record;
  const exact = { sequence, previous, type, reason, process, head, time, keyId, signature };
  const isCanonical = Buffer.from(signature, "base64").toString("base64") === signature;
  return isCanonical && head === previous && JSON.stringify(exact) === line;
}
