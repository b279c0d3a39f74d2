import type { Uuid } from "#core/ids.ts";
import { branchVersionRowId } from "#core/records.ts";
import type { BranchKeys } from "./branch-keys.ts";

export type VersionKeyRef = {
  readonly key: Uuid;
  readonly version: number;
  readonly branch: Uuid;
  readonly branchVersion: number;
};

/** The opened version keys in memory; each lives at most as long as its branch key does in {@link BranchKeys}. */
export interface VersionKeys extends Disposable {
  /**
   * The version key; `open` is called where it is not here, while its branch key is warm, and its buffer passes to the cache.
   * Use the key at once, in the same turn, and never keep it: what is dropped is zeroed.
   */
  get(ref: VersionKeyRef, open: () => Buffer): Buffer;
  /** Zeroes one, where it is held. */
  drop(key: Uuid, version: number): void;
  /** How many are held. */
  readonly size: number;
  clear(): void;
}

type Held = { readonly material: Buffer; readonly branch: Uuid; readonly branchVersion: number };

/** Keeps the `capacity` version keys that were used last. */
export function createVersionKeys(options: {
  readonly branchKeys: Pick<BranchKeys, "onDrop">;
  readonly capacity?: number;
}): VersionKeys {
  return new VersionKeyCache(options.branchKeys, options.capacity ?? 10_000);
}

class VersionKeyCache implements VersionKeys {
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #held = new Map<string, Held>();
  /** The last of `held`, if that is known. */
  #newest: string | undefined;
  readonly #byBranch = new Map<string, Set<string>>();
  readonly #subscription: Disposable;

  constructor(branchKeys: Pick<BranchKeys, "onDrop">, capacity: number) {
    this.#capacity = capacity;
    this.#subscription = branchKeys.onDrop((branch, branchVersion) => {
      for (const id of this.#byBranch.get(branchVersionRowId(branch, branchVersion)) ?? []) this.#drop(id);
    });
  }

  get size(): number {
    return this.#held.size;
  }

  get(ref: VersionKeyRef, open: () => Buffer): Buffer {
    const id = `${ref.key}/${ref.version}`;
    const { branch, branchVersion } = ref;
    const held = this.#held.get(id);
    if (held?.branch === branch && held.branchVersion === branchVersion) {
      this.#touch(id, held);
      return held.material;
    }
    return this.#keep(id, { material: open(), branch, branchVersion });
  }

  drop(key: Uuid, version: number): void {
    this.#drop(`${key}/${version}`);
  }

  clear(): void {
    for (const id of this.#held.keys()) this.#drop(id);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.clear();
  }

  #touch(id: string, held: Held): void {
    if (id === this.#newest) return;
    this.#newest = id;
    this.#held.delete(id);
    this.#held.set(id, held);
  }

  #keep(id: string, held: Held): Buffer {
    this.#drop(id);
    this.#touch(id, held);
    const branchId = branchVersionRowId(held.branch, held.branchVersion);
    const siblings = this.#byBranch.get(branchId) ?? new Set();
    this.#byBranch.set(branchId, siblings.add(id));
    const [oldest] = this.#held.keys();
    if (this.#held.size > this.#capacity && oldest !== undefined) this.#drop(oldest);
    return held.material;
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    held.material.fill(0);
    if (id === this.#newest) this.#newest = undefined;
    this.#held.delete(id);
    const branchId = branchVersionRowId(held.branch, held.branchVersion);
    const siblings = this.#byBranch.get(branchId);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#byBranch.delete(branchId);
  }
}
