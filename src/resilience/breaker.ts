/**
 * A circuit breaker around opossum. The only file that imports it.
 *
 * opossum keeps the statistics and the states; calls do not run through it. Their outcomes are reported when they arrive, so that a call
 * begun before an outage cannot close a half-open circuit, a hanging one is not in the denominator, and a cancelled one never touches it.
 */
import CircuitBreaker from "opossum";
import type { Clock } from "#core/clock.ts";
import type { BreakerSnapshot, BreakerStanding } from "#core/health.ts";
import { Latencies } from "./latencies.ts";

export type BreakerSettings = {
  /** Percent of failed or slow calls in the window at which it opens. */
  readonly failureRateThreshold: number;
  readonly minimumCalls: number;
  readonly consecutiveOutages: number;
  readonly slowCallMs: number;
  readonly windowMs: number;
  readonly openForMs: number;
  readonly openForMaxMs: number;
};

export const BREAKER_DEFAULTS: BreakerSettings = {
  failureRateThreshold: 50,
  minimumCalls: 10,
  consecutiveOutages: 3,
  slowCallMs: 1500,
  windowMs: 10_000,
  openForMs: 5000,
  openForMaxMs: 60_000,
};

/** What became of a call: `alive`: the provider answered, if only to refuse; `failed`, `timed-out`: an outage; `nothing`: it proves nothing. */
export type CallEnd = "alive" | "failed" | "timed-out" | "nothing";

/** A call that was let through; it is ended once, whenever its outcome arrives. */
export type Admission = {
  /** The one call on which a half-open breaker decides. */
  readonly probe: boolean;
  /** Let through although the breaker is not closed, or ramps up: a last resort. */
  readonly forced: boolean;
  end(outcome: CallEnd, latencyMs: number): void;
};

export type BreakerEvent = { readonly from: BreakerSnapshot["state"]; readonly to: BreakerSnapshot["state"] };

const OK = Promise.resolve();
const RAMP_START = 0.1;
const EVERY_TENTH = 10;

export class Breaker implements Disposable {
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  #circuit: CircuitBreaker<[boolean]>;
  readonly #latencies = new Latencies();
  readonly #listeners = new Set<(event: BreakerEvent) => void>();
  #state: BreakerSnapshot["state"] = "closed";
  #sinceTime: number | null = null;
  #nextProbeTime: number | null = null;
  #closedAtMs: number | undefined;
  #waitMs: number;
  #outages = 0;
  #inFlight = 0;
  #probing = false;
  #ramped = 0;

  constructor(settings: BreakerSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#waitMs = settings.openForMs;
    this.#circuit = this.#createCircuit();
  }

  /**
   * Lets a call through, or not: undefined while it is open, while its one probe runs, or above its share while traffic ramps up.
   * `forced`: the last resort, which an open breaker lets through too.
   */
  admit(forced = false): Admission | undefined {
    if (this.#state === "half-open") return this.#probing ? this.#forced(forced) : this.#probe();
    if (this.#state === "open") return this.#forced(forced);
    return this.#isRampedOut() ? this.#forced(forced) : this.#admission({ probe: false, forced: false });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  snapshot(): BreakerSnapshot {
    const { fires, failures } = this.#circuit.stats;
    return {
      ...this.standing(),
      sinceTime: this.#sinceTime,
      calls: fires,
      failures,
      p50Ms: this.#latencies.quantile(0.5),
      inFlight: this.#inFlight,
    };
  }

  standing(): BreakerStanding {
    return { state: this.#state, nextProbeTime: this.#nextProbeTime, p99Ms: this.#latencies.quantile(0.99) };
  }

  onChange(listener: (event: BreakerEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#circuit.shutdown();
  }

  #createCircuit(): CircuitBreaker<[boolean]> {
    const circuit = new CircuitBreaker(
      async (failed: boolean) => (failed ? await Promise.reject(new Error("outage")) : await OK),
      {
        timeout: false,
        // opossum opens when the rate is greater than the threshold; ours opens when it is reached
        errorThresholdPercentage: this.#settings.failureRateThreshold - 0.001,
        volumeThreshold: this.#settings.minimumCalls,
        resetTimeout: this.#waitMs,
        rollingCountTimeout: this.#settings.windowMs,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
      },
    );
    circuit.on("open", () => {
      this.#opened();
    });
    circuit.on("halfOpen", () => {
      this.#nextProbeTime = null;
      this.#become("half-open");
    });
    circuit.on("close", () => {
      this.#closed();
    });
    return circuit;
  }

  #forced(forced: boolean): Admission | undefined {
    return forced ? this.#admission({ probe: false, forced: true }) : undefined;
  }

  #probe(): Admission {
    this.#probing = true;
    return this.#admission({ probe: true, forced: false });
  }

  #admission({ probe, forced }: { readonly probe: boolean; readonly forced: boolean }): Admission {
    let ended = false;
    this.#inFlight += 1;
    return {
      probe,
      forced,
      end: (outcome, latencyMs) => {
        if (ended) return;
        ended = true;
        this.#inFlight -= 1;
        if (probe) this.#probing = false;
        if (outcome === "alive" || outcome === "timed-out") this.#latencies.add(latencyMs);
        if (outcome !== "nothing") this.#report(outcome !== "alive", latencyMs, probe);
      },
    };
  }

