import { describe, expect, it, onTestFinished } from "vitest";
import { Breaker, BREAKER_DEFAULTS, type BreakerSettings, type CallEnd } from "#resilience/breaker.ts";
import { fakeSources, pass, useFakeTime } from "./time.ts";

useFakeTime();

function create(settings: Partial<BreakerSettings> = {}): Breaker {
  const breaker = new Breaker({ ...BREAKER_DEFAULTS, ...settings }, fakeSources().clock);
  onTestFinished(() => {
    breaker[Symbol.dispose]();
  });
  return breaker;
}

/** One call from beginning to end; whether it was let through. */
async function call(breaker: Breaker, end: CallEnd, latencyMs = 1): Promise<boolean> {
  const admission = breaker.admit();
  admission?.end(end, latencyMs);
  await pass(0);
  return admission !== undefined;
}

async function calls(breaker: Breaker, ends: readonly CallEnd[], everyMs = 0): Promise<void> {
  for (const end of ends) {
    await call(breaker, end);
    await pass(everyMs);
  }
}

const state = (breaker: Breaker): string => breaker.snapshot().state;
const F = "failed";
const OK = "alive";
/** A breaker whose rate alone opens it. */
const byRate = () => create({ consecutiveOutages: 1000 });

describe("a breaker opens", () => {
  it("when nine calls in ten seconds all fail", async () => {
    const breaker = create();
    await calls(breaker, Array<CallEnd>(9).fill(F), 1_100);
    expect(state(breaker)).toBe("open");
  });

  it("after three outages in a row, however rare calls are", async () => {
    const breaker = create();
    await calls(breaker, [F, F], 60_000);
    expect(state(breaker)).toBe("closed");
    await call(breaker, F);
    expect(state(breaker)).toBe("open");
  });

  it("not for outages that answers come between", async () => {
    const breaker = create();
    await calls(breaker, [F, F, OK, F, F, OK, F, F]);
    expect(state(breaker)).toBe("closed");
  });

  it("when half of ten calls fail, and not at nine calls or below the half", async () => {
    const [half, few, less] = [byRate(), byRate(), byRate()];
    await calls(half, [F, OK, F, OK, F, OK, F, OK, OK, F]);
    await calls(few, [F, F, F, F, F, F, F, F, F]);
    await calls(less, [OK, OK, OK, OK, OK, OK, F, F, F, F]);
    expect([half, few, less].map(state)).toEqual(["open", "closed", "closed"]);
  });

  it("not for failures that left the window", async () => {
    const breaker = byRate();
    await calls(breaker, [F, F, F, F, F, F, F, F, F]);
    await pass(BREAKER_DEFAULTS.windowMs + 1_000);
    await calls(breaker, [F, OK, OK]);
    expect(state(breaker)).toBe("closed");
    expect(breaker.snapshot()).toMatchObject({ calls: 3, failures: 1 });
  });

  it("when most calls are slow", async () => {
    const breaker = create();
    for (let i = 0; i < 10; i++) await call(breaker, OK, 1_500);
    expect(state(breaker)).toBe("closed");
    await pass(BREAKER_DEFAULTS.windowMs + 1_000);
    for (let i = 0; i < 10; i++) await call(breaker, OK, i % 2 === 0 ? 1_500 : 1_501);
    expect(state(breaker)).toBe("open");
  });

  it("while others hang: what has not ended is not counted", async () => {
    const breaker = byRate();
    for (let i = 0; i < 20; i++) breaker.admit();
    await calls(breaker, Array<CallEnd>(10).fill(F));
    expect(state(breaker)).toBe("open");
  });

  it("for attempts that had the provider's whole time", async () => {
    const breaker = create();
    await calls(breaker, ["timed-out", "timed-out", "timed-out"]);
    expect(state(breaker)).toBe("open");
  });

  it("not for calls that prove nothing", async () => {
    const breaker = create();
    await calls(breaker, [F, F, ...Array<CallEnd>(1000).fill("nothing")]);
    expect(breaker.snapshot()).toMatchObject({ state: "closed", calls: 2, failures: 2, inFlight: 0 });
  });
});

/** A breaker that has just opened, and when its probe is due. */
async function opened(settings: Partial<BreakerSettings> = {}): Promise<Breaker> {
  const breaker = create(settings);
  await calls(breaker, [F, F, F]);
  expect(state(breaker)).toBe("open");
  return breaker;
}

async function halfOpened(): Promise<Breaker> {
  const breaker = await opened();
  await pass(BREAKER_DEFAULTS.openForMs);
  expect(state(breaker)).toBe("half-open");
  return breaker;
}

describe("an open breaker", () => {
  it("lets nothing through and says when it will be probed", async () => {
    const breaker = await opened();
    expect(breaker.admit()).toBeUndefined();
    expect(breaker.snapshot()).toMatchObject({ sinceTime: 1_000_000, nextProbeTime: 1_005_000 });
  });

  it("is probed for the first time within openForMs", async () => {
    const breaker = await opened();
    await pass(BREAKER_DEFAULTS.openForMs - 1);
    expect(breaker.admit()).toBeUndefined();
    await pass(1);
    expect(breaker.admit()).toMatchObject({ probe: true });
  });

  it("lets a last resort through, and is closed by none", async () => {
    const breaker = await opened();
    const forced = breaker.admit(true);
    expect(forced).toMatchObject({ probe: false });
    forced?.end(OK, 1);
    await pass(0);
    expect(breaker.snapshot()).toMatchObject({ state: "open", calls: 3, failures: 3 });
  });
});

