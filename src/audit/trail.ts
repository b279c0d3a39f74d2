import type { KeyObject } from "node:crypto";
import * as fs from "node:fs";
import type { AuditEvent, AuditQuery, AuditTrail, StoredAuditEvent } from "#core/audit.ts";
import type { Clock, Scheduler } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import { Anchors } from "./anchor.ts";
import { Chain } from "./chain.ts";
import { findChainEnd } from "./chain-end.ts";
import { DiskSync } from "./disk-sync.ts";
import { queryTrail, type TrailPage } from "./query.ts";
import { CHECKPOINT_RECORDS, type Checkpoint, type PreviousSegment, SEGMENT_BYTES } from "./record.ts";
import { type Disk, SegmentFile } from "./segment-file.ts";
import { PROCESS_NAME, segmentFileName } from "./segment-name.ts";

export type AuditTrailOptions = {
  /** Where the segments are, such as `data/audit`; made (0700) if it is not there. */
  readonly folder: string;
  /** Names this process's chain over restarts, such as `gateway` or `worker-2`: no two live processes share one. */
  readonly process: string;
  /** The private Ed25519 key of the checkpoints. */
  readonly signingKey: KeyObject;
  /** Files outside the data folder to which checkpoints are appended too. */
  readonly anchors: readonly string[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Told of what an operator should know and no caller is: an anchor that cannot be written, a segment that somebody removed. */
  readonly onTrouble: (message: string, cause?: unknown) => void;
  readonly disk?: Disk;
  readonly limits?: Partial<TrailLimits>;
};

export type TrailLimits = {
  readonly segmentBytes: number;
  readonly checkpointRecords: number;
  readonly checkpointMs: number;
  /** The longest that a record not asked to be on the disk stays off it. */
  readonly syncMs: number;
};

const LIMITS: TrailLimits = {
  segmentBytes: SEGMENT_BYTES,
  checkpointRecords: CHECKPOINT_RECORDS,
  checkpointMs: 60_000,
  syncMs: 1000,
};
/** Groups up to this many records are written at once (see {@link SegmentFile}). */
const SMALL_GROUP = 16;

/**
 * Opens the trail and writes the first record of a new segment, which goes on with the chain that the folder holds for this process.
 * Lines, hashes and signatures are as `record.ts` says.
 *
 * @throws KmsError `AUDIT_UNAVAILABLE` if the folder cannot be read or written.
 */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  return new FileAuditTrail(options);
}

/** What is written together. Either promise may be absent: nobody asked for it. */
type Group = {
  readonly events: AuditEvent[];
  written?: PromiseWithResolvers<void>;
  durable?: PromiseWithResolvers<void>;
};

/** The segment that is to come: its number, and what its header says of the one before. */
type NextSegment = { readonly number: number; readonly after: PreviousSegment | null };

