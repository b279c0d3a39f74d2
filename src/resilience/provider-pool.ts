import type { AuditAttempt } from "#core/audit.ts";
import type { Sources } from "#core/clock.ts";
import { FAILURES, ProviderError, type ProviderFault } from "#core/failures.ts";
import type { BreakerSnapshot, BreakerStanding, CallPlane, ProviderHealth } from "#core/health.ts";
import type { Provider } from "#core/provider.ts";
import { type AttemptEnd, type Run, runAttempt } from "./attempt.ts";
import {
  type Admission,
  Breaker,
  BREAKER_DEFAULTS,
  type BreakerEvent,
  type BreakerSettings,
  type CallEnd,
} from "./breaker.ts";
import type { Deadline } from "./deadline.ts";
import { Latencies } from "./latencies.ts";
import { repetition } from "./repetition.ts";
import { RetryBudget } from "./retry-budget.ts";

export type { Run } from "./attempt.ts";

/** What an attempt may take: three times the usual p99, within these bounds (routing.md, `attemptTimeoutMs: auto`). */
const ATTEMPT_MS = { min: 100, max: 1500, unknownP99: 500 } as const;
/** An eighth of the usual concurrency: how many calls at once a breaker that is not closed lets through as a last resort. */
const LAST_RESORT_IN_FLIGHT = 8;

export type PoolSettings = {
  readonly breaker: BreakerSettings;
  /** `auto`, or a fixed bound in milliseconds. */
  readonly attemptTimeoutMs: number | "auto";
};

/** What a configuration that says nothing gets. @public */
export const POOL_DEFAULTS: PoolSettings = { breaker: BREAKER_DEFAULTS, attemptTimeoutMs: "auto" };

/** One finished call of a provider, for metrics. `lastResort`: a breaker that was not closed let it through. */
export type CallReport = AuditAttempt & { readonly plane: CallPlane; readonly lastResort: boolean };

export type CallOptions<T = unknown> = {
  readonly deadline: Deadline;
  readonly requestId: string;
  /** The plan's part of the time for this attempt; absent: the provider's own bound. */
  readonly timeoutMs?: number;
  /** The call changes something over there: it is never repeated blindly. */
  readonly mutation?: boolean;
  /** The key was changed within the service's propagation time: that it is not seen so yet is worth one more look. */
  readonly changed?: boolean;
  /** Let through a breaker that is not closed, a few at a time. */
  readonly lastResort?: boolean;
  /** Nobody comes after this attempt: it is worth one more try, and a breaker does not stand in its way. */
  readonly last?: boolean;
  readonly onAttempt?: (attempt: AuditAttempt) => void;
  /** Given an answer that comes after the caller has left, so that secrets in it can be zeroed. */
  readonly discard?: (late: T) => void;
};

/** The providers behind their breakers: every call to one goes through here, and only here. */
export interface ProviderPool extends Disposable {
  /**
   * One call, bounded, counted, and repeated where the failure table allows it. Rejects with a ProviderError.
   *
   * A caller whose deadline is nearer than the provider's own bound gets CANCELLED, one whose plan gives the attempt less OUTAGE (so that
   * the next provider is asked), one who changes something UNKNOWN_OUTCOME; the call then runs on, so that its end is learnt.
   */
  call<T>(provider: string, plane: CallPlane, operation: string, run: Run<T>, options: CallOptions<T>): Promise<T>;
  health(provider: string): ProviderHealth;
  /** How the breaker of the data plane stands. */
  standing(provider: string): BreakerStanding;
  /** Monotonic milliseconds of the last call of the data plane that was let through, -Infinity if none. */
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

type Call<T> = {
  readonly member: Member;
  readonly plane: CallPlane;
  readonly operation: string;
  readonly run: Run<T>;
  readonly options: CallOptions<T>;
};

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

  async call<T>(
    provider: string,
    plane: CallPlane,
    operation: string,
    run: Run<T>,
    options: CallOptions<T>,
  ): Promise<T> {
    const member = this.#members.get(provider);
    if (member === undefined) throw new ProviderError({ failure: "LOCAL", detail: "the provider is not open" });
    const call: Call<T> = { member, plane, operation, run, options };
    member.retries.noteCall();
    let before: ProviderFault | undefined;
    for (let repeated = 0; ; repeated++) {
      try {
        return await this.#attempt(call);
      } catch (error) {
        const fault = faultOf(error);
        // a repetition that the deadline cut off says less than what it repeated
        if (before !== undefined && fault.failure === "CANCELLED") throw new ProviderError(before, error);
        before = fault;
        const waitMs = this.#waitBefore(call, fault, repeated);
        if (waitMs === undefined || !member.retries.take()) throw error;
        if (FAILURES[fault.failure].again === "refresh-credentials") member.provider.renew();
        if (waitMs > 0) await this.#sleep(waitMs);
      }
    }
  }

  health(provider: string): ProviderHealth {
    const member = this.#members.get(provider);
    if (member === undefined) return { data: IDLE, control: IDLE };
    return { data: member.breakers.data.snapshot(), control: member.breakers.control.snapshot() };
  }

