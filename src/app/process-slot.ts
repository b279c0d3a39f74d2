import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { holdFile } from "#store/file-lock.ts";

const MAX_SLOTS = 64;

/** The place of this process among those of one data folder: 1 for the first. Its name stays the same over restarts. */
export type ProcessSlot = Disposable & { readonly number: number; readonly name: string };

/**
 * Takes the first slot that no other process holds, so that each has an audit chain of its own that goes on over restarts. A slot is a file
 * that is locked: who is killed leaves it free at once, and of two who come together each gets one.
 */
export function takeSlot(stateFolder: string): ProcessSlot {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  for (let number = 1; number <= MAX_SLOTS; number += 1) {
    const held = holdFile(join(stateFolder, `process-${number}`));
    if (held === undefined) continue;
    const name = number === 1 ? "gateway" : `gateway-${number}`;
    return {
      number,
      name,
      [Symbol.dispose]: () => {
        held[Symbol.dispose]();
      },
    };
  }
  throw new Error(`more than ${MAX_SLOTS} gateways use this data folder`);
}
