import { KmsError } from "#core/errors.ts";
import type { Journal, JournalEntry } from "#core/journal.ts";
import { JournalFile, type JournalReader } from "./journal-file.ts";
import { WorkQueue } from "./work-queue.ts";

export type JournalOptions = JournalReader & {
  /** Files, each of which gets every line. */
  readonly targets: readonly string[];
  /** Writes the line of an entry, without its line feed. */
  readonly writeLine: (entry: JournalEntry) => string;
  /** Names what an entry tells; two entries of one name are told once. */
  readonly identify: (entry: JournalEntry) => string;
  /** Which lines go when an entry comes; undefined for an entry that only comes. */
  readonly erases: (entry: JournalEntry) => ((line: string) => boolean) | undefined;
  /** The name of what takes an entry's place for good; undefined for what nothing does. */
  readonly erasedBy: (entry: JournalEntry) => string | undefined;
};

/** Opens the journal and reads what its files tell. @throws {KmsError} `INTERNAL` for a file that cannot be opened for writing. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const files: JournalFile[] = [];
  try {
    for (const target of options.targets) files.push(await JournalFile.open(target, options));
  } catch (error) {
    for (const file of files) await file[Symbol.asyncDispose]();
    throw error;
  }
  return new FileJournal(files, options);
}

type Batch = { readonly entries: JournalEntry[]; readonly written: Promise<void> };

class FileJournal implements Journal {
  readonly #files: readonly JournalFile[];
  readonly #options: JournalOptions;
  readonly #queue = new WorkQueue();
  /** Entries that come while others are being written go together, under one sync. */
  #next: Batch | undefined;
  #closed = false;

  constructor(files: readonly JournalFile[], options: JournalOptions) {
    this.#files = files;
    this.#options = options;
  }

  append(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#closed) return Promise.reject(new KmsError("SHUTTING_DOWN", "the journal is closed"));
    const batch = (this.#next ??= this.#startBatch());
    for (const entry of entries) batch.entries.push(entry);
    return batch.written;
  }

  linesOf(entries: readonly JournalEntry[]): readonly string[] {
    return entries.map(this.#options.writeLine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue.idle();
    for (const file of this.#files) await file[Symbol.asyncDispose]();
  }

  #startBatch(): Batch {
    const entries: JournalEntry[] = [];
    const written = this.#queue.run(async () => {
      this.#next = undefined;
      await this.#write(entries);
    });
    return { entries, written };
  }

  async #write(entries: readonly JournalEntry[]): Promise<void> {
    const { identify, writeLine, erases, erasedBy } = this.#options;
    const lines = entries.map((entry) => ({
      id: identify(entry),
      text: () => writeLine(entry),
      erases: erases(entry),
      unless: erasedBy(entry),
    }));
    const outcomes = await Promise.allSettled(this.#files.map((file) => file.append(lines)));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }
}
