import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../secret-file.ts";

const PRINTABLE = /^[\x21-\x7e]{1,255}$/u;

/**
 * A folder with one secret a file, `NAME.key`, that its owner alone may read. Before a secret is asked for, `NAME.key.pending` keeps the
 * Idempotency-Key of the request: a run that is broken off in between is known by it, and the next one asks the same again.
 */
export class SecretFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(name: string): string {
    return join(this.#folder, `${name}.key`);
  }

  async make(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  async has(name: string): Promise<boolean> {
    return await isThere(this.pathOf(name));
  }

  /** Whether an earlier run asked for the secret and did not come to write it. */
  async isPending(name: string): Promise<boolean> {
    return await isThere(this.#markOf(name));
  }

  /** The Idempotency-Key under which to ask: that of the run that was broken off, or `fresh`. */
  async begin(name: string, fresh: string): Promise<string> {
    const kept = await readFile(this.#markOf(name), "utf8").catch(() => "");
    if (PRINTABLE.test(kept)) return kept;
    await this.renew(name, fresh);
    return fresh;
  }

  /** Keeps another Idempotency-Key in the place of the one before. */
  async renew(name: string, fresh: string): Promise<void> {
    await writeWhole(this.#markOf(name), fresh);
  }

  /** Writes the secret whole or not at all; nothing is pending then. */
  async finish(name: string, secret: string): Promise<void> {
    await writeWhole(this.pathOf(name), `${secret}\n`);
    await unlink(this.#markOf(name));
  }

  #markOf(name: string): string {
    return `${this.pathOf(name)}.pending`;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await unlink(temporary).catch(() => undefined); // of a run that was broken off; its mode is not to be kept
  {
    await using file = await open(temporary, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporary, path);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}
