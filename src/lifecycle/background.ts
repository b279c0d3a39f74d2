import type { Scheduler } from "#core/clock.ts";

/** A piece of background work: run every so often, one run at a time, while this process holds the lease. */
export type BackgroundTask = { readonly name: string; readonly everyMs: number; readonly run: () => Promise<void> };

export type BackgroundOptions = {
  readonly scheduler: Scheduler;
  /** Takes or renews the lease under which background work runs in one process of the store. */
  readonly holdLease: () => Promise<boolean>;
  /** A task that failed is told here and tried again at its next turn. */
  readonly onFailure: (task: string, error: unknown) => void;
};

/** Runs tasks on their own clocks until it is disposed; `nudge` runs them all soon, because something changed. */
export class Background implements AsyncDisposable {
  readonly #options: BackgroundOptions;
  readonly #tasks: readonly BackgroundTask[];
  readonly #timers = new Map<string, Disposable>();
  readonly #running = new Map<string, Promise<void>>();
  #ended = false;

  constructor(tasks: readonly BackgroundTask[], options: BackgroundOptions) {
    this.#tasks = tasks;
    this.#options = options;
    for (const task of tasks) this.#schedule(task, task.everyMs);
  }

  nudge(): void {
    for (const task of this.#tasks) {
      if (!this.#running.has(task.name)) this.#schedule(task, 0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    await Promise.allSettled(this.#running.values());
  }

  #schedule(task: BackgroundTask, delayMs: number): void {
    if (this.#ended) return;
    this.#timers.get(task.name)?.[Symbol.dispose]();
    this.#timers.set(
      task.name,
      this.#options.scheduler.after(delayMs, () => {
        const run = this.#run(task).finally(() => {
          this.#running.delete(task.name);
          this.#schedule(task, task.everyMs);
        });
        this.#running.set(task.name, run);
      }),
    );
  }

  async #run(task: BackgroundTask): Promise<void> {
    try {
      if (await this.#options.holdLease()) await task.run();
    } catch (error) {
      this.#options.onFailure(task.name, error);
    }
  }
}
