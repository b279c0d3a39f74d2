import type { Scheduler } from "#core/clock.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext } from "#core/provider.ts";
import { faultOf } from "./errors.ts";
import { pause } from "./pause.ts";

/**
 * Runs what follows on a change, again while the service does not show the key yet. Where it has no answer at last, nobody knows
 * what became of the whole. The caller's signal ends it.
 */
export async function afterChange<T>(scheduler: Scheduler, run: () => Promise<T>, { signal }: CallContext): Promise<T> {
  for (const delayMs of [...DELAYS_MS, undefined]) {
    try {
      return await run();
    } catch (error) {
      const fault = faultOf(error);
      const isUnseen = fault.failure === "NOT_FOUND" || fault.failure === "STATE";
      if (fault.failure === "OUTAGE" || (isUnseen && delayMs === undefined)) {
        throw new ProviderError({ ...fault, failure: "UNKNOWN_OUTCOME" });
      }
      if (!isUnseen || delayMs === undefined) throw error;
      await pause(scheduler, delayMs, signal);
    }
  }
  throw new ProviderError({ failure: "UNKNOWN_OUTCOME", detail: "the key is not shown" });
}

const DELAYS_MS = [200, 400, 800, 1600];
