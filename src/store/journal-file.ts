import { randomBytes } from "node:crypto";
import { type FileHandle, chmod, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { KmsError } from "#core/errors.ts";
import { holdFile } from "./file-lock.ts";
import { syncFolder } from "./sync-folder.ts";

const READ_BYTES = 1 << 20;
const LINE_FEED = 10;

/** A line to append, and the id by which it is known whether the file tells it already. */
export type JournalLine = {
  readonly id: string;
  readonly text: () => string;
  /** Which lines it takes the place of: they are in the file no more once it is. */
  readonly erases?: ((line: string) => boolean) | undefined;
  /** The id of the line that has taken its place, if there is one: it is then not told again. */
  readonly unless?: string | undefined;
};

export type JournalReader = {
  /** The name of what a line tells; undefined for a line that is damaged. */
  readonly readId: (line: string) => string | undefined;
  /**
   * Told when the file turns out to be another than before, or shorter: what it tells may not be all any more. `fresh` names what it tells and
   * the one before did not.
   */
  readonly onReplaced?: ((fresh: readonly string[]) => void) | undefined;
};

/**
 * One file of the journal: JSON Lines that several processes append to, each append in one write.
 *
 * It learns what others have appended by reading on from where it stopped; a file that was replaced under its name (as destruction
 * does) or cut is read anew. Whoever replaces it takes along what came into the old file meanwhile, and whoever appends looks afterwards
 * whether his file is still the one: so of a replacement and an append at one time neither is lost.
 */
export class JournalFile implements AsyncDisposable {
  readonly #path: string;
  readonly #reader: JournalReader;
  #handle: FileHandle;
  #inode = 0;
  #position = 0;
  /** The beginning of a line whose end has not been seen. */
  #unfinished: Buffer = Buffer.alloc(0);
  #known = new Set<string>();
  /** What the file told that another one has taken the place of; until that one is read. */
  #before: ReadonlySet<string> | undefined;
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
      await removeRemains(path);
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
      do {
        await this.#followFile();
        await this.#readOn();
        this.#tellReplaced();
        await this.#appendMissing(lines);
      } while (!(await this.#isInPlace()));
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #appendMissing(lines: readonly JournalLine[]): Promise<void> {
    const isWanted = ({ id, unless }: JournalLine): boolean =>
      !this.#known.has(id) && (unless === undefined || !this.#known.has(unless));
    const missing = [...new Map(lines.filter(isWanted).map((line) => [line.id, line])).values()];
    const erased = missing.flatMap(({ erases }) => erases ?? []);
    if (erased.length > 0) await this.#rewrite(missing, (line) => erased.some((erases) => erases(line)));
    else if (missing.length > 0) await this.#write(missing.map((line) => line.text()));
    if (missing.length > 0 || this.#unsynced) await this.#sync();
    for (const { id } of missing) this.#known.add(id);
  }

  /** Puts a file in the place of this one that has its lines, but for those that go, and then the new ones. One process at a time. */
  async #rewrite(fresh: readonly JournalLine[], goes: (line: string) => boolean): Promise<void> {
    using _ = await holdSoon(`${this.#path}.lock`);
    await this.#followFile();
    const old = this.#handle;
    const kept = keepLines((await readRest(old, 0)).bytes, goes);
    const temporary = `${this.#path}.${randomBytes(8).toString("hex")}.tmp`;
    const handle = await open(temporary, "ax+", 0o600);
    try {
      await handle.writeFile(
        Buffer.concat([kept.bytes, Buffer.from(fresh.map((line) => `${line.text()}\n`).join(""))]),
      );
      await handle.sync();
      await rename(temporary, this.#path);
    } catch (error) {
      await handle.close();
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(this.#path));
    // what others appended to the old file after it was read
    const tail = keepLines((await readRest(old, kept.readBytes)).bytes, goes);
    if (tail.bytes.length > 0) await handle.write(tail.bytes);
    await old.close();
    this.#take(handle, (await handle.stat()).ino);
    await this.#readOn();
  }

  #tellReplaced(): void {
    const before = this.#before;
    if (before === undefined) return;
    this.#before = undefined;
    this.#reader.onReplaced?.([...this.#known].filter((id) => !before.has(id)));
  }

  async #isInPlace(): Promise<boolean> {
    return (await stat(this.#path)).ino === this.#inode;
  }

  #take(handle: FileHandle, inode: number): void {
    this.#handle = handle;
    this.#inode = inode;
    this.#position = 0;
    this.#unfinished = Buffer.alloc(0);
    this.#known = new Set();
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
    this.#before = this.#known;
    this.#take(handle, (await handle.stat()).ino);
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

/** What a rewriting that a crash cut off has left: it may hold what was to go. */
async function removeRemains(path: string): Promise<void> {
  const name = basename(path);
  for (const found of await readdir(dirname(path))) {
    const isRemains = found.startsWith(`${name}.`) && /^[0-9a-f]{16}\.tmp$/u.test(found.slice(name.length + 1));
    if (isRemains) await unlink(join(dirname(path), found)).catch(() => undefined);
  }
}

/** @throws what says that another process rewrites the file, after a second */
async function holdSoon(path: string): Promise<Disposable> {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
    const held = holdFile(path);
    if (held !== undefined) return held;
    await setTimeout(LOCK_WAIT_MS);
  }
  throw new Error("another process is rewriting it");
}

const LOCK_ATTEMPTS = 40;
const LOCK_WAIT_MS = 25;

type Kept = { readonly bytes: Buffer; readonly readBytes: number };

/** The lines that stay, byte for byte. What follows the last line feed was never promised to anybody. */
function keepLines(bytes: Buffer, goes: (line: string) => boolean): Kept {
  const kept: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
    if (!goes(bytes.toString("utf8", start, end))) kept.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  return { bytes: Buffer.concat(kept), readBytes: start };
}

async function readRest(handle: FileHandle, position: number): Promise<{ readonly bytes: Buffer }> {
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(Math.max(0, size - position));
  let read = 0;
  while (read < bytes.length) {
    const { bytesRead } = await handle.read(bytes, read, bytes.length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return { bytes: bytes.subarray(0, read) };
}

function unwritable(path: string, cause: unknown): KmsError {
  if (cause instanceof KmsError) return cause;
  return new KmsError("INTERNAL", `the journal file ${basename(path)} cannot be written`, { cause });
}
