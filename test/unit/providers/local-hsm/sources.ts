import { randomBytes } from "node:crypto";
import type { Clock, Scheduler, Sources } from "#core/clock.ts";

export type LocalSources = Sources & {
  readonly clock: Clock & { advance(ms: number): void };
  readonly scheduler: Scheduler & { fire(): void; readonly waiting: number };
};

/** Real randomness, a clock that stands still until it is moved, and timers that fire when asked. */
export function localSources(): LocalSources {
  let now = Date.UTC(2026, 10, 24);
  const timers = new Set<() => void>();
  return {
    clock: {
      now: () => now,
      monotonicMs: () => now,
      advance: (ms) => {
        now += ms;
      },
    },
    random: { bytes: (length) => ownRandom(length), kernelBytes: (length) => ownRandom(length) },
    scheduler: {
      after: (_delayMs, run) => {
        timers.add(run);
        return { [Symbol.dispose]: () => void timers.delete(run) };
      },
      fire: () => {
        const due = [...timers];
        timers.clear();
        for (const run of due) run();
      },
      get waiting() {
        return timers.size;
      },
    },
  };
}

/** Bytes in a buffer of their own. */
export function ownRandom(length: number): Buffer {
  return Buffer.from(randomBytes(length).buffer.slice(0, length));
}
