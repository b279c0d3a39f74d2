import type { KeyObject } from "node:crypto";
import {
  CHECKPOINT_RECORDS,
  type Chained,
  type Checkpoint,
  GENESIS,
  isCheckpoint,
  isExactCheckpoint,
  isSegmentHeader,
  isSigned,
  lineHash,
  type SegmentHeader,
} from "./record.ts";
import type { SegmentName } from "./segment-name.ts";
import {
  type AuditFinding,
  type Before,
  checkLinks,
  placeLines,
  type SegmentLine,
  type SegmentLines,
} from "./verify-lines.ts";

/** A signed checkpoint that was found good, and where. */
export type GoodCheckpoint = {
  readonly sequence: number;
  readonly time: number;
  readonly keyId: string;
  readonly file: string;
  readonly line: number;
  /** Of its line. */
  readonly hash: string;
};

/** Half a line at the end of a segment that an unclean stop left, as the next segment says. No tampering. */
export type TornLine = { readonly file: string; readonly line: number; readonly bytes: number };

/** More than a checkpoint covers, for stops that were unclean several times in a row. */
const UNSIGNED_SLACK = 100;

/** Walks one process's segments in their order and gathers what is wrong with them. */
export class ChainVerifier {
  readonly process: string;
  readonly findings: AuditFinding[] = [];
  readonly torn: TornLine[] = [];
  readonly checkpoints = new Map<number, GoodCheckpoint>();
  readonly #keys: ReadonlyMap<string, KeyObject>;
  #before: Before;
  #segment = 0;
  #segments = 0;
  #records = 0;
  #unsigned = 0;
  #last: GoodCheckpoint | undefined;
  #isClosed = false;
  /** Of the last segment: its file, its number of lines, and what follows the last of them. */
  #end: { readonly file: string; readonly lines: number; readonly torn: Buffer } | undefined;

  constructor(process: string, keys: ReadonlyMap<string, KeyObject>) {
    this.process = process;
    this.#keys = keys;
    this.#before = { sequence: 0, hash: GENESIS, file: "", line: 0 };
  }

  get segments(): number {
    return this.#segments;
  }

  get records(): number {
    return this.#records;
  }

  get lastSequence(): number {
    return this.#before.sequence;
  }

  get lastFile(): string {
    return this.#before.file;
  }

  get lastCheckpoint(): GoodCheckpoint | undefined {
    return this.#last;
  }

  /** Whether the last record is the checkpoint of an orderly stop. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  addSegment(name: SegmentName, { lines, torn }: SegmentLines): void {
    const { file } = name;
    this.#segments += 1;
    this.#records += lines.length;
    const first = lines[0]?.record;
    const header = first !== undefined && isSegmentHeader(first) ? first : undefined;
    this.#checkPlace(name, header);
    if (header !== undefined) this.#checkEndBefore(file, header);
    this.#end = { file, lines: lines.length, torn };
    const { bySequence, lastSequence, findings } = placeLines(file, lines, this.#before);
    this.findings.push(...findings);
    if (header === undefined && first?.sequence === this.#before.sequence + 1) {
      this.#find("edited", file, 1, "the first record of a segment does not name the segment");
    }
    this.findings.push(...checkLinks(file, bySequence, this.#before));
    for (const line of lines) this.#checkSignature(file, line);
    const last = bySequence.get(lastSequence);
    if (last !== undefined) this.#before = { sequence: lastSequence, hash: last.hash, file, line: last.number };
  }

  /** After the last segment: nobody says how it ended. */
  finish(): void {
    if (this.#end === undefined || (this.#end.torn.length === 0 && this.#end.lines > 0)) return;
    const detail = "the last line is not whole, and no later segment says that an unclean stop left it so";
    this.#find("truncated", this.#end.file, this.#end.lines + 1, detail);
  }

  /** The number of the segment, against the one before. */
  #checkPlace({ file, segment }: SegmentName, header: (SegmentHeader & Chained) | undefined): void {
    const number = header?.segment ?? segment;
    const expected = this.#segment + 1;
    this.#segment = number;
    if (number === expected) return;
    const missing = expected === number - 1 ? `segment ${expected} is` : `segments ${expected} to ${number - 1} are`;
    this.#find("removed", file, null, `${missing} missing before this one`);
    if (header === undefined) return;
    const { sequence, previous } = header;
    this.#end = undefined;
    this.#before = { sequence: sequence - 1, hash: previous, file: this.#before.file, line: this.#before.line };
  }

  /** How the segment before ended, against what this one says of it. */
  #checkEndBefore(file: string, { after }: SegmentHeader): void {
    const end = this.#end;
    if (end === undefined) return;
    if (after?.file !== end.file) {
      this.#find("reordered", file, 1, `the segment says that it follows ${after?.file ?? "none"}, not ${end.file}`);
    }
    const isTorn = end.torn.length > 0 || end.lines === 0;
    const says = after?.torn ?? null;
    if (isTorn && says?.bytes === end.torn.length && says.digest === lineHash(end.torn)) {
      this.torn.push({ file: end.file, line: end.lines + 1, bytes: end.torn.length });
    } else if (isTorn || says !== null) {
      const detail = "the end of the segment is not the one that the next segment says it has";
      this.#find("truncated", end.file, end.lines + 1, detail);
    }
  }

  #checkSignature(file: string, line: SegmentLine): void {
    const { record } = line;
    this.#isClosed = false;
    this.#unsigned += 1;
    if (record === undefined || !isCheckpoint(record)) {
      if (this.#unsigned === CHECKPOINT_RECORDS + UNSIGNED_SLACK + 1) {
        this.#find("forged", file, line.number, "a signed checkpoint is missing before this record", record?.sequence);
      }
      return;
    }
    const fault = this.#faultOf(line, record);
    if (fault !== undefined) {
      this.#find("forged", file, line.number, fault, record.sequence);
      return;
    }
    const { sequence, time, keyId, reason } = record;
    this.#unsigned = 0;
    this.#isClosed = reason === "close";
    this.#last = { sequence, time, keyId, file, line: line.number, hash: line.hash };
    this.checkpoints.set(sequence, this.#last);
  }

  #faultOf(line: SegmentLine, record: Checkpoint & Chained): string | undefined {
    return record.process === this.process
      ? checkpointFault(line.text, record, this.#keys)
      : "the checkpoint is another process's";
  }

  #find(kind: AuditFinding["kind"], file: string, line: number | null, detail: string, sequence?: number): void {
    this.findings.push({ kind, file, line, sequence: sequence ?? null, detail });
  }
}

/** What is wrong with a checkpoint's line taken alone; undefined if its signature is good. */
export function checkpointFault(
  text: string,
  record: Checkpoint & Chained,
  keys: ReadonlyMap<string, KeyObject>,
): string | undefined {
  const key = keys.get(record.keyId);
  if (key === undefined) return `the checkpoint is signed with key ${record.keyId}, which was not given`;
  if (!isSigned(record, key)) return "the checkpoint's signature does not fit what it says";
  return isExactCheckpoint(text, record) ? undefined : "the checkpoint says more than its signature covers";
}
