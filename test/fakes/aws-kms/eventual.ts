/** A value whose changes are seen only some time after they were made, as in an eventually consistent store. */
export class Eventual<T> {
  #latest: T;
  #former: { readonly value: T; readonly untilMs: number } | undefined;

  constructor(value: T) {
    this.#latest = value;
  }

  /** Takes a new value. Readers see the one that they saw before until `nowMs + delayMs`. */
  set(value: T, { nowMs, delayMs }: { readonly nowMs: number; readonly delayMs: number }): void {
    this.#former = delayMs > 0 ? { value: this.seen(nowMs), untilMs: nowMs + delayMs } : undefined;
    this.#latest = value;
  }

  seen(nowMs: number): T {
    return this.#former !== undefined && nowMs < this.#former.untilMs ? this.#former.value : this.#latest;
  }
}
