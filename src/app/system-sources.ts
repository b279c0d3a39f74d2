import { randomFillSync } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import type { Clock, Random, Scheduler, Sources } from "#core/clock.ts";

const KERNEL = "/dev/urandom";

/** Time, randomness and timers of the running system. */
export function systemSources(): Sources {
  return { clock: systemClock, random: systemRandom, scheduler: systemScheduler };
}

const systemClock: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

const systemRandom: Random = {
  bytes: (length) => randomFillSync(Buffer.allocUnsafeSlow(length)),
  kernelBytes,
};

const systemScheduler: Scheduler = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return {
      [Symbol.dispose]: () => {
        clearTimeout(timer);
      },
    };
  },
};

/** Straight from the kernel where there is such a file; elsewhere node:crypto's generator is what there is. */
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