describe("a half-open breaker", () => {
  it("lets one probe through at a time, and last resorts beside it", async () => {
    const breaker = await halfOpened();
    expect(breaker.admit()).toMatchObject({ probe: true });
    expect(breaker.admit()).toBeUndefined();
    expect(breaker.admit(true)).toMatchObject({ probe: false });
  });

  it("closes when the probe is answered", async () => {
    const breaker = await halfOpened();
    await call(breaker, OK);
    expect(breaker.snapshot()).toMatchObject({ state: "closed", nextProbeTime: null, calls: 0, failures: 0 });
  });

  it("opens when the probe fails, at once", async () => {
    const breaker = await halfOpened();
    breaker.admit()?.end(F, 1);
    expect(breaker.admit()).toBeUndefined();
    expect(state(breaker)).toBe("open");
  });

  it("waits for another probe when the first proves nothing", async () => {
    const breaker = await halfOpened();
    await call(breaker, "nothing");
    expect(state(breaker)).toBe("half-open");
    expect(breaker.admit()).toMatchObject({ probe: true });
  });

  it("is not closed by a call begun before the outage that succeeds late, nor opened by one that fails late", async () => {
    const breaker = create();
    const [good, bad] = [breaker.admit(), breaker.admit()];
    await calls(breaker, [F, F, F]);
    await pass(BREAKER_DEFAULTS.openForMs);
    good?.end(OK, 5_000);
    bad?.end(F, 5_000);
    await pass(0);
    expect(state(breaker)).toBe("half-open");
    expect(breaker.admit()).toMatchObject({ probe: true });
  });

  it("is not decided by a last resort", async () => {
    const breaker = await halfOpened();
    breaker.admit();
    breaker.admit(true)?.end(OK, 1);
    breaker.admit(true)?.end(F, 1);
    await pass(0);
    expect(state(breaker)).toBe("half-open");
  });
});

it("a failure counts whenever it arrives, after the recovery too", async () => {
  const breaker = create();
  const late = [breaker.admit(), breaker.admit(), breaker.admit()];
  await calls(breaker, [F, F, F]);
  await pass(BREAKER_DEFAULTS.openForMs);
  await call(breaker, OK);
  for (const admission of late) admission?.end(F, 6_000);
  await pass(0);
  expect(state(breaker)).toBe("open");
});

describe("the wait", () => {
  /** Until the breaker is half-open. */
  async function waited(breaker: Breaker): Promise<number> {
    const from = performance.now();
    while (state(breaker) === "open") await pass(100);
    return performance.now() - from;
  }

  it("doubles with each probe that fails, up to its bound", async () => {
    const breaker = await opened();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      waits.push(await waited(breaker));
      await call(breaker, F);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it("doubles for a provider that flaps, and there is one cycle per wait", async () => {
    const breaker = await opened();
    const events: string[] = [];
    breaker.onChange(({ to }) => events.push(to));
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      waits.push(await waited(breaker));
      await call(breaker, OK);
      while (state(breaker) === "closed") await call(breaker, F);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(events).toEqual(Array.from({ length: 4 }, () => ["half-open", "closed", "open"]).flat());
  });

  it("is as at first once the breaker has been closed for a window", async () => {
    const breaker = await halfOpened();
    await call(breaker, OK);
    await pass(BREAKER_DEFAULTS.windowMs);
    await calls(breaker, [F, F, F]);
    expect(await waited(breaker)).toBe(5_000);
  });
});

describe("traffic after closing", () => {
  async function closed(): Promise<Breaker> {
    const breaker = await halfOpened();
    await call(breaker, OK);
    return breaker;
  }

  async function admitted(breaker: Breaker, of = 1000): Promise<number> {
    let count = 0;
    for (let i = 0; i < of; i++) if (await call(breaker, OK)) count += 1;
    return count;
  }

  it("ramps from a tenth to all over openForMs", async () => {
    const breaker = await closed();
    expect(await admitted(breaker)).toBe(100);
    await pass(BREAKER_DEFAULTS.openForMs / 2);
    expect(await admitted(breaker)).toBeGreaterThanOrEqual(500);
    expect(await admitted(breaker)).toBeLessThanOrEqual(600);
    await pass(BREAKER_DEFAULTS.openForMs / 2);
    expect(await admitted(breaker)).toBe(1000);
  });

  it("lets last resorts through whatever the ramp", async () => {
    const breaker = await closed();
    expect(Array.from({ length: 20 }, () => breaker.admit(true)).includes(undefined)).toBe(false);
  });
});

describe("listeners", () => {
  it("hear each change until they are disposed", async () => {
    const breaker = create();
    const events: string[] = [];
    const subscription = breaker.onChange(({ from, to }) => events.push(`${from} > ${to}`));
    await calls(breaker, [F, F, F]);
    await pass(BREAKER_DEFAULTS.openForMs);
    subscription[Symbol.dispose]();
    await call(breaker, OK);
    expect(events).toEqual(["closed > open", "open > half-open"]);
  });
});

it("the snapshot tells calls in flight and latencies, once there are enough", async () => {
  const breaker = create();
  breaker.admit();
  for (let ms = 1; ms < 20; ms++) await call(breaker, OK, ms);
  expect(breaker.snapshot()).toMatchObject({ calls: 19, failures: 0, inFlight: 1, p50Ms: null, p99Ms: null });
  await call(breaker, "timed-out", 300);
  await call(breaker, "failed", 9_000);
  expect(breaker.snapshot()).toMatchObject({ p50Ms: 11, p99Ms: 300 });
});

it("an admission ends once", async () => {
  const breaker = create();
  const admission = breaker.admit();
  admission?.end(F, 1);
  admission?.end(F, 1);
  await pass(0);
  expect(breaker.snapshot()).toMatchObject({ calls: 1, inFlight: 0 });
});