  #report(failed: boolean, latencyMs: number, probe: boolean): void {
    if (this.#state === "open") return;
    if (this.#state === "half-open") {
      // a call from before says nothing of now
      if (!probe) return;
      if (failed) this.#doubleWait();
      this.#fire(failed);
      if (failed) this.#circuit.open();
      else this.#circuit.close();
      return;
    }
    this.#settle();
    this.#outages = failed ? this.#outages + 1 : 0;
    this.#fire(failed || latencyMs > this.#settings.slowCallMs);
    if (this.#outages >= this.#settings.consecutiveOutages && this.#circuit.closed) this.#circuit.open();
  }

  #fire(failed: boolean): void {
    this.#circuit.fire(failed).catch(() => undefined);
  }

  #doubleWait(): void {
    this.#waitMs = Math.min(this.#waitMs * 2, this.#settings.openForMaxMs);
    optionsOf(this.#circuit).resetTimeout = this.#waitMs;
  }

  /** A breaker that has stayed closed for a window waits as at first when it opens again. */
  #settle(): void {
    if (this.#closedAtMs === undefined) return;
    if (this.#clock.monotonicMs() - this.#closedAtMs < this.#settings.windowMs) return;
    this.#closedAtMs = undefined;
    this.#waitMs = this.#settings.openForMs;
    optionsOf(this.#circuit).resetTimeout = this.#waitMs;
  }

  #opened(): void {
    this.#outages = 0;
    this.#probing = false;
    this.#closedAtMs = undefined;
    this.#nextProbeTime = this.#clock.now() + this.#waitMs;
    this.#become("open");
  }

  /** The old failures are done with: a new circuit counts from nothing. Should it open again soon, it waits twice as long. */
  #closed(): void {
    this.#circuit.shutdown();
    this.#waitMs = Math.min(this.#waitMs * 2, this.#settings.openForMaxMs);
    this.#circuit = this.#createCircuit();
    this.#closedAtMs = this.#clock.monotonicMs();
    this.#outages = 0;
    this.#ramped = 0;
    this.#nextProbeTime = null;
    this.#become("closed");
  }

  #become(to: BreakerSnapshot["state"]): void {
    const from = this.#state;
    this.#state = to;
    this.#sinceTime = this.#clock.now();
    if (from !== to) for (const listener of this.#listeners) listener({ from, to });
  }

  /** From 10 to 100 % of the traffic over `openForMs` after closing. */
  #isRampedOut(): boolean {
    if (this.#closedAtMs === undefined) return false;
    const elapsed = this.#clock.monotonicMs() - this.#closedAtMs;
    const share = RAMP_START + (1 - RAMP_START) * (elapsed / this.#settings.openForMs);
    this.#ramped = (this.#ramped + 1) % EVERY_TENTH;
    return this.#ramped >= share * EVERY_TENTH;
  }
}

/** opossum reads the wait when it opens; its types do not show the options of a circuit. */
function optionsOf(circuit: CircuitBreaker<[boolean]>): { resetTimeout: number } {
  return (circuit as unknown as { options: { resetTimeout: number } }).options;
}
