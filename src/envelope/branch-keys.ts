import { timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";
import type { Uuid } from "#core/ids.ts";
import { branchVersionRowId } from "#core/records.ts";
import { checkKey } from "./key-bytes.ts";

/** A branch key as a recipient opened it. `key` is an unpooled buffer that passes to the cache. */
export type LoadedBranchKey = { readonly key: Buffer; readonly recipient: Uuid };

export type BranchKeyState = {
  /** Epoch milliseconds. */
  readonly loadedAt: number;
  /** When the branch key is dropped unless its wrapping key opens something before: epoch milliseconds. */
  readonly expiresAt: number;
  /** Whose wrap was opened. */
  readonly recipient: Uuid;
};

/** `hit`: answered from memory; the others: one attempt to load, by its end. */
export type BranchKeyResult = "hit" | "load" | "refresh" | "failure";

export type BranchKeysOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly refreshMs: number;
  readonly hardTtlMs: number;
  /** Opens one wrap of the branch version; it has its own deadline, and no caller can cancel it. */
  readonly load: (branch: Uuid, branchVersion: number) => Promise<LoadedBranchKey>;
  readonly onResult?: (result: BranchKeyResult) => void;
};

/**
 * The branch keys in memory.
 *
 * A key that is given out stays the cache's: use it at once, in the same turn, and never keep it: what is dropped is zeroed, and every
 * derivation refuses a zeroed key. States, holds and access are checked against the catalog, never against what is here.
 */
export interface BranchKeys {
  /**
   * The key: at once while it is warm, else when it was loaded. Callers who meet share one load; a failure answers all of them, and who comes
   * within 250 ms after it.
   */
  get(branch: Uuid, branchVersion: number): Buffer | Promise<Buffer>;
  /** What is warm; looking refreshes nothing. */
  state(branch: Uuid, branchVersion: number): BranchKeyState | undefined;
  /** Drops one branch version; a load under way is then for nobody. */
  evict(branch: Uuid, branchVersion: number): void;
  /** Drops whatever is past its hard limit and unused: call it from time to time. */
  sweep(): void;
  clear(): void;
  /** Called with each branch version that is dropped, after its key was zeroed. */
  onDrop(listener: (branch: Uuid, branchVersion: number) => void): Disposable;
}

/** For how long a failure is remembered, before jitter. */
const FAILURE_MS = 250;

type Place = { readonly branch: Uuid; readonly branchVersion: number; readonly id: string };
type Warm = { readonly place: Place; readonly key: Buffer; readonly loadedAt: number; recipient: Uuid };
type Failed = { readonly error: unknown; readonly untilMs: number };
/** A wrapping key that works: each of its unwraps renews every branch key under it. Monotonic milliseconds. */
type Renewal = { renewedMs: number; refreshMs: number; refreshing: boolean };

export function createBranchKeys(options: BranchKeysOptions): BranchKeys {
  return new BranchKeyCache(options);
}

class BranchKeyCache implements BranchKeys {
  readonly #options: BranchKeysOptions;
  readonly #warm = new Map<string, Warm>();
  /** The one of `warm` that was found last. */
  #last: Warm | undefined;
  readonly #failed = new Map<string, Failed>();
  readonly #flights = new Map<string, Promise<Buffer>>();
  readonly #renewals = new Map<Uuid, Renewal>();
  readonly #listeners = new Set<(branch: Uuid, branchVersion: number) => void>();

  constructor(options: BranchKeysOptions) {
    this.#options = options;
  }

  get(branch: Uuid, branchVersion: number): Buffer | Promise<Buffer> {
    const nowMs = this.#options.clock.monotonicMs();
    const warm = this.#find(branch, branchVersion);
    if (warm === undefined)
      return this.#cold({ branch, branchVersion, id: branchVersionRowId(branch, branchVersion) }, nowMs);
    const renewal = this.#renewalOf(warm);
    if (nowMs >= renewal.renewedMs + this.#options.hardTtlMs) {
      this.#drop(warm);
      return this.#cold(warm.place, nowMs);
    }
    if (nowMs >= renewal.refreshMs && !renewal.refreshing) void this.#refresh(warm, renewal);
    this.#tell("hit");
    return warm.key;
  }

  state(branch: Uuid, branchVersion: number): BranchKeyState | undefined {
    const { clock, hardTtlMs } = this.#options;
    const warm = this.#find(branch, branchVersion);
    if (warm === undefined) return undefined;
    const leftMs = this.#renewalOf(warm).renewedMs + hardTtlMs - clock.monotonicMs();
    if (leftMs <= 0) return undefined;
    return { loadedAt: warm.loadedAt, expiresAt: Math.floor(clock.now() + leftMs), recipient: warm.recipient };
  }

  evict(branch: Uuid, branchVersion: number): void {
    const id = branchVersionRowId(branch, branchVersion);
    this.#flights.delete(id);
    this.#failed.delete(id);
    const warm = this.#warm.get(id);
    if (warm !== undefined) this.#drop(warm);
  }

  sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const warm of this.#warm.values()) {
      if (nowMs >= this.#renewalOf(warm).renewedMs + this.#options.hardTtlMs) this.#drop(warm);
    }
    for (const [id, failed] of this.#failed) {
      if (nowMs >= failed.untilMs) this.#failed.delete(id);
    }
    const used = new Set([...this.#warm.values()].map((warm) => warm.recipient));
    for (const recipient of this.#renewals.keys()) {
      if (!used.has(recipient)) this.#renewals.delete(recipient);
    }
  }

  clear(): void {
    this.#flights.clear();
    this.#failed.clear();
    for (const warm of this.#warm.values()) this.#drop(warm);
    this.#renewals.clear();
  }

  onDrop(listener: (branch: Uuid, branchVersion: number) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Most of what is asked for is what was asked for before. */
  #find(branch: Uuid, branchVersion: number): Warm | undefined {
    const last = this.#last;
    if (last?.place.branch === branch && last.place.branchVersion === branchVersion) return last;
    const warm = this.#warm.get(branchVersionRowId(branch, branchVersion));
    this.#last = warm;
    return warm;
  }

  #cold(place: Place, nowMs: number): Promise<Buffer> {
    const flight = this.#flights.get(place.id);
    if (flight !== undefined) return flight;
    const failed = this.#failed.get(place.id);
    if (failed !== undefined && nowMs < failed.untilMs) return Promise.reject(failed.error);
    const begun = this.#fly(place, () => this.#flights.get(place.id) === begun);
    this.#flights.set(place.id, begun);
    return begun;
  }

  /** `wanted` turns false when the branch version is evicted meanwhile. */
  async #fly(place: Place, wanted: () => boolean): Promise<Buffer> {
    try {
      const { key, recipient } = await this.#load(place);
      if (!wanted()) {
        key.fill(0);
        throw new KmsError("NO_PROVIDER", "the branch key was dropped while it was loaded", { retryAfterSeconds: 1 });
      }
      this.sweep(); // what has lapsed must not be renewed
      this.#warm.set(place.id, { place, key, recipient, loadedAt: this.#options.clock.now() });
      this.#renew(recipient);
      this.#tell("load");
      return key;
    } catch (error) {
      const untilMs = this.#options.clock.monotonicMs() + this.#jittered(FAILURE_MS);
      if (wanted()) this.#failed.set(place.id, { error, untilMs });
      this.#tell("failure");
      throw error;
    } finally {
      if (wanted()) this.#flights.delete(place.id);
    }
  }

  /** Opens the wrap again while the warm key is served. Another recipient may answer: the branch is then under that one. */
  async #refresh(warm: Warm, renewal: Renewal): Promise<void> {
    renewal.refreshing = true;
    try {
      const { key, recipient } = await this.#load(warm.place);
      const same = timingSafeEqual(key, warm.key);
      key.fill(0);
      this.sweep();
      if (this.#warm.get(warm.place.id) !== warm) return;
      if (!same) throw new KmsError("INTEGRITY_FAILURE", "a branch key opened to other bytes than before");
      warm.recipient = recipient;
      this.#renew(recipient);
      this.#tell("refresh");
    } catch {
      const { clock, refreshMs } = this.#options;
      renewal.refreshMs = clock.monotonicMs() + this.#jittered(Math.max(FAILURE_MS, refreshMs / 10));
      this.#tell("failure");
    } finally {
      renewal.refreshing = false;
    }
  }

  async #load({ branch, branchVersion }: Place): Promise<LoadedBranchKey> {
    const loaded = await this.#options.load(branch, branchVersion);
    checkKey(loaded.key);
    return loaded;
  }

  #renew(recipient: Uuid): void {
    const renewedMs = this.#options.clock.monotonicMs();
    const refreshMs = renewedMs + this.#jittered(this.#options.refreshMs);
    const renewal = this.#renewals.get(recipient);
    if (renewal === undefined) this.#renewals.set(recipient, { renewedMs, refreshMs, refreshing: false });
    else Object.assign(renewal, { renewedMs, refreshMs });
  }

  #renewalOf(warm: Warm): Renewal {
    const renewal = this.#renewals.get(warm.recipient);
    if (renewal === undefined) throw new KmsError("INTERNAL", "a warm branch key has no wrapping key");
    return renewal;
  }

  #drop(warm: Warm): void {
    const { place, key } = warm;
    key.fill(0);
    this.#warm.delete(place.id);
    if (this.#last === warm) this.#last = undefined;
    for (const listener of this.#listeners) listener(place.branch, place.branchVersion);
  }

  /** 80 to 120 percent of a time, so that processes do not call in step. */
  #jittered(ms: number): number {
    return ms * (0.8 + (0.4 * this.#options.random.bytes(2).readUInt16BE()) / 0xffff);
  }

  #tell(result: BranchKeyResult): void {
    this.#options.onResult?.(result);
  }
}
