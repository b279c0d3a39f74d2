import { randomBytes } from "node:crypto";
import type { Sources } from "#core/clock.ts";

type Timer = { readonly at: number; readonly run: () => void };

/** Time that only moves when a test says so; the timers of everything that was given its sources run as it does. */
export class ManualTime {
  readonly sources: Sources;
  #ms = 1_800_000_000_000;
  readonly #timers = new Set<Timer>();

  constructor() {
    this.sources = {
      clock: { now: () => this.#ms, monotonicMs: () => this.#ms },
      random: { bytes: (length) => randomBytes(length), kernelBytes: (length) => randomBytes(length) },
      scheduler: { after: (delayMs, run) => this.#after(delayMs, run) },
    };
  }

  get now(): number {
    return this.#ms;
  }

  /** Moves time forward; what falls due runs in its order. */
  advance(ms: number): void {
    const end = this.#ms + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#ms = Math.max(this.#ms, next.at);
      next.run();
    }
    this.#ms = end;
  }

  #after(delayMs: number, run: () => void): Disposable {
    const timer = { at: this.#ms + delayMs, run };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }
}
