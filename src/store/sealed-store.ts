import { setImmediate } from "node:timers/promises";
import type { Kysely } from "kysely";
import type { Change, Heartbeat, IdempotencyEntry, Mutation, ProtectedAmount, RowFault, Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import type { KeyId } from "#core/ids.ts";
import { type HistoryRecord, SEALED_TABLES, type SealedTable } from "#core/records.ts";
import type { StoreDatabase } from "./dialect.ts";
import { readFeed, readHead, readRows } from "./feed.ts";
import type { InventoryEntry, InventoryId, InventoryPage } from "#core/inventory.ts";
import { deleteHeartbeat, purgeHeartbeats, readHeartbeats, writeHeartbeat } from "./heartbeats.ts";
import { readHistory } from "./history.ts";
import { findInventory, forgetUnseen, readInventory, writeInventory } from "./inventory.ts";
import { findIdempotency, keepIdempotency, purgeIdempotency } from "./idempotency.ts";
import { findFault } from "./judge.ts";
import { LastUse, type UsedId } from "./last-use.ts";
import { ProtectedAmounts } from "./protected-amounts.ts";
import { takeLease } from "./leases.ts";
import { loadAll } from "./load.ts";
import type { MemoryCatalog } from "./memory-catalog.ts";
import { type Plan, planChange } from "./plan.ts";
import type { RevisionFile } from "./revision-file.ts";
import type { Schema } from "./schema.ts";
import { type Sealer, sealsEqual } from "./seals.ts";
import { type SnapshotPart, newestSnapshot, snapshotParts, writeSnapshot } from "./snapshots.ts";
import { sweepFeed, sweepTable } from "./sweep.ts";
import type { Followed, VerifiedState } from "./verified-state.ts";
import { WorkQueue } from "./work-queue.ts";
import { writePlan } from "./write.ts";

const POLL_MS = 50;
const SWEEP_EVERY_MS = 10_000;
const LAST_USE_WRITE_MS = 5000;
const PURGE_MS = 3_600_000;
const HOUR_MS = 3_600_000;

export type SealedStoreParts = {
  readonly database: StoreDatabase;
  readonly state: VerifiedState;
  readonly sealer: Sealer;
  readonly sources: Sources;
  readonly revisionFile: RevisionFile;
  readonly snapshotEvery: number;
  readonly onError: (error: unknown) => void;
};

/** The store of one process on a database that has been loaded: follows the feed, writes changes, sweeps. */
export class SealedStore implements Store {
  readonly catalog: MemoryCatalog;
  readonly #parts: SealedStoreParts;
  readonly #db: Kysely<Schema>;
  readonly #state: VerifiedState;
  readonly #queue = new WorkQueue();
  readonly #lastUse = new LastUse();
  readonly #protected = new ProtectedAmounts();
  readonly #listeners = new Set<(applied: readonly Mutation[], own: boolean) => void>();
  readonly #timers = new Map<string, Disposable>();
  #standing: Followed["kind"];
  #token: unknown;
  #refreshing: Promise<boolean> | undefined;
  #sweeping: Promise<unknown> = Promise.resolve();
  #sweptAtMs = -SWEEP_EVERY_MS;
  #snapshotAt: number;
  #lastError = "";
  #closed = false;

  /** `token` was read before the load whose outcome is `standing`. */
  constructor(parts: SealedStoreParts, start: { token: unknown; standing: Followed["kind"]; snapshotAt: number }) {
    this.#parts = parts;
    this.#db = parts.database.db;
    this.#state = parts.state;
    this.catalog = parts.state.catalog;
    this.#token = start.token;
    this.#standing = start.standing;
    this.#snapshotAt = start.snapshotAt;
    this.catalog.freshAtMs = parts.sources.clock.monotonicMs();
    this.#every("poll", POLL_MS, () => this.refresh());
    this.#every("last use", LAST_USE_WRITE_MS, () => this.#exchangeUses());
    this.#every("purge", PURGE_MS, () => this.#purge());
  }

  /** Reads what the unsealed tables remember. */
  async start(): Promise<void> {
    await this.#lastUse.read(this.#db);
    await this.#protected.read(this.#db);
    await this.#purge();
  }

  change<R>(decide: (catalog: MemoryCatalog) => Change<R>): Promise<R> {
    return this.#enqueue(async () => {
      await this.#catchUp();
      this.#assertWritable();
      let decided = decide(this.catalog);
      let plan = this.#plan(decided);
      if (plan.rows.length === 0 && decided.idempotency === undefined) return decided.result;
      await this.#db.transaction().execute(async (trx) => {
        if (!(await this.#isCurrent(trx))) {
          this.#take(this.#state.follow(await readFeed(trx, this.#state.chain.revision)));
          this.#assertWritable();
          decided = decide(this.catalog);
          plan = this.#plan(decided);
        }
        await writePlan(trx, plan);
        if (decided.idempotency !== undefined) {
          await keepIdempotency(trx, decided.idempotency, { sealer: this.#parts.sealer, now: this.#now() });
        }
      });
      this.#notify(this.#state.applyOwn(plan), true);
      this.#snapshotIfDue();
      return decided.result;
    });
  }

  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#enqueue(() => {
      this.#refreshing = undefined;
      return this.#catchUp();
    });
    return this.#refreshing;
  }

  onApplied(listener: (applied: readonly Mutation[], own: boolean) => void): Disposable {
    const entry = (applied: readonly Mutation[], own: boolean): void => listener(applied, own);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => this.#listeners.delete(entry) };
  }

  scrub(): Promise<void> {
    return this.#enqueue(() => this.#parts.database.scrub());
  }

  verify(): Promise<readonly RowFault[]> {
    const sweep = this.#sweeping.then(() => this.#sweep());
    this.#sweeping = sweep.catch(() => undefined);
    return sweep;
  }

  async history(key: KeyId): Promise<readonly HistoryRecord[]> {
    const tools = { chain: this.#state.chain, sealer: this.#parts.sealer };
    return readHistory(this.#db, key, (row) => findFault("history", row, tools) === undefined);
  }

  findIdempotency(credential: string, key: string): Promise<IdempotencyEntry | undefined> {
    return findIdempotency(this.#db, { credential, key, now: this.#now(), sealer: this.#parts.sealer });
  }

  noteUse(id: UsedId, time: number): void {
    this.#lastUse.note(id, time);
  }

  lastUse(id: UsedId): number | undefined {
    return this.#lastUse.get(id);
  }

  noteProtected(version: string, bytes: number): void {
    this.#protected.note(version, bytes);
  }

  protectedAmount(version: string): ProtectedAmount {
    return this.#protected.get(version);
  }

  beat(heartbeat: Heartbeat): Promise<void> {
    return writeHeartbeat(this.#db, heartbeat);
  }

  heartbeats(): Promise<readonly Heartbeat[]> {
    return readHeartbeats(this.#db);
  }

  dropHeartbeat(process: string): Promise<void> {
    return deleteHeartbeat(this.#db, process);
  }

  noteInventory(entries: readonly InventoryEntry[]): Promise<void> {
    return writeInventory(this.#db, entries);
  }

  forgetUnseen(providerUid: string, time: number): Promise<void> {
    return forgetUnseen(this.#db, providerUid, time);
  }

  inventory(page: InventoryPage): Promise<readonly InventoryEntry[]> {
    return readInventory(this.#db, page);
  }

  findInventory(id: InventoryId): Promise<InventoryEntry | undefined> {
    return findInventory(this.#db, id);
  }

  lease(name: string, process: string, ms: number): Promise<boolean> {
    return takeLease(this.#db, { name, process, now: this.#now(), ms });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    await this.#sweeping;
    await this.#queue.idle();
    await this.#lastUse.write(this.#db).catch((error: unknown) => this.#parts.onError(error));
    await this.#protected.write(this.#db).catch((error: unknown) => this.#parts.onError(error));
    await this.#parts.revisionFile[Symbol.asyncDispose]();
    await this.#parts.database[Symbol.asyncDispose]();
  }

  /** Reads the feed if anything was committed elsewhere; resolves with whether anything was new. Runs in the queue. */
  async #catchUp(): Promise<boolean> {
    const { database, sources } = this.#parts;
    if (!database.isInPlace()) {
      this.#state.rollBack("the database file was replaced or removed while it was open");
      this.#standing = "rolled-back";
      return false;
    }
    const freshAtMs = sources.clock.monotonicMs();
    const token = await database.changeToken();
    const moved = token !== this.#token || this.#standing === "rolled-back";
    const before = this.catalog.revision;
    if (moved) {
      const read = await this.#reading((trx) => readFeed(trx, this.catalog.revision));
      this.#take(this.#state.follow(read));
      if (this.#standing === "gap") await this.#reload();
      this.#token = token;
    }
    const isNew = this.catalog.revision > before;
    if (moved && !isNew) this.#sweepSoon();
    if (isGood(this.#standing)) this.catalog.freshAtMs = freshAtMs;
    return isNew;
  }

  /** A snapshot has taken the place of changes that this process has not read: everything is read again. */
  async #reload(): Promise<void> {
    const loaded = await this.#reading((trx) => loadAll(trx, this.#parts.sealer));
    this.#take(this.#state.reload(loaded));
  }

  #take({ kind, applied }: Followed): void {
    this.#standing = kind;
    if (applied.length > 0) this.#notify(applied, false);
  }

  #plan(decided: Change<unknown>): Plan {
    return planChange(decided, { catalog: this.catalog, chain: this.#state.chain, sealer: this.#parts.sealer });
  }

  async #isCurrent(trx: Kysely<Schema>): Promise<boolean> {
    const { revision, link } = this.#state.chain;
    const head = await readHead(trx);
    return head === undefined ? revision === 0 : head.revision === revision && sealsEqual(link, head.link);
  }

  #assertWritable(): void {
    if (isGood(this.#standing)) return;
    const [fault] = this.catalog.faults.filter(({ table }) => table === "feed");
    throw new KmsError(
      "INTERNAL",
      `the change feed does not verify (${fault?.fault ?? this.#standing}), so nothing is written`,
      {
        help: "only restore goes back to a state that verifies",
      },
    );
  }

  #notify(applied: readonly Mutation[], own: boolean): void {
    this.#parts.revisionFile.note(this.catalog.revision);
    for (const listener of this.#listeners) {
      try {
        listener(applied, own);
      } catch (error) {
        this.#parts.onError(error);
      }
    }
  }

  #sweepSoon(): void {
    if (this.#timers.has("sweep") || this.#closed) return;
    const wait = Math.max(0, this.#sweptAtMs + SWEEP_EVERY_MS - this.#parts.sources.clock.monotonicMs());
    const sweep = (): void => {
      this.#timers.delete("sweep");
      this.verify().catch((error: unknown) => this.#report(error));
    };
    this.#timers.set("sweep", this.#parts.sources.scheduler.after(wait, sweep));
  }

  async #sweep(): Promise<readonly RowFault[]> {
    this.#sweptAtMs = this.#parts.sources.clock.monotonicMs();
    const tools = { state: this.#state, sealer: this.#parts.sealer };
    for (const table of SEALED_TABLES) {
      if (this.#closed) return this.catalog.faults;
      const suspects = await sweepTable(this.#db, table, tools);
      if (suspects.size > 0) await this.#enqueue(() => this.#recheck(table, suspects));
    }
    if ((await sweepFeed(this.#db, tools)).length === 0) this.#state.sweptFeed([]);
    else await this.#enqueue(async () => this.#state.sweptFeed(await this.#reading((trx) => sweepFeed(trx, tools))));
    return this.catalog.faults;
  }

  /** Follows the feed and reads the rows again in one transaction, so that a row that was only newer is not taken for a bad one. */
  async #recheck(table: SealedTable, ids: ReadonlySet<string>): Promise<void> {
    const { read, rows } = await this.#reading(async (trx) => ({
      read: await readFeed(trx, this.catalog.revision),
      rows: await readRows(trx, table, [...ids]),
    }));
    this.#take(this.#state.follow(read));
    const mended = this.#state.recheck(table, ids, rows);
    if (mended.length > 0) this.#notify(mended, false);
  }

  #snapshotIfDue(): void {
    if (this.catalog.revision - this.#snapshotAt < this.#parts.snapshotEvery) return;
    this.#snapshotAt = this.catalog.revision;
    this.#enqueue(() => this.#snapshot()).catch((error: unknown) => this.#report(error));
  }

  /** Changes wait while the snapshot is made; reading does not. */
  async #snapshot(): Promise<void> {
    const { sealer, snapshotEvery } = this.#parts;
    const parts: SnapshotPart[] = [];
    for (const part of snapshotParts(this.#state.chain, sealer)) {
      parts.push(part);
      await setImmediate();
    }
    const { revision } = this.#state.chain;
    await this.#db.transaction().execute(async (trx) => {
      const newest = (await newestSnapshot(trx)) ?? 0;
      if (newest + snapshotEvery <= revision) await writeSnapshot(trx, parts, snapshotEvery);
    });
    this.#snapshotAt = revision;
  }

  async #exchangeUses(): Promise<void> {
    await this.#lastUse.write(this.#db);
    await this.#lastUse.read(this.#db, this.#now() - HOUR_MS);
    await this.#protected.write(this.#db);
    await this.#protected.read(this.#db);
  }

  async #purge(): Promise<void> {
    await purgeHeartbeats(this.#db, this.#now());
    await purgeIdempotency(this.#db, this.#now());
  }

  #reading<T>(read: (trx: Kysely<Schema>) => Promise<T>): Promise<T> {
    return this.#db.transaction().setAccessMode("read only").execute(read);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new KmsError("SHUTTING_DOWN", "the store is closed"));
    return this.#queue.run(work);
  }

  #every(name: string, ms: number, work: () => Promise<unknown>): void {
    const run = async (): Promise<void> => {
      try {
        await work();
        if (name === "poll") this.#lastError = "";
      } catch (error) {
        this.#report(error);
      }
      if (!this.#closed) this.#every(name, ms, work);
    };
    this.#timers.set(
      name,
      this.#parts.sources.scheduler.after(ms, () => void run()),
    );
  }

  /** A failure that repeats at every poll is told once. */
  #report(error: unknown): void {
    const text = String(error);
    if (text === this.#lastError) return;
    this.#lastError = text;
    this.#parts.onError(error);
  }

  #now(): number {
    return this.#parts.sources.clock.now();
  }
}

function isGood(kind: Followed["kind"]): boolean {
  return kind === "current" || kind === "advanced";
}
