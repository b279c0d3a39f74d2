import type { Clock, Scheduler } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";

/** The end of a request's budget, on the monotonic clock. It costs a timer only while something waits for it. */
export class Deadline {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly endMs: number;

  constructor(budgetMs: number, { clock, scheduler }: { readonly clock: Clock; readonly scheduler: Scheduler }) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.endMs = clock.monotonicMs() + budgetMs;
  }

  /** Never below 0. */
  remainingMs(): number {
    return Math.max(0, this.endMs - this.#clock.monotonicMs());
  }

  /**
   * Settles as `work` does, or rejects when the deadline passes first; the work itself goes on.
   * @throws {KmsError} `DEADLINE_EXCEEDED`
   */
  async race<T>(work: Promise<T>): Promise<T> {
    let timer: Disposable | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#scheduler.after(this.remainingMs(), () => {
        reject(deadlineExceeded());
      });
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      timer?.[Symbol.dispose]();
    }
  }
}

export function deadlineExceeded(): KmsError {
  return new KmsError("DEADLINE_EXCEEDED", "the deadline passed before there was an answer", { retryAfterSeconds: 1 });
}
