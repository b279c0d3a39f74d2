import type { Scheduler } from "#core/clock.ts";

/** Waits; ends early when the signal fires: the next call then rejects by itself. */
export async function pause(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => {
    resolve();
  };
  const timer = scheduler.after(delayMs, end);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await promise;
  signal.removeEventListener("abort", end);
  timer[Symbol.dispose]();
}
