import type { Sources } from "#core/clock.ts";
import type { CallContext } from "#core/provider.ts";

/** The call itself, with the signal that ends it. */
export type Run<T> = (call: CallContext) => Promise<T>;

/** How a call ended, whenever that was. `timedOut`: we ended it, after the whole of its own time. */
export type AttemptEnd<T> =
  | { readonly ok: true; readonly value: T; readonly latencyMs: number }
  | { readonly ok: false; readonly error: unknown; readonly timedOut: boolean; readonly latencyMs: number };

export type AttemptOptions<T> = {
  readonly run: Run<T>;
  readonly requestId: string;
  /** What the provider is given, whoever waits: at the end of it the signal fires. */
  readonly ownMs: number;
  /** For how long the caller waits. */
  readonly callerMs: number;
  readonly sources: Pick<Sources, "clock" | "scheduler">;
  /** Told once of the real end, also after the caller has left; answers or throws what a waiting caller gets. */
  readonly onEnd: (end: AttemptEnd<T>) => T;
  /** What a caller gets who leaves before the end. */
  readonly onLeave: () => Error;
  /** Given an answer that nobody waits for any more. */
  readonly discard: (late: T) => void;
};

/**
 * Runs a call for as long as its provider is given. A caller with less time leaves earlier; the call then runs on, so that its real end is
 * learnt: a caller with a tiny deadline proves nothing about a provider.
 */
export async function runAttempt<T>(options: AttemptOptions<T>): Promise<T> {
  const { ownMs, callerMs, onEnd, onLeave, sources } = options;
  const ended = observe(options);
  if (callerMs >= ownMs) return onEnd(await ended);
  const { promise: left, resolve: leave } = Promise.withResolvers<"left">();
  const timer = sources.scheduler.after(callerMs, () => {
    leave("left");
  });
  const first = await Promise.race([ended, left]);
  timer[Symbol.dispose]();
  if (first !== "left") return onEnd(first);
  void tellLate(ended, options);
  throw onLeave();
}

/** Never rejects. */
async function observe<T>({ run, requestId, ownMs, sources, discard }: AttemptOptions<T>): Promise<AttemptEnd<T>> {
  const { clock, scheduler } = sources;
  const startMs = clock.monotonicMs();
  const controller = new AbortController();
  const { promise: expired, resolve: expire } = Promise.withResolvers<typeof TIMED_OUT>();
  const timer = scheduler.after(ownMs, () => {
    controller.abort();
    expire(TIMED_OUT);
  });
  const call = begin(run, { signal: controller.signal, requestId });
  try {
    const first = await Promise.race([call, expired]);
    const latencyMs = clock.monotonicMs() - startMs;
    if (first !== TIMED_OUT) return { ok: true, value: first, latencyMs };
    call.then(discard, () => undefined);
    return { ok: false, error: undefined, timedOut: true, latencyMs };
  } catch (error) {
    const latencyMs = clock.monotonicMs() - startMs;
    return { ok: false, error, timedOut: controller.signal.aborted, latencyMs };
  } finally {
    timer[Symbol.dispose]();
  }
}

const TIMED_OUT = Symbol("timed out");

/** A call that throws at once rejects like any other. */
async function begin<T>(run: Run<T>, call: CallContext): Promise<T> {
  return await run(call);
}

async function tellLate<T>(ended: Promise<AttemptEnd<T>>, { onEnd, discard }: AttemptOptions<T>): Promise<void> {
  const end = await ended;
  if (end.ok) discard(end.value);
  try {
    onEnd(end);
  } catch {
    // the error is for a caller who has left; the end itself is told
  }
}
