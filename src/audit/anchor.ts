import { appendFile, open } from "node:fs/promises";

/** Appends checkpoint lines to the files outside the data folder, in order; a file that cannot be written is told of and skipped. */
export class Anchors {
  readonly #files: readonly string[];
  readonly #onFailure: (file: string, error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(files: readonly string[], onFailure: (file: string, error: unknown) => void) {
    this.#files = files;
    this.#onFailure = onFailure;
  }

  get configured(): boolean {
    return this.#files.length > 0;
  }

  append(line: string): void {
    this.#last = this.#appendAfter(this.#last, line);
  }

  /** Resolves when all that was appended is written, or was told of. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #appendAfter(earlier: Promise<void>, line: string): Promise<void> {
    await earlier;
    await Promise.all(this.#files.map((file) => this.#appendTo(file, line)));
  }

  async #appendTo(file: string, line: string): Promise<void> {
    try {
      const text = (await endsWhole(file)) ? line : `\n${line}`;
      await appendFile(file, text, { mode: 0o600, flush: true });
    } catch (error) {
      this.#onFailure(file, error);
    }
  }
}

/** Whether the next line may begin at the end of the file: an unclean stop may have left half a line. */
async function endsWhole(file: string): Promise<boolean> {
  try {
    await using handle = await open(file, "r");
    const { size } = await handle.stat();
    if (size === 0) return true;
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
    return buffer[0] === 0x0a;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw error;
  }
}
