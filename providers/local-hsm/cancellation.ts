import type { CallContext } from "#core/provider.ts";
import { LocalHsmError } from "./errors.ts";

/** Runs `work`, and rejects as `Cancelled` the moment that the call's signal fires. Work under way goes on unseen: it is atomic. */
export async function underSignal<T>({ signal }: CallContext, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw cancellation(signal);
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(cancellation(signal));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(), cancelled]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function cancellation(signal: AbortSignal): LocalHsmError {
  return new LocalHsmError("Cancelled", "the call was cancelled", signal.reason);
}
