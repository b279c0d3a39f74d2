import type { AlgorithmName } from "#core/algorithms.ts";
import type { Uuid } from "#core/ids.ts";
import { LocalHsmError } from "./errors.ts";
import type { ObjectMeta } from "./object-file.ts";
import type { ObjectStore } from "./objects.ts";
import { requireUsable } from "./states.ts";

/** Of one raw GCM key with random IVs, over all processes; SP 800-38D § 8.3 allows twice as many. */
const MAX_INVOCATIONS = 2 ** 31;
/** What a process sets aside at once; what it does not use is lost when it ends. */
const INVOCATION_BLOCK = 2 ** 16;

/** Counts encryptions with raw GCM keys, in blocks that are durable before their first use. */
export class InvocationCounter {
  readonly #store: ObjectStore;
  readonly #left = new Map<Uuid, number>();
  readonly #refills = new Map<Uuid, Promise<void>>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * Takes one encryption.
   *
   * @throws {LocalHsmError} `InvocationBoundReached` once 2^31 have been set aside; as any use of the key.
   */
  async take(id: Uuid, algorithm: AlgorithmName): Promise<void> {
    for (;;) {
      const left = this.#left.get(id) ?? 0;
      if (left > 0) {
        this.#left.set(id, left - 1);
        return;
      }
      await this.#refill(id, algorithm);
    }
  }

  async #refill(id: Uuid, algorithm: AlgorithmName): Promise<void> {
    const under = this.#refills.get(id) ?? this.#reserve(id, algorithm);
    this.#refills.set(id, under);
    try {
      await under;
    } finally {
      this.#refills.delete(id);
    }
  }

  async #reserve(id: Uuid, algorithm: AlgorithmName): Promise<void> {
    await this.#store.update(id, (meta) => reserved(meta, algorithm));
    this.#left.set(id, (this.#left.get(id) ?? 0) + INVOCATION_BLOCK);
  }
}

function reserved(meta: ObjectMeta, algorithm: AlgorithmName): ObjectMeta {
  requireUsable(meta, algorithm);
  const invocations = meta.invocations + INVOCATION_BLOCK;
  if (invocations > MAX_INVOCATIONS) {
    throw new LocalHsmError(
      "InvocationBoundReached",
      "the key has made as many messages as random ivs allow: rotate it",
    );
  }
  return { ...meta, invocations };
}
