import { readdirSync } from "node:fs";

/** A segment by its name: `<UTC date-time>-<process>-<n>.jsonl`. */
export type SegmentName = {
  readonly file: string;
  readonly process: string;
  /** 1, 2, 3 … per process. */
  readonly segment: number;
  /** Epoch milliseconds at which it was begun. */
  readonly startTime: number;
};

/** What a process may be called in the name of a file. */
export const PROCESS_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/u;

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z-([a-z0-9][a-z0-9-]{0,62})-([1-9]\d{0,14})\.jsonl$/u;

export function segmentFileName(process: string, segment: number, startTime: number): string {
  return `${new Date(startTime).toISOString().replaceAll(/[-:]/gu, "")}-${process}-${segment}.jsonl`;
}

export function parseSegmentName(file: string): SegmentName | undefined {
  const match = NAME.exec(file);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, process = "", segment] = match;
  const startTime = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(startTime) ? undefined : { file, process, segment: Number(segment), startTime };
}

/** The chains of a folder: each process's segments in their order. Other files are passed over; a missing folder is an empty one. */
export function listChains(folder: string): ReadonlyMap<string, readonly SegmentName[]> {
  const names = filesOf(folder).flatMap((file) => parseSegmentName(file) ?? []);
  const chains = Map.groupBy(names, (name) => name.process);
  for (const chain of chains.values()) chain.sort((a, b) => a.segment - b.segment || (a.file < b.file ? -1 : 1));
  return chains;
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
