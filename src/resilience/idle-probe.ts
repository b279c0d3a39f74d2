import type { Clock } from "#core/clock.ts";
import type { ProviderPool } from "./provider-pool.ts";

const IDLE_MS = 10_000;
const AGAIN_MS = 1000;

/** What the prober needs to know of a provider. */
export type Probed = {
  readonly name: string;
  /** A call of the data plane. */
  readonly probe: () => Promise<void>;
  /** A call of the control plane that changes nothing. */
  readonly probeControl: () => Promise<void>;
};

/**
 * Keeps idle breakers true: a provider that has seen no call for ten seconds is probed through its canary key, and one whose probe failed
 * every second until its breaker decides; an open one whenever it lets a probe through. The control plane is probed only then: it is idle
 * for days, and its breaker would stay half-open as long.
 */
export class IdleProber {
  readonly #pool: ProviderPool;
  readonly #clock: Clock;
  readonly #failed = new Set<string>();
  readonly #running = new Set<string>();

  constructor(pool: ProviderPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Probes who needs it; call it every second or so. */
  async tick(providers: Iterable<Probed>): Promise<void> {
    await Promise.all([...providers].flatMap((provider) => [this.#tickData(provider), this.#tickControl(provider)]));
  }

  async #tickData({ name, probe }: Probed): Promise<void> {
    if (this.#isDue(name)) await this.#probe(name, probe);
  }

  async #tickControl({ name, probeControl }: Probed): Promise<void> {
    const id = `${name} control`;
    if (this.#pool.health(name).control.state === "half-open" && !this.#running.has(id))
      await this.#probe(id, probeControl);
  }

  #isDue(name: string): boolean {
    if (this.#running.has(name)) return false;
    const { state } = this.#pool.health(name).data;
    if (state === "open") return false;
    if (state === "half-open") return true;
    const idleMs = this.#clock.monotonicMs() - this.#pool.lastCallMs(name);
    return idleMs >= (this.#failed.has(name) ? AGAIN_MS : IDLE_MS);
  }

  async #probe(name: string, probe: () => Promise<void>): Promise<void> {
    this.#running.add(name);
    try {
      await probe();
      this.#failed.delete(name);
    } catch {
      this.#failed.add(name);
    } finally {
      this.#running.delete(name);
    }
  }
}
