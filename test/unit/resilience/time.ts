import { afterEach, beforeEach, vi } from "vitest";
import type { Sources } from "#core/clock.ts";
import { ProviderError, type ProviderFault } from "#core/failures.ts";
import type { Provider } from "#core/provider.ts";

/** Puts each test of a file on a clock that stands still, for opossum's timers as for ours. */
export function useFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Lets time pass, with everything that is due. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Sources on the clock of {@link useFakeTime}; random bytes are zeros. */
export function fakeSources(): Sources {
  const zeros = (length: number): Buffer => Buffer.alloc(length);
  return {
    clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
    random: { bytes: zeros, kernelBytes: zeros },
    scheduler: {
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs);
        return { [Symbol.dispose]: () => clearTimeout(timer) };
      },
    },
  };
}

/** A provider of which resilience sees no more than this: it names errors, and makes a fresh client. */
export function stubProvider(): Provider & { readonly renewed: () => number } {
  let renewed = 0;
  const stub = {
    kind: "stub",
    classify: (error: unknown): ProviderFault => ({ failure: "INTERNAL", detail: String(error) }),
    renew: () => {
      renewed += 1;
    },
    renewed: () => renewed,
  };
  return stub as unknown as Provider & { readonly renewed: () => number };
}

/** A call that fails in this way. */
export function failing(fault: Partial<ProviderFault>): () => Promise<never> {
  return async () => await Promise.reject(new ProviderError({ failure: "OUTAGE", detail: "planned", ...fault }));
}

/** A call that answers after a while, whatever its signal says. */
export function answering<T>(value: T, afterMs = 0): () => Promise<T> {
  return async () => {
    if (afterMs > 0) {
      await new Promise((resolve) => {
        setTimeout(resolve, afterMs);
      });
    }
    return value;
  };
}

/** A call that never ends. */
export async function hanging(): Promise<never> {
  return await new Promise(() => undefined);
}

/** How a call ended, as text: its value, or the failure. */
export async function ending(call: Promise<unknown>): Promise<string> {
  try {
    return String(await call);
  } catch (error) {
    return error instanceof ProviderError ? error.fault.failure : String(error);
  }
}
