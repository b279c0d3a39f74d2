import type { Mutation, RowFault } from "#core/catalog.ts";
import type { Clock } from "#core/clock.ts";
import { SEALED_TABLES, type SealedTable } from "#core/records.ts";
import { Chain, isRemoval } from "./chain.ts";
import type { FeedRead, Head } from "./feed.ts";
import { type AnyRecord, type RawRow, findFault, recordOf } from "./judge.ts";
import { type BadRow, type Loaded, badRow } from "./load.ts";
import { MemoryCatalog } from "./memory-catalog.ts";
import { type Plan, plannedRecord } from "./plan.ts";
import { type Sealer, sealsEqual } from "./seals.ts";

/** What became of a read of the feed. `gap`: changes that a snapshot has replaced, or that were taken away, are missing. */
export type Followed = {
  readonly kind: "current" | "advanced" | "gap" | "broken" | "rolled-back";
  readonly applied: readonly Mutation[];
};

/** The chain and the catalog of this process, and the only code that changes them: from what has verified, synchronously, all at once. */
export class VerifiedState {
  readonly chain = new Chain();
  readonly catalog = new MemoryCatalog(this.chain);
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #onFault: (fault: RowFault) => void;

  constructor(options: { sealer: Sealer; clock: Clock; onFault: (fault: RowFault) => void }) {
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#onFault = options.onFault;
  }

