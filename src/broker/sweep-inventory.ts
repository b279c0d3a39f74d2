import { createId } from "#core/ids.ts";
import type { InventoryEntry } from "#core/inventory.ts";
import type { CallContext, Observation, Provider } from "#core/provider.ts";
import { Deadline } from "#resilience/deadline.ts";
import type { BrokerParts } from "./parts.ts";
import { type Holder, isHolder } from "./write-wrap.ts";

/** How often the keys of a provider are listed. */
const EVERY_MS = 3_600_000;
/** Listing a key may cost several requests, and a batch has the time of one call. */
const BATCH = 25;
const BATCH_MS = 30_000;

/** Goes through the keys of every provider, once an hour each, no faster than the service allows. */
export class InventorySweep {
  readonly #parts: BrokerParts;
  readonly #sweptAtMs = new Map<string, number>();

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  /** Lists the keys of the providers whose turn it is. A failure of one leaves the others their turn, and is thrown at the end. */
  async turn(): Promise<void> {
    const failures: unknown[] = [];
    for (const holder of this.#due()) {
      const { uid } = holder;
      this.#sweptAtMs.set(uid, this.#parts.sources.clock.monotonicMs());
      await this.#sweep(holder).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  *#due(): Generator<Holder> {
    const { fleet, catalog, sources } = this.#parts;
    for (const member of fleet.members()) {
      if (!isHolder(member) || catalog.drain(member.name)?.drained === true) continue;
      const sweptAtMs = this.#sweptAtMs.get(member.uid) ?? Number.NEGATIVE_INFINITY;
      if (sources.clock.monotonicMs() - sweptAtMs >= EVERY_MS) yield member;
    }
  }

  async #sweep(holder: Holder): Promise<void> {
    const { store, sources } = this.#parts;
    const began = sources.clock.now();
    const { listedPerSecond } = holder.provider.capabilities;
    using pages = new Pages(holder.provider, createId("req", sources));
    for (let batch = await this.#next(holder, pages); batch.length > 0; batch = await this.#next(holder, pages)) {
      await store.noteInventory(batch.map((observation) => this.#entryOf(holder, observation)));
      if (listedPerSecond !== undefined) await this.#pause((batch.length / listedPerSecond) * 1000);
    }
    await store.forgetUnseen(holder.uid, began);
  }

  async #next({ name }: Holder, pages: Pages): Promise<readonly Observation[]> {
    const { pool, sources } = this.#parts;
    const options = { deadline: new Deadline(BATCH_MS, sources), requestId: createId("req", sources) };
    return await pool.call(name, "control", "list", async ({ signal }) => await pages.next(BATCH, signal), options);
  }

  #entryOf({ uid }: Holder, seen: Observation): InventoryEntry {
    const { sources } = this.#parts;
    const { ref, algorithm, observed, nativeState, marker, createTime, destroyTime } = seen;
    const id = createId("inv", sources);
    const lastSeenTime = sources.clock.now();
    return {
      id,
      providerUid: uid,
      nativeRef: ref,
      algorithm,
      observed,
      nativeState,
      marker,
      createTime,
      destroyTime,
      lastSeenTime,
    };
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#parts.sources.scheduler.after(ms, resolve);
    });
  }
}

/** One listing, taken in parts. Once it has failed it stays failed: a repetition must not take its end for the end of the list. */
class Pages implements Disposable {
  readonly #ending = new AbortController();
  readonly #iterator: AsyncIterator<Observation>;
  #failure: { readonly error: unknown } | undefined;

  constructor(provider: Provider, requestId: string) {
    const call: CallContext = { signal: this.#ending.signal, requestId };
    this.#iterator = provider.list(call)[Symbol.asyncIterator]();
  }

  /** Up to `count` more keys; none at the end. */
  async next(count: number, signal: AbortSignal): Promise<readonly Observation[]> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const end = (): void => {
      this.#ending.abort(signal.reason);
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      const taken: Observation[] = [];
      while (taken.length < count) {
        const { done, value } = await this.#iterator.next();
        if (done === true) break;
        taken.push(value);
      }
      return taken;
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#iterator.return?.().catch(() => undefined);
  }
}
