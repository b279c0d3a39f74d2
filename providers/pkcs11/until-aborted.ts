import { ProviderError } from "#core/failures.ts";

/** Rejects as CANCELLED as soon as the signal fires. What the module was asked goes on unseen: nothing can stop it. */
export async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw cancelled(signal);
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => {
    reject(cancelled(signal));
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function cancelled(signal: AbortSignal): ProviderError {
  return new ProviderError({ failure: "CANCELLED", detail: "the call was cancelled" }, signal.reason);
}
