const SAMPLES = 256;
const ENOUGH = 20;

/** Rolling quantiles of one provider's operation: of its last 256 calls. */
export class Latencies {
  readonly #samples: number[] = [];
  /** The samples in order, kept so: a quantile is asked for before every call. */
  readonly #sorted: number[] = [];
  #next = 0;

  add(latencyMs: number): void {
    const oldest = this.#samples[this.#next];
    if (oldest !== undefined) this.#sorted.splice(this.#placeOf(oldest), 1);
    this.#sorted.splice(this.#placeOf(latencyMs), 0, latencyMs);
    this.#samples[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  /** Null while fewer than 20 calls were seen. */
  quantile(share: number): number | null {
    const { length } = this.#sorted;
    if (length < ENOUGH) return null;
    return this.#sorted[Math.min(length - 1, Math.floor(length * share))] ?? null;
  }

  /** Where the first sample stands that is not smaller. */
  #placeOf(latencyMs: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? 0) < latencyMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
