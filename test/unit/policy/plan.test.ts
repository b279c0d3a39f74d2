import { describe, expect, it } from "vitest";
import { type Assumptions, type Candidate, NO_ASSUMPTIONS, plan, type PlanInput } from "#policy/plan.ts";
import { candidate, healthy, provider } from "./facts.ts";

const load = (candidates: readonly Candidate[], part: Partial<PlanInput> = {}) =>
  plan({ kind: "load", candidates, require: {}, needed: 1, remainingMs: 2000, assume: NO_ASSUMPTIONS, ...part });
const write = (candidates: readonly Candidate[], part: Partial<PlanInput> = {}) =>
  load(candidates, { kind: "write", needed: 2, ...part });
const asked = ({ attempts }: ReturnType<typeof plan>) => attempts.map((attempt) => attempt.provider);
const because = ({ refused }: ReturnType<typeof plan>) => refused.map((one) => `${one.provider}: ${one.because}`);
const open = (nextProbeTime: number) => healthy({ state: "open", nextProbeTime });
const assuming = (part: Partial<Assumptions>): Pick<PlanInput, "assume"> => ({
  assume: { ...NO_ASSUMPTIONS, ...part },
});

describe("a plan to load", () => {
  it("asks the holders one after another, in the order of the placement", () => {
    const planned = load([candidate("a"), candidate("b"), candidate("c")]);
    expect(planned).toMatchObject({ needed: 1, parallel: 1, refused: [], lastResort: false });
    expect(asked(planned)).toEqual(["a", "b", "c"]);
    expect(planned.attempts[0]?.binding).toBe("bnd_a");
  });

  it("of nobody asks nobody", () => {
    expect(load([])).toEqual({ needed: 1, parallel: 0, attempts: [], refused: [], lastResort: false });
  });

  it("asks a half-open provider after the closed ones, and one that is given back in part after those", () => {
    const half = candidate("a", { health: healthy({ state: "half-open" }) });
    const back = candidate("b", { share: 0.1 });
    expect(asked(load([back, half, candidate("c"), candidate("d")], { draw: 0.5 }))).toEqual(["c", "d", "a", "b"]);
  });

  it("gives a share its part of the draws", () => {
    const back = candidate("a", { share: 0.1 });
    const first = [0, 0.05, 0.0999, 0.1, 0.5, 0.99].map((draw) => asked(load([back, candidate("b")], { draw }))[0]);
    expect(first).toEqual(["a", "a", "a", "b", "b", "b"]);
  });

  it("asks a provider whose share is low all the same when it is the only one", () => {
    expect(asked(load([candidate("a", { share: 0 })], { draw: 0.9 }))).toEqual(["a"]);
  });
});

describe("a refusal", () => {
  const require = { jurisdiction: ["EU"], recipientProtection: "hsm" } as const;

  it.for<{ name: string; part: Partial<Candidate>; input?: Partial<PlanInput>; reason: string }>([
    { name: "nothing held", part: { binding: undefined }, reason: "not-a-holder" },
    { name: "something lacking", part: { lacks: "no key wrapping" }, reason: "capability" },
    {
      name: "a jurisdiction",
      part: { facts: provider("x", { jurisdiction: "US" }) },
      input: { require },
      reason: "jurisdiction",
    },
    {
      name: "software",
      part: { facts: provider("x", { protection: "software" }) },
      input: { require },
      reason: "protection",
    },
    { name: "a quarantine", part: { quarantined: true }, reason: "quarantine" },
    { name: "not being opened", part: { usable: false }, reason: "state" },
    { name: "a drain", part: { drained: true }, reason: "drained" },
    { name: "an assumed drain", part: {}, input: assuming({ drained: ["x"] }), reason: "assumed" },
    { name: "assumed throttling", part: {}, input: assuming({ throttled: ["x"] }), reason: "assumed" },
  ])("for $name is absolute, for the last one too: $reason", ({ part, input, reason }) => {
    const planned = load([candidate("x", part)], input);
    expect(planned).toMatchObject({ attempts: [], lastResort: false });
    expect(because(planned)).toEqual([`x: ${reason}`]);
  });

  it("says why in words", () => {
    const us = candidate("x", { facts: provider("x", { jurisdiction: "US" }) });
    expect(load([us], { require }).refused[0]?.detail).toBe("wanted jurisdiction EU, it is US");
  });

  it("for an open breaker lets the others go on", () => {
    const planned = load([candidate("a", { health: open(9) }), candidate("b")]);
    expect([asked(planned), because(planned), planned.lastResort]).toEqual([["b"], ["a: breaker-open"], false]);
  });

  it("by assumption acts as an open breaker", () => {
    const planned = load([candidate("a"), candidate("b")], assuming({ down: ["a"] }));
    expect([asked(planned), because(planned)]).toEqual([["b"], ["a: breaker-open"]]);
    expect(load([candidate("a")], assuming({ down: ["a"] }))).toMatchObject({ lastResort: true, refused: [] });
  });
});

