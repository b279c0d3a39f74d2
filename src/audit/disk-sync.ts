import type { SegmentFile } from "./segment-file.ts";

/** Brings segments to the disk, one fdatasync at a time; who asks while one runs waits for the next, together. */
export class DiskSync {
  readonly #dirty = new Set<SegmentFile>();
  readonly #onFailure: (segment: SegmentFile, error: unknown) => void;
  #waiting: PromiseWithResolvers<void> | undefined;
  #running = false;

  constructor(onFailure: (segment: SegmentFile, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get running(): boolean {
    return this.#running;
  }

  get dirty(): boolean {
    return this.#dirty.size > 0;
  }

  noteWrite(segment: SegmentFile): void {
    this.#dirty.add(segment);
  }

  /** Resolves when everything written before is on the disk; rejects with what the disk says. */
  sync(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>();
    const { promise } = this.#waiting;
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let round = this.#waiting; round !== undefined; round = this.#waiting) {
      this.#waiting = undefined;
      const segments = [...this.#dirty];
      this.#dirty.clear();
      const failures = await Promise.all(segments.map((segment) => this.#syncOne(segment)));
      const failure = failures.find((error) => error !== undefined);
      if (failure === undefined) round.resolve();
      else round.reject(failure);
    }
    this.#running = false;
  }
  async #syncOne(segment: SegmentFile): Promise<Error | undefined> {
    try {
      await segment.sync();
      return undefined;
    } catch (error) {
      this.#onFailure(segment, error); // the kernel may have dropped the pages: syncing again would prove nothing
      return error instanceof Error ? error : new Error("the disk does not sync", { cause: error });
    }
  }
}
