import type { KeyObject } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { auditKeyId, isCheckpoint, isSegmentHeader, parseLine } from "./record.ts";
import { listChains, type SegmentName } from "./segment-name.ts";
import { ChainVerifier, checkpointFault, type GoodCheckpoint, type TornLine } from "./verify-chain.ts";
import { type AuditFinding, type SegmentLines, splitLines } from "./verify-lines.ts";

export type { AuditFinding } from "./verify-lines.ts";

/** Sequences from..to, both included. */
export type SequenceRange = { readonly from: number; readonly to: number };

/** What was found of one process's chain. */
export type ChainReport = {
  readonly process: string;
  readonly segments: number;
  readonly records: number;
  readonly lastSequence: number;
  /** Whether it ends with the checkpoint of an orderly stop; otherwise the process runs, or was killed. */
  readonly closed: boolean;
  /** Half lines that unclean stops left, each named by the segment after it. */
  readonly torn: readonly TornLine[];
  readonly lastCheckpoint: GoodCheckpoint | null;
  /** Records after the last signed checkpoint: whoever writes the folder can change them unseen. */
  readonly unsigned: SequenceRange | null;
  readonly lastAnchor: { readonly sequence: number; readonly time: number; readonly file: string } | null;
  /** Records after the last anchor: whoever writes the folder can cut them off unseen. */
  readonly unanchored: SequenceRange | null;
};

export type AnchorReport = {
  readonly file: string;
  readonly found: boolean;
  readonly checkpoints: number;
  /** Lines that are no checkpoint, such as half a line of an unclean stop. */
  readonly unreadable: number;
};

export type AuditReport = {
  /** Whether nothing is wrong; what is merely unanchored is not wrong. */
  readonly ok: boolean;
  readonly records: number;
  readonly segments: number;
  readonly chains: readonly ChainReport[];
  readonly anchors: readonly AnchorReport[];
  readonly findings: readonly AuditFinding[];
};

export type VerifyOptions = {
  readonly folder: string;
  /** Every Ed25519 key that ever signed checkpoints of this trail, from a place that the folder's writers cannot change. */
  readonly publicKeys: readonly KeyObject[];
  /** The files to which checkpoints were anchored. */
  readonly anchors: readonly string[];
};

/**
 * Checks a trail offline: every record's place, link and hash, every checkpoint's signature, every segment's border, and the trail against its
 * anchors. Reads only; may run beside the gateway.
 *
 * Rejects with what the disk says where a segment cannot be read.
 */
