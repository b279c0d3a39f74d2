import type { Clock } from "#core/clock.ts";

const WINDOW_MS = 10_000;
const SHARE = 0.1;
/** Kept connections break together, when a balancer closes those that were idle: at low traffic each call may be repeated. */
const EVERY_SECOND = 10;

/** Bounds how often a provider is asked again: a tenth of the calls of the last ten seconds, at least ten times a second. */
export class RetryBudget {
  readonly #clock: Clock;
  /** Calls and retries of the running second and of those before it, by second. */
  readonly #seconds = new Map<number, { calls: number; retries: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  noteCall(): void {
    this.#second().calls += 1;
  }

  /** Takes one retry if there is one. */
  take(): boolean {
    const second = this.#second();
    const { calls, retries } = this.#sum();
    if (second.retries >= EVERY_SECOND && retries >= calls * SHARE) return false;
    second.retries += 1;
    return true;
  }

  #second(): { calls: number; retries: number } {
    const at = Math.floor(this.#clock.monotonicMs() / 1000);
    const known = this.#seconds.get(at);
    if (known !== undefined) return known;
    for (const old of this.#seconds.keys()) if (old <= at - WINDOW_MS / 1000) this.#seconds.delete(old);
    const fresh = { calls: 0, retries: 0 };
    this.#seconds.set(at, fresh);
    return fresh;
  }

  #sum(): { calls: number; retries: number } {
    const sum = { calls: 0, retries: 0 };
    for (const { calls, retries } of this.#seconds.values()) {
      sum.calls += calls;
      sum.retries += retries;
    }
    return sum;
  }
}
