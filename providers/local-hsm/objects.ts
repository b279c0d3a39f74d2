import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Sources } from "#core/clock.ts";
import { isUuid, type Uuid } from "#core/ids.ts";
import { LocalHsmError } from "./errors.ts";
import { makeFolder } from "./files.ts";
import {
  isNewest,
  commitGeneration,
  namesIn,
  newestGeneration,
  readGeneration,
  tidyGenerations,
} from "./generations.ts";
import { keyNotFound, objectIdOf } from "./names.ts";
import { DESTROYED_MATERIAL, type ObjectMeta, openObject, type OpenObject, sealObject } from "./object-file.ts";
import type { Session } from "./session.ts";
import { objectsFolder } from "./token.ts";

const CACHED_OBJECTS = 64;
const ATTEMPTS = 16;

/** What a new key starts with. */
export type NewObject = Pick<ObjectMeta, "algorithm" | "marker" | "description" | "extractable">;

/**
 * The keys of one folder. Other processes change them too, so that each call looks for the newest generation first, and each change is
 * repeated on the newest until it stands. A key past its destruction time is erased when it is met.
 */
export class ObjectStore implements Disposable {
  readonly #session: Session;
  readonly #sources: Sources;
  /** Least recently used first. */
  readonly #cache = new Map<Uuid, OpenObject>();

  constructor(session: Session, sources: Sources) {
    this.#session = session;
    this.#sources = sources;
  }

  /**
   * Runs `work` on a key, synchronously, because its material is zeroed some time after.
   *
   * @throws {LocalHsmError} `KeyNotFound`, `KeyDamaged`.
   */
  async use<T>(id: Uuid, work: (object: OpenObject) => T): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#load(id);
      const object = this.#cache.get(id);
      if (object === undefined) continue; // a newer generation came between the look and the read
      if (!this.#isDue(object.meta)) return work(object);
      await this.#erase(object.meta);
    }
    throw busy(id);
  }

  /** Applies `change` to a key and answers what stands then. `change` gives back its argument where there is nothing to change. */
  async update(id: Uuid, change: (meta: ObjectMeta) => ObjectMeta): Promise<ObjectMeta> {
    const { masterKey } = await this.#session.token();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { meta, bytes } = await this.use(id, (object) => changed(object, change(object.meta), masterKey));
      if (bytes === null || (await this.#commit(meta, bytes))) return meta;
    }
    throw busy(id);
  }

  /**
   * Makes a key, or answers the one that carries the marker already. `makeMaterial` is asked only where there is none, for an RSA key takes
   * seconds; what it gives is zeroed once it is sealed.
   */
  async create(described: NewObject, makeMaterial: () => Promise<Buffer>): Promise<ObjectMeta> {
    const { uuid, masterKey } = await this.#session.token();
    const id = objectIdOf({ token: uuid, marker: described.marker });
    const meta = { ...FRESH, ...described, id, createTime: this.#sources.clock.now() };
    let bytes: Buffer | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if ((await newestGeneration(this.#folderOf(id))) !== undefined)
        return await this.use(id, (object) => object.meta);
      await this.#session.requirePresent();
      bytes ??= sealAndForget(meta, await makeMaterial(), masterKey);
      await makeFolder(this.#folderOf(id));
      if (await this.#commit(meta, bytes)) return meta;
    }
    throw busy(id);
  }

  /** Names of all keys, empty folders of unfinished ones included. */
  async ids(): Promise<Uuid[]> {
    const names = await namesIn(objectsFolder(this.#session.folder));
    if (names.length === 0) await this.#session.requirePresent();
    return names.filter((name) => isUuid(name));
  }

  /** Removes what writers that crashed have left of a key. */
  async tidy(id: Uuid): Promise<void> {
    await tidyGenerations(this.#folderOf(id));
  }

  /** Zeroes what is in memory. */
  [Symbol.dispose](): void {
    for (const id of this.#cache.keys()) this.#forget(id);
  }

  /** Brings the newest generation of a key into the cache. */
  async #load(id: Uuid): Promise<void> {
    const { masterKey } = await this.#session.token();
    const cached = this.#cache.get(id);
    if (cached !== undefined && isNewest(this.#folderOf(id), cached.meta.generation)) return this.#keep(cached);
    const generation = await newestGeneration(this.#folderOf(id));
    if (generation === undefined) {
      this.#forget(id);
      await this.#session.requirePresent();
      throw keyNotFound();
    }
    const known = this.#cache.get(id);
    if (known !== undefined && known.meta.generation >= generation) return this.#keep(known);
    this.#forget(id);
    const bytes = await readGeneration(this.#folderOf(id), generation);
    if (bytes !== undefined) this.#keep(openObject(bytes, { id, generation, masterKey }));
  }

  #keep(object: OpenObject): void {
    const { id } = object.meta;
    const before = this.#cache.get(id);
    if (before !== object) this.#forget(id);
    this.#cache.delete(id);
    this.#cache.set(id, object);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= CACHED_OBJECTS) break;
      this.#forget(oldest);
    }
  }

  #forget(id: Uuid): void {
    this.#cache.get(id)?.material.fill(0);
    this.#cache.delete(id);
  }

  #isDue({ destroyTime }: ObjectMeta): boolean {
    return destroyTime !== null && destroyTime <= this.#sources.clock.now();
  }

  async #erase(meta: ObjectMeta): Promise<void> {
    const { masterKey } = await this.#session.token();
    const erased = { meta, material: Buffer.from(DESTROYED_MATERIAL) };
    const next = changed(erased, { ...meta, state: "destroyed", destroyTime: null }, masterKey);
    if (next.bytes !== null && (await this.#commit(next.meta, next.bytes))) await this.tidy(meta.id);
  }

  async #commit(meta: ObjectMeta, bytes: Buffer): Promise<boolean> {
    const nonce = this.#sources.random.bytes(16).toString("hex");
    const isOurs = await commitGeneration(this.#folderOf(meta.id), { generation: meta.generation, bytes, nonce });
    this.#forget(meta.id);
    return isOurs;
  }

  #folderOf(id: Uuid): string {
    return join(objectsFolder(this.#session.folder), id);
  }
}

const FRESH = { format: 1, generation: 1, state: "enabled", destroyTime: null, invocations: 0 } as const;

function sealAndForget(meta: ObjectMeta, material: Buffer, masterKey: KeyObject): Buffer {
  try {
    return sealObject({ meta, material }, masterKey);
  } finally {
    material.fill(0);
  }
}

/** The next generation of a key, sealed; no bytes where nothing changes. */
function changed(
  object: OpenObject,
  next: ObjectMeta,
  masterKey: KeyObject,
): { meta: ObjectMeta; bytes: Buffer | null } {
  if (next === object.meta) return { meta: next, bytes: null };
  const meta = { ...next, generation: object.meta.generation + 1 };
  return { meta, bytes: sealObject({ meta, material: object.material }, masterKey) };
}

function busy(id: Uuid): LocalHsmError {
  return new LocalHsmError("StoreBusy", `other writers keep changing key ${id}`);
}
