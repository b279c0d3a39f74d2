import { join } from "node:path";
import type { Sources } from "#core/clock.ts";
import { holdFile } from "#store/file-lock.ts";
import { readRevision } from "#store/state-folder.ts";

const LOCK_FILE = "first-start";
const POLL_MS = 20;
const WAIT_MS = 120_000;

/**
 * Waits until no other process makes the first start of this folder, and keeps others from it until it is disposed: of two that make a root
 * key each, one would pin a key that the database does not have. Where the folder has seen a database nobody waits.
 */
export async function beFirstOrAfter(stateFolder: string, { clock, scheduler }: Sources): Promise<Disposable> {
  const endMs = clock.monotonicMs() + WAIT_MS;
  while (((await readRevision(stateFolder)) ?? 0) === 0) {
    const held = holdFile(join(stateFolder, LOCK_FILE));
    if (held !== undefined) return held;
    if (clock.monotonicMs() >= endMs)
      throw new Error("another gateway makes the first start of this folder, and does not end");
    await new Promise<void>((resolve) => {
      scheduler.after(POLL_MS, resolve);
    });
  }
  return { [Symbol.dispose]: () => undefined };
}
