import { stat } from "node:fs/promises";
import type { Scheduler } from "#core/clock.ts";
import type { Tls } from "#http/server.ts";

const LOOK_MS = 1000;

export type TlsFilesOptions = {
  readonly paths: readonly string[];
  /** What the files say now; rejects with a sentence for an operator. */
  readonly read: () => Promise<Tls>;
  /** Takes it for new connections; throws where it cannot. */
  readonly renew: (tls: Tls) => void;
  readonly scheduler: Scheduler;
  readonly log: {
    readonly info: (fields: object, message: string) => void;
    readonly error: (fields: object, message: string) => void;
  };
};

/** The files of a listener's certificates, followed while it listens: a change is taken without a restart, a mistake is told and changes nothing. */
export class TlsFiles implements AsyncDisposable {
  readonly #options: TlsFilesOptions;
  #marks: string | undefined;
  #timer: Disposable | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: TlsFilesOptions) {
    this.#options = options;
  }

  /** Looks every second from now on: links that are replaced, as orchestrators do, are seen so where a watch of the file is not. */
  async start(): Promise<void> {
    this.#marks = await this.#look();
    this.#again();
  }

  /** Reads the files, changed or not. Never rejects. */
  async reload(): Promise<void> {
    await this.#queue(async () => {
      this.#marks = await this.#look();
      await this.#take();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#working;
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = this.#options.scheduler.after(LOOK_MS, () => {
      void this.#queue(async () => {
        await this.#takeIfChanged();
        this.#again();
      });
    });
  }

  /** One after the other: what is read later counts. */
  #queue(work: () => Promise<void>): Promise<void> {
    const before = this.#working;
    this.#working = (async () => {
      await before;
      await work();
    })();
    return this.#working;
  }

  async #takeIfChanged(): Promise<void> {
    const marks = await this.#look();
    if (marks === this.#marks) return;
    this.#marks = marks;
    await this.#take();
  }

  async #take(): Promise<void> {
    const { read, renew, log, paths } = this.#options;
    if (this.#closed) return;
    try {
      renew(await read());
      log.info({ paths }, "the certificates of the listener were read again");
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown";
      log.error(
        { code: "TLS_NOT_RELOADED", reason },
        `TLS_NOT_RELOADED: the certificates before go on to be used: ${reason}`,
      );
    }
  }

  /** What differs when a file has changed. A pair that is half replaced differs again when it is whole. */
  async #look(): Promise<string> {
    const found = await Promise.all(this.#options.paths.map(async (path) => await stat(path).catch(() => undefined)));
    return found.map((file) => `${file?.dev} ${file?.ino} ${file?.mtimeMs} ${file?.size}`).join("\n");
  }
}
