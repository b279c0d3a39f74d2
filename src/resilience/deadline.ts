import type { Clock, Scheduler } from "#core/clock.ts";
import { KmsError } from "#core/errors.ts";

/** How long before the deadline attempts end, so that the answer still arrives in time; of a short budget, a tenth. */
const ANSWER_MS = 100;

/** The end of a request's budget, on the monotonic clock. It costs a timer only while something waits for it. */
export class Deadline {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #answerMs: number;
  readonly endMs: number;

  constructor(budgetMs: number, { clock, scheduler }: { readonly clock: Clock; readonly scheduler: Scheduler }) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#answerMs = Math.min(ANSWER_MS, budgetMs / 10);
    this.endMs = clock.monotonicMs() + budgetMs;
  }

  /** Never below 0. */
  remainingMs(): number {
    return Math.max(0, this.endMs - this.#clock.monotonicMs());
  }

  /** What is left for calls of providers: they end a little earlier. Never below 0. */
  forAttemptsMs(): number {
    return Math.max(0, this.remainingMs() - this.#answerMs);
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
