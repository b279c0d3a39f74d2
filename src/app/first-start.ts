import { join } from "node:path";
import type { Sources } from "#core/clock.ts";
import { holdFile } from "#store/file-lock.ts";
import { readRevision } from "#store/state-folder.ts";
import { pauseUnlessStopped } from "./sealed.ts";

const LOCK_FILE = "first-start";
const POLL_MS = 20;

/**
 * Waits until no other process makes the first start of this folder, and keeps others from it until it is disposed: of two that make a root
 * key each, one would pin a key that the database does not have. Where the folder has seen a database nobody waits.
 *
 * @throws {KmsError} `SHUTTING_DOWN` when the process is told to stop
 */
export async function beFirstOrAfter(
  stateFolder: string,
  options: { readonly sources: Sources; readonly stop: Promise<void> },
): Promise<Disposable> {
  while (((await readRevision(stateFolder)) ?? 0) === 0) {
    const held = holdFile(join(stateFolder, LOCK_FILE));
    if (held !== undefined) return held;
    await pauseUnlessStopped(options, POLL_MS);
  }
  return { [Symbol.dispose]: () => undefined };
}