class FileAuditTrail implements AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #limits: TrailLimits;
  readonly #disk: Disk;
  readonly #chain: Chain;
  readonly #sync: DiskSync;
  readonly #anchors: Anchors;
  #segment: SegmentFile | undefined;
  #segmentNumber = 0;
  #next: NextSegment | undefined;
  #group: Group | undefined;
  #writing = false;
  #available = true;
  #closing: Promise<void> | undefined;
  #checkpointDue: Checkpoint["reason"] | undefined;
  #checkpointTimer: Disposable | undefined;
  #syncTimer: Disposable | undefined;
  #retryTimer: Disposable | undefined;

  constructor(options: AuditTrailOptions) {
    if (!PROCESS_NAME.test(options.process)) throw new TypeError(`not a process name: ${options.process}`);
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#disk = options.disk ?? fs;
    this.#chain = new Chain(options);
    this.#sync = new DiskSync((segment, error) => this.#unsynced(segment, error));
    this.#anchors = new Anchors(options.anchors, (file, error) =>
      options.onTrouble(`cannot write anchor ${file}`, error),
    );
    this.#begin();
  }

  get available(): boolean {
    return this.#available;
  }

  append(event: AuditEvent, { sync = false }: { readonly sync?: boolean } = {}): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(unavailable(new Error("the trail is closed")));
    const group = this.#openGroup();
    group.events.push(event);
    if (sync) return (group.durable ??= Promise.withResolvers<void>()).promise;
    return (group.written ??= Promise.withResolvers<void>()).promise;
  }

  query(query: AuditQuery, page: TrailPage): Promise<readonly StoredAuditEvent[]> {
    return queryTrail(this.#options.folder, query, page);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #begin(): void {
    try {
      const segment = this.#readySegment();
      const { text, checkpoints } = this.#compose([]);
      segment.writeNow(text);
      this.#noteWritten(segment, checkpoints);
    } catch (error) {
      this.#segment?.takeBack();
      this.#segment?.close();
      throw unavailable(error);
    }
  }

  /** Everything appended in one turn of the event loop goes into one group. */
  #openGroup(): Group {
    if (this.#group === undefined) {
      this.#group = { events: [] };
      if (!this.#writing) setImmediate(() => this.#flush());
    }
    return this.#group;
  }

  #flush(): void {
    const group = this.#group;
    if (this.#writing || group === undefined) return;
    this.#group = undefined;
    let before = this.#chain.position;
    try {
      const segment = this.#readySegment();
      before = this.#chain.position;
      const { text, checkpoints } = this.#compose(group.events);
      if (group.events.length <= SMALL_GROUP && !this.#sync.running) {
        segment.writeNow(text);
        this.#succeeded(group, segment, checkpoints);
        return;
      }
      this.#writing = true;
      segment.writeLater(text, (error) => {
        this.#writing = false;
        if (error === null && this.#segment === segment) this.#succeeded(group, segment, checkpoints);
        else this.#failed(group, error ?? new Error("the segment was given up"), before);
        this.#flush();
      });
    } catch (error) {
      this.#failed(group, error, before);
    }
  }

  /** The segment to write to; opened, or begun anew, where need be. */
  #readySegment(): SegmentFile {
    if (this.#segment !== undefined && this.#segment.bytes >= this.#limits.segmentBytes) this.#rotate(this.#segment);
    if (this.#segment !== undefined) return this.#segment;
    this.#next ??= this.#resume();
    const { folder, process, clock } = this.#options;
    const file = segmentFileName(process, this.#next.number, clock.now());
    this.#segment = new SegmentFile(this.#disk, folder, file);
    this.#segmentNumber = this.#next.number;
    return this.#segment;
  }

  #rotate(segment: SegmentFile): void {
    const line = this.#chain.checkpoint("rotation");
    segment.writeNow(line);
    this.#noteWritten(segment, [line]);
    this.#next = { number: this.#segmentNumber + 1, after: { file: segment.file, end: "rotation", torn: null } };
    this.#segment = undefined;
    this.#sync.sync().then(
      () => segment.close(),
      () => segment.close(), // told of by #unsynced
    );
  }

  /** Goes on from the disk, unless it has less than what was acknowledged: the verifier is to see that something was taken away. */
  #resume(): NextSegment {
    const end = findChainEnd(this.#options.folder, this.#options.process);
    const { sequence } = this.#chain.position;
    if (end.sequence > sequence) this.#chain.position = { sequence: end.sequence, head: end.head, unsigned: 0 };
    if (end.after?.end === "unclean") this.#checkpointDue ??= "time";
    return { number: Math.max(end.nextSegment, this.#segmentNumber + 1), after: end.after };
  }

  #compose(events: readonly AuditEvent[]): { readonly text: string; readonly checkpoints: readonly string[] } {
    const chain = this.#chain;
    const checkpoints: string[] = [];
    let text = "";
    if (this.#segment?.bytes === 0 && this.#next !== undefined)
      text = chain.header(this.#next.number, this.#next.after);
    const sign = (reason: Checkpoint["reason"]): void => {
      const line = chain.checkpoint(reason);
      checkpoints.push(line);
      text += line;
    };
    for (const event of events) {
      if (chain.unsigned >= this.#limits.checkpointRecords) sign("records");
      text += chain.event(event);
    }
    if (this.#checkpointDue !== undefined) sign(this.#checkpointDue);
    return { text, checkpoints };
  }

  #succeeded(group: Group, segment: SegmentFile, checkpoints: readonly string[]): void {
    this.#available = true;
    this.#noteWritten(segment, checkpoints);
    group.written?.resolve();
    if (group.durable === undefined) return;
    const { resolve, reject } = group.durable;
    this.#sync.sync().then(resolve, (error: unknown) => reject(unavailable(error)));
  }

  #noteWritten(segment: SegmentFile, checkpoints: readonly string[]): void {
    this.#next = undefined;
    this.#sync.noteWrite(segment);
    this.#syncTimer ??= this.#options.scheduler.after(this.#limits.syncMs, () => this.#syncNow());
    if (checkpoints.length > 0) {
      this.#checkpointDue = undefined;
      this.#checkpointTimer?.[Symbol.dispose]();
      this.#checkpointTimer = undefined;
      this.#anchor(checkpoints);
    }
    if (this.#chain.unsigned > 0) {
      this.#checkpointTimer ??= this.#options.scheduler.after(this.#limits.checkpointMs, () => this.#checkpointNow());
    }
  }

  /** Only what is on the disk: an anchor must not vouch for records that a power failure takes. */
  #anchor(checkpoints: readonly string[]): void {
    if (!this.#anchors.configured) return;
    this.#sync.sync().then(
      () => this.#anchors.append(checkpoints.join("")),
      () => undefined, // told of by #unsynced
    );
  }

  #failed(group: Group, error: unknown, before: Chain["position"]): void {
    this.#chain.position = before;
    if (this.#segment === undefined) this.#next = undefined;
    else if (!this.#segment.takeBack()) this.#abandon();
    this.#noteFailure("the audit trail cannot be written", error);
    const failure = unavailable(error);
    group.written?.reject(failure);
    group.durable?.reject(failure);
  }

  /** Leaves the segment as it is; the next write begins another, which says how this one ended. */
  #abandon(): void {
    this.#segment?.close();
    this.#segment = undefined;
    this.#next = undefined;
  }

  #unsynced(segment: SegmentFile, error: unknown): void {
    if (segment === this.#segment) this.#abandon();
    this.#noteFailure(`audit segment ${segment.file} cannot be synced`, error);
  }

  /** Tries again by itself: a gateway that is not ready gets no request that would. */
  #noteFailure(message: string, cause?: unknown): void {
    if (this.#available) this.#options.onTrouble(message, cause);
    this.#available = false;
    this.#retryTimer ??= this.#options.scheduler.after(this.#limits.syncMs, () => {
      this.#retryTimer = undefined;
      if (!this.#available) this.#checkpointNow();
    });
  }

  #checkpointNow(): void {
    this.#checkpointTimer = undefined;
    this.#checkpointDue ??= "time";
    this.#openGroup();
  }

  #syncNow(): void {
    this.#syncTimer = undefined;
    if (!this.#writing && this.#segment !== undefined && !this.#segment.isIntact()) {
      const { file } = this.#segment;
      this.#abandon();
      this.#noteFailure(`audit segment ${file} was removed or changed by somebody else`);
    } else if (this.#sync.dirty) {
      this.#sync.sync().catch(() => undefined); // told of by #unsynced
    }
  }

  async #close(): Promise<void> {
    const group = this.#openGroup();
    group.durable ??= Promise.withResolvers<void>();
    this.#checkpointDue = "close";
    try {
      await group.durable.promise;
    } catch (error) {
      this.#options.onTrouble("the audit trail could not be closed", error);
    }
    for (const timer of [this.#checkpointTimer, this.#syncTimer, this.#retryTimer]) timer?.[Symbol.dispose]();
    await this.#anchors.settled();
    this.#segment?.close();
    this.#segment = undefined;
  }
}

function unavailable(cause: unknown): KmsError {
  return new KmsError("AUDIT_UNAVAILABLE", "the audit trail cannot be written", { cause, retryAfterSeconds: 1 });
}
