import { type Chained, isSegmentHeader, lineHash, parseLine } from "./record.ts";

/** A whole line of a segment. `number` counts from 1. */
export type SegmentLine = {
  readonly number: number;
  readonly hash: string;
  readonly text: string;
  readonly record: (Chained & Readonly<Record<string, unknown>>) | undefined;
};

/**
 * What is wrong with a trail. `line` is where to look in the file, null where a whole file is meant.
 * - `edited`: a record is not the one that the next record, or a signature, speaks of
 * - `removed`: records or segments are missing between others
 * - `reordered`: a record or a segment does not stand where it belongs
 * - `truncated`: the end of a segment is missing, or the last line is not whole
 * - `forged`: a checkpoint's signature does not fit what is there, its key is not known, or it is missing where one must be
 */
export type AuditFinding = {
  readonly kind: "edited" | "removed" | "reordered" | "truncated" | "forged";
  readonly file: string;
  readonly line: number | null;
  readonly sequence: number | null;
  readonly detail: string;
};

export type SegmentLines = {
  readonly lines: readonly SegmentLine[];
  /** What follows the last line feed. */
  readonly torn: Buffer;
};

export function splitLines(bytes: Buffer): SegmentLines {
  const lines: SegmentLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = bytes.subarray(start, end);
    const text = line.toString("utf8");
    lines.push({ number: lines.length + 1, hash: lineHash(line), text, record: parseLine(text) });
    start = end + 1;
  }
  return { lines, torn: bytes.subarray(start) };
}

/** The record before the lines that are checked, wherever it stands. */
export type Before = { readonly sequence: number; readonly hash: string; readonly file: string; readonly line: number };

/** Lines in the order of their sequence, and what was wrong with the order in which they stood. */
type Placed = {
  readonly bySequence: ReadonlyMap<number, SegmentLine>;
  readonly lastSequence: number;
  readonly findings: readonly AuditFinding[];
};

/** Puts the lines of a segment where their sequences belong; `before` is the record that the first one must follow. */
export function placeLines(file: string, lines: readonly SegmentLine[], before: Before): Placed {
  const present = new Set(lines.map((line) => line.record?.sequence));
  const bySequence = new Map<number, SegmentLine>();
  const findings: AuditFinding[] = [];
  let expected = before.sequence + 1;
  for (const [index, line] of lines.entries()) {
    const hashBefore = bySequence.get(expected - 1)?.hash ?? (index === 0 ? before.hash : undefined);
    const isExpectedLater = present.has(expected);
    const isNextExpected = lines[index + 1]?.record?.sequence === expected;
    const { place, kind, detail } = judge(line, { expected, hashBefore, isExpectedLater, isNextExpected });
    if (place !== undefined && !bySequence.has(place)) bySequence.set(place, line);
    if (place !== undefined && place >= expected) expected = place + 1;
    if (kind === undefined) continue;
    const isHeader = index === 0 && line.record !== undefined && isSegmentHeader(line.record);
    if (kind === "removed" && isHeader && place !== undefined) findings.push(truncated(before, place));
    else findings.push({ kind, file, line: line.number, sequence: place ?? null, detail });
  }
  return { bySequence, lastSequence: expected - 1, findings };
}

type Situation = {
  readonly expected: number;
  /** Of the record before the expected one; undefined if that is missing. */
  readonly hashBefore: string | undefined;
  /** Whether some line of the segment carries the expected sequence; whether the next one does. */
  readonly isExpectedLater: boolean;
  readonly isNextExpected: boolean;
};
type Verdict = { readonly place: number | undefined; readonly kind?: AuditFinding["kind"]; readonly detail: string };

/** Where a line belongs, and what is wrong with its standing here. A line without a place was put in. */
function judge({ record }: SegmentLine, situation: Situation): Verdict {
  const { expected, hashBefore, isExpectedLater, isNextExpected } = situation;
  if (record === undefined) {
    return { place: isNextExpected ? undefined : expected, kind: "edited", detail: "the line is no record" };
  }
  const { sequence, previous } = record;
  if (sequence === expected) return { place: expected, detail: "" };
  if (!isExpectedLater && previous === hashBefore) {
    return { place: expected, kind: "edited", detail: `record ${expected} says that it is ${sequence}` };
  }
  if (sequence < expected)
    return { place: sequence, kind: "reordered", detail: `record ${sequence} does not belong here` };
  if (isExpectedLater) {
    return { place: sequence, kind: "reordered", detail: `record ${sequence} stands before ${expected}` };
  }
  return {
    place: sequence,
    kind: "removed",
    detail: `records ${expected} to ${sequence - 1} are missing before this one`,
  };
}

function truncated(before: Before, next: number): AuditFinding {
  const detail = `records ${before.sequence + 1} to ${next - 1} are missing at the end of the segment`;
  return { kind: "truncated", file: before.file, line: before.line, sequence: before.sequence, detail };
}

/** Checks that each record names the hash of the one before it, where that one is there. */
export function checkLinks(
  file: string,
  bySequence: ReadonlyMap<number, SegmentLine>,
  before: Before,
): readonly AuditFinding[] {
  const findings: AuditFinding[] = [];
  for (const [sequence, line] of bySequence) {
    if (line.record === undefined) continue;
    const previous = bySequence.get(sequence - 1);
    const hash = previous?.hash ?? (sequence === before.sequence + 1 ? before.hash : undefined);
    if (hash === undefined || line.record.previous === hash) continue;
    const where = previous === undefined ? before : { file, line: previous.number };
    const detail = `record ${sequence - 1} is not the one that record ${sequence} follows`;
    findings.push({ kind: "edited", file: where.file, line: where.line, sequence: sequence - 1, detail });
  }
  return findings;
}
