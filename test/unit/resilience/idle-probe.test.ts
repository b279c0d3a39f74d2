import { describe, expect, it, onTestFinished } from "vitest";
import type { CallPlane } from "#core/health.ts";
import { Deadline } from "#resilience/deadline.ts";
import { IdleProber } from "#resilience/idle-probe.ts";
import { createProviderPool, POOL_DEFAULTS } from "#resilience/provider-pool.ts";
import { answering, ending, failing, fakeSources, pass, stubProvider, useFakeTime } from "./time.ts";

useFakeTime();

/** A prober that ticks every second, and the seconds in which it probed. */
function create() {
  const sources = fakeSources();
  const pool = createProviderPool({
    sources,
    settings: POOL_DEFAULTS,
    onCall: () => undefined,
    onBreaker: () => undefined,
  });
  pool.put("p", stubProvider());
  onTestFinished(() => {
    pool[Symbol.dispose]();
  });
  const prober = new IdleProber(pool, sources.clock);
  const probes: number[] = [];
  const controlProbes: number[] = [];
  const options = () => ({ deadline: new Deadline(2_000, sources), requestId: "r" });
  const world = { alive: true, second: 0, probes, controlProbes, pool };
  const probe = async (): Promise<void> => {
    probes.push(world.second);
    const run = world.alive ? answering(undefined) : failing({ failure: "OUTAGE", answered: true });
    await pool.call("p", "data", "probe", run, options());
  };
  const probeControl = async (): Promise<void> => {
    controlProbes.push(world.second);
    const run = world.alive ? answering(undefined) : failing({ failure: "OUTAGE", answered: true });
    await pool.call("p", "control", "identify", run, options());
  };
  const use = async (how: { failing: boolean; plane?: CallPlane } = { failing: false }): Promise<string> => {
    const run = how.failing ? failing({ failure: "OUTAGE", answered: true }) : answering("ok");
    return await ending(pool.call("p", how.plane ?? "data", "unwrap", run, options()));
  };
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await pass(1_000);
      world.second += 1;
      await prober.tick([{ name: "p", probe, probeControl }]);
    }
  };
  return { world, seconds, use, prober };
}

describe("a provider", () => {
  it("that has seen no call for ten seconds is probed", async () => {
    const { world, seconds, use } = create();
    await use();
    await seconds(25);
    expect(world.probes).toEqual([10, 20]);
  });

  it("that is used is not probed", async () => {
    const { world, seconds, use } = create();
    for (let i = 0; i < 6; i++) {
      await use();
      await seconds(5);
    }
    expect(world.probes).toEqual([]);
  });

  it("that was never called is probed at once", async () => {
    const { world, seconds } = create();
    await seconds(1);
    expect(world.probes).toEqual([1]);
  });

  it("whose probe failed is probed every second until the breaker decides, and then as the breaker lets through", async () => {
    const { world, seconds, use } = create();
    await use();
    world.alive = false;
    await seconds(12);
    expect(world.probes).toEqual([10, 11, 12]);
    expect(world.pool.health("p").data.state).toBe("open");
    world.alive = true;
    await seconds(5);
    expect(world.probes).toEqual([10, 11, 12, 17]);
    expect(world.pool.health("p").data.state).toBe("closed");
    await seconds(9);
    expect(world.probes).toEqual([10, 11, 12, 17]);
  });

  it("whose breaker calls have opened is probed as soon as it lets a probe through", async () => {
    const { world, seconds, use } = create();
    for (let i = 0; i < 3; i++) await use({ failing: true });
    await seconds(6);
    expect(world.probes).toEqual([5]);
    expect(world.pool.health("p").data.state).toBe("closed");
  });

  it("whose control plane was opened is asked there as soon as it lets a probe through, and never otherwise", async () => {
    const { world, seconds, use } = create();
    await seconds(1);
    for (let i = 0; i < 3; i++) await use({ failing: true, plane: "control" });
    await seconds(20);
    expect(world.controlProbes).toEqual([6]);
    expect(world.pool.health("p").control.state).toBe("closed");
  });

  it("is probed once at a time", async () => {
    const { prober } = create();
    let running = 0;
    const slow = async (): Promise<void> => {
      running += 1;
      await answering(undefined, 5_000)();
    };
    void prober.tick([{ name: "p", probe: slow, probeControl: slow }]);
    await pass(3_000);
    await prober.tick([{ name: "p", probe: slow, probeControl: slow }]);
    expect(running).toBe(1);
  });
});