  standing(provider: string): BreakerStanding {
    return this.#members.get(provider)?.breakers.data.standing() ?? IDLE;
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

  #waitBefore<T>({ options }: Call<T>, fault: ProviderFault, repeated: number): number | undefined {
    const { deadline, last = false, mutation = false, changed = false } = options;
    const draw = this.#options.sources.random.bytes(1).readUInt8(0) / 255;
    return repetition({ fault, repeated, last, mutation, changed, leftMs: deadline.forAttemptsMs(), draw });
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#options.sources.scheduler.after(ms, resolve);
    });
  }

  async #attempt<T>(call: Call<T>): Promise<T> {
    const { member, plane, options } = call;
    const breaker = member.breakers[plane];
    const wanted = options.lastResort === true || options.last === true;
    const admission = breaker.admit(wanted && breaker.inFlight < LAST_RESORT_IN_FLIGHT);
    if (admission === undefined) {
      this.#tell(call, false, { outcome: "LOCAL", requestId: null, latencyMs: 0 });
      throw new ProviderError({ failure: "LOCAL", detail: "the breaker is open" });
    }
    const { clock } = this.#options.sources;
    if (plane === "data") member.lastCallMs = clock.monotonicMs();
    const ownMs = admission.probe ? ATTEMPT_MS.max : this.#ownTimeout(call);
    const planMs = options.timeoutMs ?? ownMs;
    const leftMs = Math.max(1, options.deadline.forAttemptsMs());
    return await runAttempt({
      run: call.run,
      requestId: options.requestId,
      ownMs,
      callerMs: Math.min(planMs, leftMs),
      sources: this.#options.sources,
      onEnd: (end) => this.#ended(call, admission, end),
      onLeave: () => new ProviderError(leaving({ mutation: options.mutation === true, byPlan: planMs <= leftMs })),
      discard: (late) => options.discard?.(late),
    });
  }

  /** A call's real end: told to the breaker, the latencies and whoever listens. */
  #ended<T>(call: Call<T>, admission: Admission, end: AttemptEnd<T>): T {
    const { member, operation } = call;
    const { latencyMs } = end;
    const time = this.#options.sources.clock.now();
    if (end.ok) {
      admission.end("alive", latencyMs);
      this.#latencyOf(call).add(latencyMs);
      member.lastSuccess = time;
      this.#tell(call, admission.forced, { outcome: "ok", requestId: requestIdOf(end.value), latencyMs });
      return end.value;
    }
    const fault = this.#faultOf(call, end);
    admission.end(end.timedOut ? "timed-out" : endOf(fault), latencyMs);
    // a provider that has become slower gets more time: what was cut off counts as having taken as long
    if (end.timedOut) this.#latencyOf(call).add(latencyMs);
    member.lastFailure = { fault, operation, time };
    this.#tell(call, admission.forced, { outcome: fault.failure, requestId: fault.requestId ?? null, latencyMs });
    throw new ProviderError(fault, end.error);
  }

  #faultOf<T>({ member, options }: Call<T>, end: AttemptEnd<T> & { ok: false }): ProviderFault {
    if (end.timedOut) {
      const failure = options.mutation === true ? "UNKNOWN_OUTCOME" : "OUTAGE";
      return { failure, detail: "no answer within the attempt's time" };
    }
    return end.error instanceof ProviderError ? end.error.fault : member.provider.classify(end.error);
  }

  #ownTimeout<T>(call: Call<T>): number {
    const { attemptTimeoutMs } = this.#options.settings;
    if (attemptTimeoutMs !== "auto") return attemptTimeoutMs;
    if (call.plane === "control") return CONTROL_MS;
    const p99 = this.#latencyOf(call).quantile(0.99) ?? ATTEMPT_MS.unknownP99;
    return Math.min(ATTEMPT_MS.max, Math.max(ATTEMPT_MS.min, 3 * p99));
  }

  #latencyOf<T>({ member, operation }: Call<T>): Latencies {
    let found = member.latencies.get(operation);
    if (found === undefined) {
      found = new Latencies();
      member.latencies.set(operation, found);
    }
    return found;
  }

  #tell<T>(call: Call<T>, lastResort: boolean, end: Pick<AuditAttempt, "outcome" | "requestId" | "latencyMs">): void {
    const attempt: AuditAttempt = { provider: call.member.name, operation: call.operation, ...end };
    call.options.onAttempt?.(attempt);
    this.#options.onCall({ ...attempt, plane: call.plane, lastResort });
  }
}

/** Control calls make keys and the like, which takes clouds longer than using one. */
const CONTROL_MS = 5000;

/** What a caller is told who leaves before the call's end; the breaker is told of the end itself. */
function leaving({ mutation, byPlan }: { readonly mutation: boolean; readonly byPlan: boolean }): ProviderFault {
  if (mutation) return { failure: "UNKNOWN_OUTCOME", detail: "no answer before the caller's deadline" };
  if (byPlan) return { failure: "OUTAGE", detail: "no answer within the plan's time for the attempt" };
  return { failure: "CANCELLED", detail: "the caller's deadline was nearer than the attempt's own end" };
}

function endOf({ failure, answered }: ProviderFault): CallEnd {
  if (failure === "LOCAL") return "nothing";
  const counts = FAILURES[failure].breaker;
  if (counts === "counts-unless-answered") return answered === true ? "alive" : "failed";
  return ({ counts: "failed", neither: "nothing", ignored: "alive" } as const)[counts];
}

export function faultOf(error: unknown): ProviderFault {
  if (error instanceof ProviderError) return error.fault;
  return { failure: "INTERNAL", detail: error instanceof Error ? error.message : "unknown" };
}

function requestIdOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("requestId" in value)) return null;
  return typeof value.requestId === "string" ? value.requestId : null;
}
