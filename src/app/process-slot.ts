import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const MAX_SLOTS = 64;

/** The place of this process among those of one data folder: 1 for the first. Its name stays the same over restarts. */
export type ProcessSlot = Disposable & { readonly number: number; readonly name: string };

/**
 * Takes the first slot that no live process holds, so that each has an audit chain of its own that goes on over restarts.
 * A slot is a file with a process id; one whose process is gone is taken over.
 */
export function takeSlot(stateFolder: string): ProcessSlot {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  for (let number = 1; number <= MAX_SLOTS; number += 1) {
    const file = join(stateFolder, `process-${number}`);
    if (isFree(file) && claim(file)) {
      const name = number === 1 ? "gateway" : `gateway-${number}`;
      return {
        number,
        name,
        [Symbol.dispose]: () => {
          rmSync(file, { force: true });
        },
      };
    }
  }
  throw new Error(`more than ${MAX_SLOTS} gateways use this data folder`);
}

function isFree(file: string): boolean {
  const holder = readHolder(file);
  if (holder === undefined || holder === process.pid) return true;
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function readHolder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** False if another process was quicker. */
function claim(file: string): boolean {
  rmSync(file, { force: true });
  try {
    const handle = openSync(file, "wx", 0o600);
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch {
    return false;
  }
}
