import type * as fs from "node:fs";
import { join } from "node:path";
import { platform } from "node:process";

/** What the trail needs of `node:fs`; tests put faults into it. */
export type Disk = Pick<
  typeof fs,
  | "openSync"
  | "unlinkSync"
  | "write"
  | "writeSync"
  | "fdatasync"
  | "fsyncSync"
  | "ftruncateSync"
  | "fstatSync"
  | "close"
  | "mkdirSync"
>;

/**
 * One open segment: appends whole groups of lines, or nothing.
 *
 * A small group is written at once: on a warm page cache that costs less of the main thread than a trip through the thread pool (2.6 against
 * 19 µs for one record; even at about 16). While the disk is being synced, when a write may wait for pages, and for large groups,
 * the thread pool writes.
 */
export class SegmentFile {
  readonly file: string;
  readonly #disk: Disk;
  readonly #fd: number;
  #bytes = 0;
  #inFlight = 0;
  #state: "open" | "closing" | "closed" = "open";

  /** Creates the file (0600) and makes its name durable. Throws what the disk says. */
  constructor(disk: Disk, folder: string, file: string) {
    this.file = file;
    this.#disk = disk;
    disk.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#fd = disk.openSync(join(folder, file), "ax", 0o600);
    try {
      syncFolder(disk, folder);
    } catch (error) {
      this.close();
      disk.unlinkSync(join(folder, file));
      throw error;
    }
  }

  /** Bytes of whole, accepted groups. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws if the group could not be written whole; {@link takeBack} then removes what was. */
  writeNow(text: string): void {
    const length = Buffer.byteLength(text);
    let written = this.#disk.writeSync(this.#fd, text);
    if (written < length) {
      const bytes = Buffer.from(text);
      while (written < length) written += this.#disk.writeSync(this.#fd, bytes, written);
    }
    this.#bytes += length;
  }

  /** As {@link writeNow}, in the thread pool. */
  writeLater(text: string, done: (error: Error | null) => void): void {
    const bytes = Buffer.from(text);
    const settle = (error: Error | null): void => {
      this.#endFlight();
      if (error === null) this.#bytes += bytes.length;
      done(error);
    };
    const writeFrom = (offset: number): void => {
      this.#disk.write(this.#fd, bytes, offset, (error, written) => {
        if (error !== null || offset + written >= bytes.length) settle(error);
        else writeFrom(offset + written);
      });
    };
    this.#inFlight += 1;
    writeFrom(0);
  }

  /** After a failed write: removes what it left. False if the disk does not even do that. */
  takeBack(): boolean {
    try {
      this.#disk.ftruncateSync(this.#fd, this.#bytes);
      return true;
    } catch {
      return false; // the next segment names what stands here
    }
  }

  /** Whether the file is still in its folder and as long as what was written. */
  isIntact(): boolean {
    try {
      const { nlink, size } = this.#disk.fstatSync(this.#fd);
      return nlink > 0 && size === this.#bytes;
    } catch {
      return false;
    }
  }

  sync(): Promise<void> {
    if (this.#state === "closed") return Promise.reject(new Error(`audit segment ${this.file} is closed`));
    this.#inFlight += 1;
    return new Promise((resolve, reject) => {
      this.#disk.fdatasync(this.#fd, (error) => {
        this.#endFlight();
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** Closes the file once nothing is in flight: the number of a closed file may soon be another file's. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#closeIfIdle();
  }

  #endFlight(): void {
    this.#inFlight -= 1;
    if (this.#state === "closing") this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#inFlight > 0) return;
    this.#state = "closed";
    this.#disk.close(this.#fd);
  }
}

function syncFolder(disk: Disk, folder: string): void {
  if (platform === "win32") return; // which opens no folders
  const fd = disk.openSync(folder, "r");
  try {
    disk.fsyncSync(fd);
  } finally {
    disk.close(fd);
  }
}
