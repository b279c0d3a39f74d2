/** Runs pieces of work one after another, in the order in which they were given. */
export class WorkQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as the work does; a failure does not stop what waits behind it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Resolves when all that was given so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