  /** Takes over a whole load; whatever was known before is replaced. */
  adopt({ chain, good, bad, head }: Loaded): Followed {
    const applied: Mutation[] = [];
    const before = new Map(SEALED_TABLES.map((table) => [table, this.chain.rows(table)]));
    const hidden = new Set(this.catalog.faults.map(({ table, id }) => `${table}/${id}`));
    this.chain.become(chain);
    for (const { table, id } of this.catalog.faults) this.catalog.clearFault(table, id);
    for (const [table, rows] of before) {
      for (const id of rows.keys())
        if (chain.named(table, id) === undefined) applied.push(this.#apply(table, id, null));
    }
    for (const row of good) {
      const { table, id, record } = row;
      const known = before.get(table)?.get(id)?.revision === chain.named(table, id)?.revision;
      if (known && !hidden.has(`${table}/${id}`)) continue;
      this.catalog.apply(table, id, record);
      applied.push(row);
    }
    for (const row of bad) this.addFault(row);
    const standing = this.#checkHead(head);
    const isNamed = bad.some(({ fault }) => fault.table === "feed" && fault.id === String(chain.revision + 1));
    if (standing === "broken" && !isNamed) this.#addFeedFault(chain.revision + 1, "missing");
    return { kind: standing === "current" && applied.length > 0 ? "advanced" : standing, applied };
  }

  /** Takes over a whole load if it goes further than this process; if not, the changes that are missing were taken away. */
  reload(loaded: Loaded): Followed {
    if (loaded.chain.revision > this.chain.revision) return this.adopt(loaded);
    this.#addFeedFault(this.chain.revision + 1, "missing");
    return { kind: "broken", applied: [] };
  }

  /** Follows the changes that a transaction read, as far as their links are right, and puts in the rows that they name. */
  follow(read: FeedRead): Followed {
    if (this.#checkHead(read.head) === "rolled-back") return { kind: "rolled-back", applied: [] };
    const touched = new Map<string, { table: SealedTable; id: string; before: number }>();
    const next = this.chain.revision + 1;
    let broken = false;
    for (const change of read.changes) {
      const before = change && this.catalog.revisionOf(change.table, change.id);
      broken = change === undefined || !this.chain.follow(change, this.#sealer);
      if (broken) break;
      if (change === undefined || before === undefined) continue;
      const label = `${change.table}/${change.id}`;
      touched.set(label, touched.get(label) ?? { table: change.table, id: change.id, before });
    }
    const applied = [...touched.values()].flatMap((row) => this.#take(row, read.rows.get(row.table)?.get(row.id)));
    if (this.chain.revision >= next) this.catalog.clearFault("feed", String(next));
    const kind = this.#standing(read, broken);
    return { kind: kind === "current" && touched.size > 0 ? "advanced" : kind, applied };
  }

  /** Applies what this process has committed. */
  applyOwn(plan: Plan): readonly Mutation[] {
    return plan.rows.map((row) => {
      const { table, id } = row.mutation;
      this.chain.append(row.change);
      if (row.mutation.record === null) this.chain.drop(table, id);
      this.catalog.apply(table, id, plannedRecord(row));
      return row.mutation;
    });
  }

  /** Looks again at rows that a sweep suspects, as one transaction that followed the feed to its end has read them. */
  recheck(table: SealedTable, ids: Iterable<string>, rows: ReadonlyMap<string, RawRow>): readonly Mutation[] {
    return [...ids].flatMap((id) => {
      const row = rows.get(id);
      if (row === undefined && this.chain.named(table, id) === undefined) {
        this.catalog.clearFault(table, id);
        return [];
      }
      const fault = this.#faultOf(table, row);
      if (row === undefined || fault !== undefined) {
        this.addFault(badRow({ table, id, fault: fault ?? "missing" }, row));
        return [];
      }
      return this.catalog.hasFault(table, id) ? [this.#apply(table, id, recordOf(row))] : [];
    });
  }

  /** Takes over what a sweep of the whole feed found; what it found before and finds no more is over. */
  sweptFeed(found: readonly RowFault[]): void {
    const kept = new Set(["head", String(this.chain.revision + 1), ...found.map((fault) => fault.id)]);
    for (const { table, id } of this.catalog.faults)
      if (table === "feed" && !kept.has(id)) this.catalog.clearFault(table, id);
    for (const fault of found) this.addFault({ fault });
  }

  /** Names a row that does not verify, once. */
  addFault({ fault, unverified }: BadRow): void {
    if (this.catalog.addFault(fault, { since: this.#clock.now(), unverified })) this.#onFault(fault);
  }

  /** Holds every key: the database is older than what this process has seen. */
  rollBack(evidence: string): void {
    this.addFault({ fault: { table: "feed", id: "head", fault: "rolled-back" } });
    this.catalog.holdAll(this.#clock.now(), evidence);
  }

  #checkHead(head: Head | undefined): "current" | "rolled-back" | "broken" {
    const { revision, link } = this.chain;
    const at = head?.revision ?? 0;
    if (at < revision || (at === revision && head !== undefined && !sealsEqual(link, head.link))) {
      this.rollBack(`the feed stands at ${String(at)}, where this process had seen ${String(revision)}`);
      return "rolled-back";
    }
    if (this.catalog.hasFault("feed", "head")) {
      this.catalog.clearFault("feed", "head");
      this.catalog.holdAll(undefined);
    }
    return at > revision ? "broken" : "current";
  }

  #standing({ head, changes }: FeedRead, broken: boolean): "current" | "gap" | "broken" {
    const { revision } = this.chain;
    if (!broken && (head?.revision ?? 0) <= revision) return "current";
    const first = changes[0];
    if (changes.length === 0 || (first !== undefined && first.revision > revision + 1)) return "gap";
    this.#addFeedFault(revision + 1, broken ? "unchained" : "missing");
    return "broken";
  }

  #addFeedFault(revision: number, fault: RowFault["fault"]): void {
    this.addFault({ fault: { table: "feed", id: String(revision), fault } });
  }

  #take(
    { table, id, before }: { table: SealedTable; id: string; before: number },
    row: RawRow | undefined,
  ): readonly Mutation[] {
    const named = this.chain.named(table, id);
    if (row === undefined && named !== undefined && isRemoval(table, named, this.#sealer)) {
      this.chain.drop(table, id);
      return [this.#apply(table, id, null, before)];
    }
    const fault = this.#faultOf(table, row);
    if (row !== undefined && fault === undefined) return [this.#apply(table, id, recordOf(row), before)];
    this.addFault(badRow({ table, id, fault: fault ?? "missing" }, row));
    return [];
  }

  #faultOf(table: SealedTable, row: RawRow | undefined): RowFault["fault"] | undefined {
    return row === undefined ? "missing" : findFault(table, row, { chain: this.chain, sealer: this.#sealer });
  }

  #apply(table: SealedTable, id: string, record: AnyRecord | null, ifRevision = 0): Mutation {
    this.catalog.apply(table, id, record);
    return { table, id, record, ifRevision } as Mutation;
  }
}
