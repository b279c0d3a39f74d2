/** Wall time and monotonic time, both in milliseconds. Injected everywhere, so that tests own time. */
export interface Clock {
  /** Epoch milliseconds: for dates. */
  now(): number;
  /** Milliseconds since an arbitrary point, never going back: for periods inside a process. */
  monotonicMs(): number;
}

/** Randomness. Both give a fresh, unpooled buffer that the caller owns. */
export interface Random {
  /** From node:crypto's generator, which a cloned machine may repeat. */
  bytes(length: number): Buffer;
  /** Read unbuffered from the kernel, which reseeds in a cloned machine. */
  kernelBytes(length: number): Buffer;
}

/** Timers, apart from the clock: what needs to wake up takes one. Disposing cancels. */
export interface Scheduler {
  after(delayMs: number, run: () => void): Disposable;
}

/** What makes ids, messages and dates in a process. */
export type Sources = { readonly clock: Clock; readonly random: Random; readonly scheduler: Scheduler };
