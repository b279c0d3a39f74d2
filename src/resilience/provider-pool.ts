import type { AuditAttempt } from "#core/audit.ts";
import type { Sources } from "#core/clock.ts";
import { FAILURES, ProviderError, type ProviderFault } from "#core/failures.ts";
import type { BreakerSnapshot, CallPlane, ProviderHealth } from "#core/health.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import { type Admission, Breaker, BREAKER_DEFAULTS, type BreakerEvent, type BreakerSettings, type CallEnd } from "./breaker.ts";
import type { Deadline } from "./deadline.ts";
import { Latencies } from "./latencies.ts";
import { RetryBudget } from "./retry-budget.ts";

/** What an attempt may take: three times the usual p99, within these bounds (routing.md, `attemptTimeoutMs: auto`). */
const ATTEMPT_MS = { min: 100, max: 1500, unknownP99: 500 } as const;
/** How long before the deadline an attempt ends, so that the answer still arrives in time. */
const ANSWER_MS = 100;
/** The share of usual concurrency at which a last resort is tried through an open breaker. */
const LAST_RESORT_IN_FLIGHT = 8;

export type PoolSettings = {
  readonly breaker: BreakerSettings;
  /** `auto`, or a fixed bound in milliseconds. */
  readonly attemptTimeoutMs: number | "auto";
};

export const POOL_DEFAULTS: PoolSettings = { breaker: BREAKER_DEFAULTS, attemptTimeoutMs: "auto" };

/** One finished call of a provider, for metrics. */
export type CallReport = AuditAttempt & { readonly plane: CallPlane };

export type CallOptions = {
  readonly deadline: Deadline;
  readonly requestId: string;
  /** Shortens the attempt; absent: the provider's own bound. */
  readonly timeoutMs?: number;
  /** The call changes something over there: it is never repeated blindly. */
  readonly mutation?: boolean;
  /** Let through an open breaker, a few at a time. */
  readonly lastResort?: boolean;
  /** Nobody comes after this attempt: it is worth one more try. */
  readonly last?: boolean;
  readonly onAttempt?: (attempt: AuditAttempt) => void;
};

/** The call itself, with the signal that ends it. */
export type Run<T> = (call: CallContext) => Promise<T>;

/** The providers behind their breakers: every call to one goes through here, and only here. */
export interface ProviderPool extends Disposable {
  /**
   * One call, bounded, counted, and repeated once where the failure table allows it. Rejects with a ProviderError.
   * A caller whose deadline is shorter than the provider's own bound gets CANCELLED; the call then runs on, so that its end is learnt.
   */
  call<T>(provider: string, plane: CallPlane, operation: string, run: Run<T>, options: CallOptions): Promise<T>;
  health(provider: string): ProviderHealth;
  /** Monotonic milliseconds of the last call that was let through, -Infinity if none. */
  lastCallMs(provider: string): number;
  lastSuccess(provider: string): number | null;
  lastFailure(provider: string): LastFailure | null;
  /** Adds or replaces a provider that was opened later. */
  put(provider: string, opened: Provider): void;
}

export type LastFailure = { readonly fault: ProviderFault; readonly operation: string; readonly time: number };

export type PoolOptions = {
  readonly sources: Sources;
  readonly settings: PoolSettings;
  readonly onCall: (report: CallReport) => void;
  readonly onBreaker: (provider: string, plane: CallPlane, event: BreakerEvent) => void;
};

export function createProviderPool(options: PoolOptions): ProviderPool {
  return new Pool(options);
}

type Member = {
  readonly name: string;
  readonly provider: Provider;
  readonly breakers: Readonly<Record<CallPlane, Breaker>>;
  readonly latencies: Map<string, Latencies>;
  readonly retries: RetryBudget;
  lastCallMs: number;
  lastSuccess: number | null;
  lastFailure: LastFailure | null;
};

type Call = { readonly member: Member; readonly plane: CallPlane; readonly operation: string; readonly options: CallOptions };

const IDLE: BreakerSnapshot = {
  state: "closed",
  sinceTime: null,
  nextProbeTime: null,
  calls: 0,
  failures: 0,
  p50Ms: null,
  p99Ms: null,
  inFlight: 0,
};

