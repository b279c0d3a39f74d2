import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { GENESIS, isCheckpoint, lineHash, parseLine, type PreviousSegment } from "./record.ts";
import { listChains } from "./segment-name.ts";

/** Where the next segment of a process goes on. */
export type ChainEnd = {
  readonly sequence: number;
  readonly head: string;
  readonly nextSegment: number;
  readonly after: PreviousSegment | null;
};

const FIRST_BLOCK = 64 * 1024;

/**
 * Finds the end of a process's chain on the disk: the last whole line, and what an unclean stop left after it. A damaged last line does not stop
 * the chain (its hash goes on, and the verifier names it): a gateway that could not start would help whoever damaged it.
 */
export function findChainEnd(folder: string, process: string): ChainEnd {
  const segments = listChains(folder).get(process) ?? [];
  let after: PreviousSegment | null = null;
  let head: string | undefined;
  let damaged = 0;
  for (const { file } of segments.toReversed()) {
    const tail = readTail(join(folder, file));
    after ??= { file, end: tail.end, torn: tail.torn };
    head ??= tail.head;
    damaged += tail.damaged;
    if (tail.sequence === undefined) continue;
    return { sequence: tail.sequence + damaged, head: head ?? GENESIS, nextSegment: nextAfter(segments), after };
  }
  return { sequence: damaged, head: head ?? GENESIS, nextSegment: nextAfter(segments), after };
}

function nextAfter(segments: readonly { readonly segment: number }[]): number {
  return (segments.at(-1)?.segment ?? 0) + 1;
}

type Tail = Pick<PreviousSegment, "end" | "torn"> & {
  /** Of the last whole line that is a record, and how many whole lines after it are none. */
  readonly sequence: number | undefined;
  readonly damaged: number;
  readonly head: string | undefined;
};

function readTail(path: string): Tail {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    for (let length = FIRST_BLOCK; ; length *= 8) {
      const block = readLast(fd, { size, length });
      const tail = tailOf(block, block.length === size);
      if (tail.sequence !== undefined || block.length === size) return tail;
    }
  } finally {
    closeSync(fd);
  }
}

function readLast(fd: number, { size, length }: { readonly size: number; readonly length: number }): Buffer {
  const block = Buffer.alloc(Math.min(size, length));
  for (let read = 0; read < block.length;) {
    const got = readSync(fd, block, read, block.length - read, size - block.length + read);
    if (got === 0) return block.subarray(0, read);
    read += got;
  }
  return block;
}

function tailOf(block: Buffer, isWhole: boolean): Tail {
  const wholeEnd = block.lastIndexOf(0x0a) + 1;
  const lines = block.subarray(0, wholeEnd).toString("latin1").split("\n").slice(0, -1);
  if (!isWhole) lines.shift(); // it may begin before the block
  const last = lines.at(-1);
  const torn = wholeEnd === block.length && last !== undefined ? null : tornBytes(block.subarray(wholeEnd));
  const head = last === undefined ? undefined : lineHash(Buffer.from(last, "latin1"));
  const end = torn === null && last !== undefined ? endOf(last) : "unclean";
  const records = lines.map((line) => parseLine(line)); // latin1 reads sequence and previous as UTF-8 would
  const found = records.findLastIndex((record) => record !== undefined);
  return { end, torn, head, sequence: records[found]?.sequence, damaged: lines.length - 1 - found };
}

function tornBytes(bytes: Buffer): NonNullable<PreviousSegment["torn"]> {
  return { bytes: bytes.length, digest: lineHash(bytes) };
}

function endOf(line: string): PreviousSegment["end"] {
  const record = parseLine(line);
  if (record === undefined || !isCheckpoint(record)) return "unclean";
  return record.reason === "close" || record.reason === "rotation" ? record.reason : "unclean";
}
