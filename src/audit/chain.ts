import type { KeyObject } from "node:crypto";
import type { AuditEvent } from "#core/audit.ts";
import type { Clock } from "#core/clock.ts";
import {
  auditKeyId,
  type Checkpoint,
  GENESIS,
  lineHash,
  type PreviousSegment,
  type SegmentHeader,
  signCheckpoint,
} from "./record.ts";

/** Where a chain stands: the last record's sequence and hash, and how many records no checkpoint covers yet. */
export type ChainPosition = { readonly sequence: number; readonly head: string; readonly unsigned: number };

/** Makes the lines of one process's chain, each with its line feed. Writes nothing: a failed write goes back to a position. */
export class Chain {
  readonly #process: string;
  readonly #signingKey: KeyObject;
  readonly #keyId: string;
  readonly #clock: Clock;
  #sequence = 0;
  #head = GENESIS;
  #unsigned = 0;

  constructor(options: { readonly process: string; readonly signingKey: KeyObject; readonly clock: Clock }) {
    this.#process = options.process;
    this.#signingKey = options.signingKey;
    this.#keyId = auditKeyId(options.signingKey);
    this.#clock = options.clock;
  }

  get position(): ChainPosition {
    return { sequence: this.#sequence, head: this.#head, unsigned: this.#unsigned };
  }

  set position(position: ChainPosition) {
    this.#sequence = position.sequence;
    this.#head = position.head;
    this.#unsigned = position.unsigned;
  }

  get unsigned(): number {
    return this.#unsigned;
  }

  event(event: AuditEvent): string {
    return this.#line(event);
  }

  header(segment: number, after: PreviousSegment | null): string {
    const time = this.#clock.now();
    const header: SegmentHeader = { type: "segment", format: 1, process: this.#process, segment, time, after };
    return this.#line(header);
  }

  checkpoint(reason: Checkpoint["reason"]): string {
    const sequence = this.#sequence + 1;
    const statement = { reason, process: this.#process, head: this.#head, time: this.#clock.now(), keyId: this.#keyId };
    const line = this.#line(signCheckpoint(statement, { sequence, signingKey: this.#signingKey }));
    this.#unsigned = 0;
    return line;
  }

  #line(members: AuditEvent | SegmentHeader | Checkpoint): string {
    this.#sequence += 1;
    // One JSON.stringify of the whole and a prefix: half the price of building the members one by one
    const rest = JSON.stringify(members).slice(1);
    const line = `{"sequence":${this.#sequence},"previous":"${this.#head}",${rest}`;
    this.#head = lineHash(line);
    this.#unsigned += 1;
    return `${line}\n`;
  }
}
