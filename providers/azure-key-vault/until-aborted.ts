/** Runs `work`, and rejects as soon as the signal fires, even where the SDK does not listen to it. */
export async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
