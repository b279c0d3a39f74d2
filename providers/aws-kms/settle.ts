import type { Scheduler } from "#core/clock.ts";
import type { CallContext } from "#core/provider.ts";
import { faultOf } from "./errors.ts";

/**
 * Runs a call on a key that was made just now, again while the service does not see the key yet: "usually seconds" (developer
 * guide, eventual consistency). To give up would leave the key behind without its alias. The caller's signal ends it.
 */
export async function settle<T>(scheduler: Scheduler, run: () => Promise<T>, { signal }: CallContext): Promise<T> {
  for (const delayMs of DELAYS_MS) {
    try {
      return await run();
    } catch (error) {
      const { failure } = faultOf(error);
      if (failure !== "NOT_FOUND" && failure !== "STATE") throw error;
    }
    await pause(scheduler, delayMs, signal);
  }
  return await run();
}

const DELAYS_MS = [100, 200, 400, 800, 1600];

/** Ends early when the signal fires: the next call then rejects by itself. */
async function pause(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Promise<void> {
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
