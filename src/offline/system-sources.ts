import { randomFillSync } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import type { Sources } from "#core/clock.ts";

/** Time, randomness and timers of the running system, for a provider that is opened without a gateway. */
export function systemSources(): Sources {
  return {
    clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
    random: { bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)), kernelBytes },
    scheduler: {
      after(delayMs, run) {
        const timer = setTimeout(run, delayMs);
        return {
          [Symbol.dispose]: () => {
            clearTimeout(timer);
          },
        };
      },
    },
  };
}

const KERNEL = "/dev/urandom";

/** Unbuffered from the kernel, where it has a file for it. */
function kernelBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  if (process.platform === "win32") return randomFillSync(bytes);
  const file = openSync(KERNEL, "r");
  try {
    for (let filled = 0; filled < length;) filled += readSync(file, bytes, filled, length - filled, null);
    return bytes;
  } finally {
    closeSync(file);
  }
}