export async function verifyAuditTrail({ folder, publicKeys, anchors }: VerifyOptions): Promise<AuditReport> {
  const keys = new Map(publicKeys.map((key) => [auditKeyId(key), key]));
  const findings: AuditFinding[] = [];
  const chains = new Map<string, ChainVerifier>();
  for (const [process, segments] of await claimedChains(folder, findings)) {
    const chain = new ChainVerifier(process, keys);
    for (const name of segments) chain.addSegment(name, await readSegment(join(folder, name.file)));
    chain.finish();
    findings.push(...chain.findings);
    chains.set(process, chain);
  }
  const lastAnchors = new Map<string, NonNullable<ChainReport["lastAnchor"]>>();
  const anchorReports: AnchorReport[] = [];
  for (const file of anchors) anchorReports.push(await checkAnchor(file, { keys, chains, findings, lastAnchors }));
  const reports = [...chains.values()].map((chain) => reportOf(chain, lastAnchors.get(chain.process) ?? null));
  return {
    ok: findings.length === 0,
    records: sum(reports.map((report) => report.records)),
    segments: sum(reports.map((report) => report.segments)),
    chains: reports,
    anchors: anchorReports,
    findings,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The segments by the process and number that each claims in its first record; a file whose name says otherwise was moved. */
async function claimedChains(folder: string, findings: AuditFinding[]): Promise<ReadonlyMap<string, SegmentName[]>> {
  const claimed: SegmentName[] = [];
  for (const name of [...listChains(folder).values()].flat()) {
    const claim = await readClaim(join(folder, name.file));
    const { process, segment } = claim ?? name;
    if (process !== name.process || segment !== name.segment) {
      const detail = `the file is named as segment ${name.segment} of ${name.process} and says it is ${segment} of ${process}`;
      findings.push({ kind: "reordered", file: name.file, line: 1, sequence: null, detail });
    }
    claimed.push({ ...name, process, segment });
  }
  const chains = Map.groupBy(claimed, (name) => name.process);
  for (const [process, names] of chains) chains.set(process, withoutTwins(names, findings));
  return chains;
}

function withoutTwins(names: readonly SegmentName[], findings: AuditFinding[]): SegmentName[] {
  const sorted = names.toSorted((a, b) => a.segment - b.segment);
  return sorted.filter((name, index) => {
    const twin = sorted[index - 1];
    if (twin?.segment !== name.segment) return true;
    const detail = `${twin.file} says too that it is segment ${name.segment}`;
    findings.push({ kind: "reordered", file: name.file, line: null, sequence: null, detail });
    return false;
  });
}

async function readClaim(path: string): Promise<{ readonly process: string; readonly segment: number } | undefined> {
  await using file = await open(path, "r");
  for await (const line of file.readLines({ autoClose: false })) {
    const record = parseLine(line);
    return record !== undefined && isSegmentHeader(record) ? record : undefined;
  }
  return undefined;
}

/** The last line may be half written while it is read: then the file has grown since. */
async function readSegment(path: string): Promise<SegmentLines> {
  for (let bytes = await readFile(path); ;) {
    const segment = splitLines(bytes);
    if (segment.torn.length === 0) return segment;
    const again = await readFile(path);
    if (again.length === bytes.length) return segment;
    bytes = again;
  }
}

type AnchorCheck = {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly chains: ReadonlyMap<string, ChainVerifier>;
  readonly findings: AuditFinding[];
  readonly lastAnchors: Map<string, NonNullable<ChainReport["lastAnchor"]>>;
};

async function checkAnchor(file: string, check: AnchorCheck): Promise<AnchorReport> {
  const bytes = await readFile(file).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (bytes === undefined) return { file, found: false, checkpoints: 0, unreadable: 0 };
  const { lines, torn } = splitLines(bytes);
  let checkpoints = 0;
  for (const { number, text, hash, record } of lines) {
    if (record === undefined || !isCheckpoint(record)) continue;
    checkpoints += 1;
    const { sequence, process, time } = record;
    const fault = checkpointFault(text, record, check.keys);
    if (fault !== undefined) check.findings.push({ kind: "forged", file, line: number, sequence, detail: fault });
    else if (fitsChain({ process, sequence, hash, where: `line ${number} of ${file}` }, check)) {
      const last = check.lastAnchors.get(process);
      if (last === undefined || last.sequence < sequence) check.lastAnchors.set(process, { sequence, time, file });
    }
  }
  const unreadable = lines.length - checkpoints + (torn.length > 0 ? 1 : 0);
  return { file, found: true, checkpoints, unreadable };
}

type Anchored = { readonly process: string; readonly sequence: number; readonly hash: string; readonly where: string };

function fitsChain({ process, sequence, hash, where }: Anchored, { chains, findings }: AnchorCheck): boolean {
  const chain = chains.get(process);
  const found = chain?.checkpoints.get(sequence);
  if (found?.hash === hash) return true;
  const at = { file: found?.file ?? chain?.lastFile ?? "", line: found?.line ?? null, sequence };
  if (chain === undefined) {
    findings.push({ ...at, kind: "removed", detail: `there is no segment of ${process}, which ${where} anchors` });
  } else if (chain.lastSequence < sequence) {
    const detail = `the trail of ${process} ends at ${chain.lastSequence}; ${where} anchors ${sequence}`;
    findings.push({ ...at, kind: "truncated", detail });
  } else {
    findings.push({
      ...at,
      kind: "edited",
      detail: `record ${sequence} of ${process} is not the one that ${where} anchors`,
    });
  }
  return false;
}

function reportOf(chain: ChainVerifier, lastAnchor: ChainReport["lastAnchor"]): ChainReport {
  const { process, segments, records, lastSequence, torn } = chain;
  const lastCheckpoint = chain.lastCheckpoint ?? null;
  const after = (sequence: number | undefined): SequenceRange | null =>
    lastSequence > (sequence ?? 0) ? { from: (sequence ?? 0) + 1, to: lastSequence } : null;
  return {
    process,
    segments,
    records,
    lastSequence,
    closed: chain.isClosed,
    torn,
    lastCheckpoint,
    unsigned: after(lastCheckpoint?.sequence),
    lastAnchor,
    unanchored: after(lastAnchor?.sequence),
  };
}
