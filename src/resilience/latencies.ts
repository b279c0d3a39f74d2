const SAMPLES = 256;
const ENOUGH = 20;

/** Rolling quantiles of one provider's operation: of its last 256 calls. */
export class Latencies {
  readonly #samples: number[] = [];
  #next = 0;
  #sorted: readonly number[] | undefined;

  add(latencyMs: number): void {
    this.#samples[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % SAMPLES;
    this.#sorted = undefined;
  }

  /** Null while fewer than 20 calls were seen. */
  quantile(share: number): number | null {
    if (this.#samples.length < ENOUGH) return null;
    this.#sorted ??= this.#samples.toSorted((a, b) => a - b);
    return this.#sorted[Math.min(this.#sorted.length - 1, Math.floor(this.#sorted.length * share))] ?? null;
  }
}