class Pool implements ProviderPool {
  readonly #options: PoolOptions;
  readonly #members = new Map<string, Member>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  put(name: string, provider: Provider): void {
    const old = this.#members.get(name);
    if (old !== undefined) for (const breaker of Object.values(old.breakers)) breaker[Symbol.dispose]();
    const breakers = { data: this.#breaker(name, "data", provider), control: this.#breaker(name, "control", provider) };
    const retries = new RetryBudget(this.#options.sources.clock);
    const state = { lastCallMs: Number.NEGATIVE_INFINITY, lastSuccess: null, lastFailure: null };
    this.#members.set(name, { name, provider, breakers, latencies: new Map(), retries, ...state });
  }

  async call<T>(provider: string, plane: CallPlane, operation: string, run: Run<T>, options: CallOptions): Promise<T> {
    const member = this.#members.get(provider);
    if (member === undefined) throw new ProviderError({ failure: "LOCAL", detail: "the provider is not open" });
    const call: Call = { member, plane, operation, options };
    member.retries.noteCall();
    try {
      return await this.#attempt(call, run);
    } catch (error) {
      const fault = faultOf(error);
      const waitMs = this.#mayRepeat(call, fault);
      if (waitMs === undefined) throw error;
      if (waitMs > 0) await this.#sleep(waitMs);
      return await this.#attempt(call, run);
    }
  }

  health(provider: string): ProviderHealth {
    const member = this.#members.get(provider);
    if (member === undefined) return { data: IDLE, control: IDLE };
    return { data: member.breakers.data.snapshot(), control: member.breakers.control.snapshot() };
  }

  lastCallMs(provider: string): number {
    return this.#members.get(provider)?.lastCallMs ?? Number.NEGATIVE_INFINITY;
  }

  lastSuccess(provider: string): number | null {
    return this.#members.get(provider)?.lastSuccess ?? null;
  }

  lastFailure(provider: string): LastFailure | null {
    return this.#members.get(provider)?.lastFailure ?? null;
  }

  [Symbol.dispose](): void {
    for (const { breakers } of this.#members.values()) {
      breakers.data[Symbol.dispose]();
      breakers.control[Symbol.dispose]();
    }
  }

  #breaker(name: string, plane: CallPlane, provider: Provider): Breaker {
    const breaker = new Breaker(this.#options.settings.breaker, this.#options.sources.clock);
    breaker.onChange((event) => {
      if (event.to === "open") provider.renew();
      this.#options.onBreaker(name, plane, event);
    });
    return breaker;
  }

  /** How long to wait before the one repetition; undefined if there is none. */
  #mayRepeat({ member, options }: Call, fault: ProviderFault): number | undefined {
    if (options.mutation === true) return undefined;
    const left = options.deadline.remainingMs() - ANSWER_MS;
    const { again } = FAILURES[fault.failure];
    if (again === "once" || (again === "if-unanswered" && fault.answered === false)) {
      return left > 0 && member.retries.take() ? 0 : undefined;
    }
    if (again !== "if-retry-after-fits" || options.last !== true) return undefined;
    const waitMs = fault.retryAfterMs ?? 100 + (this.#options.sources.random.bytes(1).readUInt8(0) / 255) * 200;
    return waitMs <= left / 4 && member.retries.take() ? waitMs : undefined;
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.sources.scheduler.after(ms, resolve);
    });
  }

  async #attempt<T>(call: Call, run: Run<T>): Promise<T> {
    const { member, plane, options } = call;
    const breaker = member.breakers[plane];
    const forced = options.lastResort === true && breaker.snapshot().inFlight < LAST_RESORT_IN_FLIGHT;
    const admission = breaker.admit(forced);
    if (admission === undefined) {
      const fault: ProviderFault = { failure: "LOCAL", detail: "the breaker is open" };
      this.#tell(call, { outcome: fault.failure, requestId: null, latencyMs: 0 });
      throw new ProviderError(fault);
    }
    member.lastCallMs = this.#options.sources.clock.monotonicMs();
    return await this.#bounded(call, run, admission);
  }

  /**
   * Runs the call to its own bound. The caller waits for less if its deadline is nearer; it is then told CANCELLED, and the call goes on
   * for the rest of the provider's own time.
   */
  async #bounded<T>(call: Call, run: Run<T>, admission: Admission): Promise<T> {
    const { scheduler } = this.#options.sources;
    const ownMs = this.#ownTimeout(call);
    const { deadline, timeoutMs = ownMs } = call.options;
    const callerMs = Math.min(timeoutMs, Math.max(1, deadline.remainingMs() - ANSWER_MS));
    const controller = new AbortController();
    const own = scheduler.after(ownMs, () => {
      controller.abort(TIMED_OUT);
    });
    const work = this.#observed(call, run, { controller, admission }).finally(() => {
      own[Symbol.dispose]();
    });
    if (callerMs >= ownMs) return await work;
    work.catch(() => undefined);
    return await this.#impatient(work, callerMs);
  }

  async #impatient<T>(work: Promise<T>, callerMs: number): Promise<T> {
    let timer: Disposable | undefined;
    const leaves = new Promise<never>((_resolve, reject) => {
      timer = this.#options.sources.scheduler.after(callerMs, () => {
        reject(new ProviderError({ failure: "CANCELLED", detail: "the caller's time was shorter than the attempt's own" }));
      });
    });
    try {
      return await Promise.race([work, leaves]);
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  /** The call with its end: told to the breaker, the latencies and whoever listens, whenever it arrives. */
  async #observed<T>(
    call: Call,
    run: Run<T>,
    { controller, admission }: { readonly controller: AbortController; readonly admission: Admission },
  ): Promise<T> {
    const { clock } = this.#options.sources;
    const startMs = clock.monotonicMs();
    try {
      const value = await abortable(run({ signal: controller.signal, requestId: call.options.requestId }), controller.signal);
      const latencyMs = clock.monotonicMs() - startMs;
      admission.end("alive", latencyMs);
      this.#latencyOf(call).add(latencyMs);
      call.member.lastSuccess = clock.now();
      this.#tell(call, { outcome: "ok", requestId: requestIdOf(value), latencyMs });
      return value;
    } catch (error) {
      const latencyMs = clock.monotonicMs() - startMs;
      const fault = this.#classify(call, error, controller.signal);
      admission.end(endOf(fault), latencyMs);
      call.member.lastFailure = { fault, operation: call.operation, time: clock.now() };
      this.#tell(call, { outcome: fault.failure, requestId: fault.requestId ?? null, latencyMs });
      throw new ProviderError(fault, error);
    }
  }

  #classify({ member, options }: Call, error: unknown, signal: AbortSignal): ProviderFault {
    if (signal.aborted) {
      const failure = options.mutation === true ? "UNKNOWN_OUTCOME" : "OUTAGE";
      return { failure, detail: "no answer within the attempt's time" };
    }
    return error instanceof ProviderError ? error.fault : member.provider.classify(error);
  }

  #ownTimeout(call: Call): number {
    const { attemptTimeoutMs } = this.#options.settings;
    if (attemptTimeoutMs !== "auto") return attemptTimeoutMs;
    if (call.plane === "control") return CONTROL_MS;
    const p99 = this.#latencyOf(call).quantile(0.99) ?? ATTEMPT_MS.unknownP99;
    return Math.min(ATTEMPT_MS.max, Math.max(ATTEMPT_MS.min, 3 * p99));
  }

  #latencyOf({ member, operation }: Call): Latencies {
    let found = member.latencies.get(operation);
    if (found === undefined) {
      found = new Latencies();
      member.latencies.set(operation, found);
    }
    return found;
  }

  #tell(call: Call, end: Pick<AuditAttempt, "outcome" | "requestId" | "latencyMs">): void {
    const attempt: AuditAttempt = { provider: call.member.name, operation: call.operation, ...end };
    call.options.onAttempt?.(attempt);
    this.#options.onCall({ ...attempt, plane: call.plane });
  }
}

/** Control calls make keys and the like, which takes clouds longer than using one. */
const CONTROL_MS = 5000;
const TIMED_OUT = new Error("timed out");

/** Rejects when the signal fires, even if the provider does not obey it. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(TIMED_OUT);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function endOf({ failure, answered }: ProviderFault): CallEnd {
  switch (FAILURES[failure].breaker) {
    case "counts":
      return "failed";
    case "counts-unless-answered":
      return answered === true ? "alive" : "failed";
    case "neither":
      return "nothing";
    case "ignored":
      return failure === "LOCAL" ? "nothing" : "alive";
  }
}

export function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError) return error.fault;
  return { failure: "INTERNAL", detail: error instanceof Error ? error.message : "unknown" };
}

function requestIdOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("requestId" in value)) return null;
  return typeof value.requestId === "string" ? value.requestId : null;
}
