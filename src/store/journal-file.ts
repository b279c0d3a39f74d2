import { type FileHandle, chmod, mkdir, open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { KmsError } from "#core/errors.ts";
import { syncFolder } from "./sync-folder.ts";

const READ_BYTES = 1 << 20;
const LINE_FEED = 10;

/** A line to append, and the id by which it is known whether the file tells it already. */
export type JournalLine = { readonly id: string; readonly text: () => string };

export type JournalReader = {
  /** The name of what a line tells; undefined for a line that is damaged. */
  readonly readId: (line: string) => string | undefined;
  /** Told when the file turns out to be another than before, or shorter: what it tells is not all any more. */
  readonly onReplaced?: (() => void) | undefined;
};

/**
 * One file of the journal: JSON Lines that several processes append to, each append in one write.
 *
 * It learns what others have appended by reading on from where it stopped; a file that was replaced under its name (as destruction
 * does) or cut is read anew.
 */
export class JournalFile implements AsyncDisposable {
  readonly #path: string;
  readonly #reader: JournalReader;
  #handle: FileHandle;
  #inode = 0;
  #position = 0;
  /** The beginning of a line whose end has not been seen. */
  #unfinished: Buffer = Buffer.alloc(0);
  readonly #known = new Set<string>();
  /** Lines of others were read that may not be on the disk yet. */
  #unsynced = true;
  #failure: KmsError | undefined;

  private constructor(path: string, handle: FileHandle, reader: JournalReader) {
    this.#path = path;
    this.#handle = handle;
    this.#reader = reader;
  }

  /** Opens the file, makes it (0600) where it is missing, and reads what it tells. */
  static async open(path: string, reader: JournalReader): Promise<JournalFile> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const handle = await open(path, "a+", 0o600);
      await chmod(path, 0o600);
      await syncFolder(dirname(path));
      const file = new JournalFile(path, handle, reader);
      file.#inode = (await handle.stat()).ino;
      await file.#readOn();
      return file;
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /**
   * Appends the lines that the file does not tell yet; all of them are on the disk when the promise resolves.
   *
   * @throws {KmsError} `INTERNAL` if the file cannot be written, or is gone; after a failed sync, always: what the disk holds is not known
   */
  async append(lines: readonly JournalLine[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#followFile();
      await this.#readOn();
      const missing = [
        ...new Map(lines.filter(({ id }) => !this.#known.has(id)).map((line) => [line.id, line])).values(),
      ];
      if (missing.length > 0) await this.#write(missing.map((line) => line.text()));
      if (missing.length > 0 || this.#unsynced) await this.#sync();
      for (const { id } of missing) this.#known.add(id);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  /** A new line is begun first where the last one has no end: a crash has cut it, and nobody was promised it. */
  async #write(texts: readonly string[]): Promise<void> {
    const begin = this.#unfinished.length > 0 ? "\n" : "";
    const bytes = Buffer.from(`${begin}${texts.join("\n")}\n`, "utf8");
    const { bytesWritten } = await this.#handle.write(bytes);
    if (bytesWritten < bytes.length)
      throw new Error(`only ${String(bytesWritten)} of ${String(bytes.length)} bytes were written`);
    const { size } = await this.#handle.stat();
    if (size !== this.#position + bytes.length) return; // others wrote too: all of it is read at the next append
    this.#position = size;
    this.#unfinished = Buffer.alloc(0);
  }

  async #sync(): Promise<void> {
    try {
      await this.#handle.sync();
      this.#unsynced = false;
    } catch (error) {
      // the kernel may forget what it could not write and call the next sync a success
      this.#failure = unwritable(this.#path, error);
      throw error;
    }
  }

  async #followFile(): Promise<void> {
    const { ino, size } = await stat(this.#path);
    if (ino === this.#inode && size >= this.#position) return;
    const handle = await open(this.#path, "a+", 0o600);
    await this.#handle.close();
    this.#handle = handle;
    this.#inode = (await handle.stat()).ino;
    this.#position = 0;
    this.#unfinished = Buffer.alloc(0);
    this.#known.clear();
    this.#reader.onReplaced?.();
  }

  async #readOn(): Promise<void> {
    const buffer = Buffer.alloc(Math.min(READ_BYTES, (await this.#handle.stat()).size - this.#position));
    while (buffer.length > 0) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#unsynced = true;
      this.#learn(Buffer.concat([this.#unfinished, buffer.subarray(0, bytesRead)]));
    }
  }

  #learn(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      const id = end === start ? undefined : this.#reader.readId(bytes.toString("utf8", start, end));
      if (id !== undefined) this.#known.add(id);
      start = end + 1;
    }
    this.#unfinished = Buffer.from(bytes.subarray(start));
  }
}

function unwritable(path: string, cause: unknown): KmsError {
  if (cause instanceof KmsError) return cause;
  return new KmsError("INTERNAL", `the journal file ${basename(path)} cannot be written`, { cause });
}