describe("the last resort", () => {
  it("keeps the provider that is probed soonest when breakers alone leave nobody", () => {
    const planned = load([
      candidate("a", { health: open(20) }),
      candidate("b", { health: open(10) }),
      candidate("c", { drained: true, health: open(1) }),
    ]);
    expect([asked(planned), planned.lastResort]).toEqual([["b"], true]);
    expect(because(planned)).toEqual(["a: breaker-open", "c: drained"]);
  });

  it("takes a provider that is open over one that is only assumed to be down", () => {
    const planned = load([candidate("a"), candidate("b", { health: open(10) })], assuming({ down: ["a"] }));
    expect(asked(planned)).toEqual(["b"]);
  });

  it("is what a lone half-open provider is, so that more than its probe gets through", () => {
    expect(load([candidate("a", { health: healthy({ state: "half-open" }) })]).lastResort).toBe(true);
  });

  it("brings a write to its minimum with the fewest providers behind breakers, each of another domain", () => {
    const rack = provider("b", { failureDomain: "a" });
    const planned = write([
      candidate("a"),
      candidate("b", { facts: rack, health: open(1) }),
      candidate("c", { health: open(3) }),
      candidate("d", { health: open(2) }),
    ]);
    expect([asked(planned), planned.lastResort]).toEqual([["a", "d"], true]);
    expect(because(planned)).toEqual(["b: breaker-open", "c: breaker-open"]);
  });
});

describe("a plan to write", () => {
  it("asks everybody at once, each with the whole time", () => {
    const planned = write([candidate("a"), candidate("b"), candidate("c")], { remainingMs: 1000 });
    expect(planned).toMatchObject({ needed: 2, parallel: 3 });
    expect(planned.attempts.map(({ timeoutMs }) => timeoutMs)).toEqual([900, 900, 900]);
  });

  it("needs no binding", () => {
    expect(asked(write([candidate("a", { binding: undefined })], { needed: 1 }))).toEqual(["a"]);
  });
});

describe("the time of an attempt", () => {
  const timeouts = (p99s: readonly (number | null)[], remainingMs = 100_000) =>
    load(
      p99s.map((p99Ms, index) => candidate(String(index), { health: healthy({ p99Ms }) })),
      { remainingMs },
    ).attempts.map(({ timeoutMs }) => timeoutMs);

  it.for([
    { name: "three times the p99", p99: 200, timeoutMs: 600 },
    { name: "at least 100 ms", p99: 5, timeoutMs: 100 },
    { name: "at most 1,500 ms", p99: 5000, timeoutMs: 1500 },
    { name: "1,500 ms while the p99 is unknown", p99: null, timeoutMs: 1500 },
  ])("is $name", ({ p99, timeoutMs }) => {
    expect(timeouts([p99])).toEqual([timeoutMs]);
  });

  it("is an even part of what is left, and what the fast ones leave goes to the slow ones", () => {
    expect(timeouts([null, null, null], 1000)).toEqual([300, 300, 300]);
    expect(timeouts([40, null, null], 1000)).toEqual([120, 390, 390]);
  });

  it("ends 100 ms before the deadline, or a tenth of a short time before it, and is never nothing", () => {
    expect(timeouts([null], 1500)).toEqual([1400]);
    expect(timeouts([null], 600)).toEqual([540]);
    expect(timeouts([null, null], 50)).toEqual([22, 23]);
    expect(timeouts([null, null], 0)).toEqual([1, 1]);
  });

  it("is not shortened for candidates that are refused", () => {
    const planned = load([candidate("a", { drained: true }), candidate("b")], { remainingMs: 1000 });
    expect(planned.attempts.map(({ timeoutMs }) => timeoutMs)).toEqual([900]);
  });
});
