import type { Scheduler } from "#core/clock.ts";
import { readRevision, writeRevision } from "./state-folder.ts";

const WRITE_EVERY_MS = 250;

/** Keeps `state/revision` close behind the highest revision that this process has applied; it may lag, and is never ahead. */
export class RevisionFile implements AsyncDisposable {
  readonly #folder: string;
  readonly #scheduler: Scheduler;
  readonly #onError: (error: unknown) => void;
  #highest: number;
  #written: number;
  #timer: Disposable | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { folder: string; revision: number; scheduler: Scheduler; onError: (error: unknown) => void }) {
    this.#folder = options.folder;
    this.#scheduler = options.scheduler;
    this.#onError = options.onError;
    this.#highest = options.revision;
    this.#written = options.revision;
  }

  /** Notes a revision that was applied; it is on disk a moment later. */
  note(revision: number): void {
    if (revision <= this.#highest) return;
    this.#highest = revision;
    this.#timer ??= this.#scheduler.after(WRITE_EVERY_MS, () => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    });
  }

  /** Writes what is still to be written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#writing;
    await this.#write();
  }

  /** Another process of the same gateway may have written a higher one. */
  async #write(): Promise<void> {
    if (this.#highest <= this.#written) return;
    const revision = this.#highest;
    try {
      if (((await readRevision(this.#folder)) ?? -1) < revision) await writeRevision(this.#folder, revision, false);
      this.#written = revision;
    } catch (error) {
      this.#onError(error);
    }
  }
}
