import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, plan, type PlanInput } from "#policy/plan.ts";
import { forbids } from "#policy/requirements.ts";
import { healthy, provider } from "../unit/policy/facts.ts";

const NAMES = ["a", "b", "c", "d", "e"];
const some = fc.subarray(NAMES, { maxLength: 2 });
const candidates: fc.Arbitrary<readonly Candidate[]> = fc.shuffledSubarray(NAMES).chain((names) =>
  fc
    .tuple(
      ...names.map((name) =>
        fc.record({
          provider: fc.constant(name),
          binding: fc.option(fc.constant(`bnd_${name}`), { nil: undefined, freq: 5 }),
          facts: fc.record({
            failureDomain: fc.constantFrom("x", "y", name),
            jurisdiction: fc.constantFrom("EU", "US", null),
            protection: fc.constantFrom("hsm" as const, "software" as const),
          }),
          usable: fc.boolean(),
          quarantined: fc.boolean(),
          drained: fc.boolean(),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
          health: fc.record({
            state: fc.constantFrom("closed" as const, "open" as const, "half-open" as const),
            p99Ms: fc.option(fc.integer({ min: 0, max: 5000 }), { nil: null }),
            nextProbeTime: fc.option(fc.integer({ min: 0, max: 100 }), { nil: null }),
          }),
        }),
      ),
    )
    .map((list) =>
      list.map((one) => ({ ...one, facts: provider(one.provider, one.facts), health: healthy(one.health) })),
    ),
);
const input: fc.Arbitrary<PlanInput> = fc.record({
  kind: fc.constantFrom("load" as const, "write" as const),
  candidates,
  require: fc.constantFrom({}, { jurisdiction: ["EU"] }, { recipientProtection: "hsm" as const }),
  needed: fc.integer({ min: 1, max: 3 }),
  remainingMs: fc.integer({ min: 0, max: 5000 }),
  assume: fc.record({ down: some, drained: some, throttled: some }),
  draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const names = (list: readonly { readonly provider: string }[]): readonly string[] => list.map((one) => one.provider);
/** Whom only a breaker, real or assumed, can keep from being asked. */
const free = ({ candidates: all, require, assume, kind }: PlanInput): readonly Candidate[] =>
  all.filter(
    (one) =>
      (kind === "write" || one.binding !== undefined) &&
      forbids(require, one.facts) === undefined &&
      one.usable &&
      !one.quarantined &&
      !one.drained &&
      ![...assume.drained, ...assume.throttled].includes(one.provider),
  );

describe("whatever the health, a plan", () => {
  it("never asks a provider that a requirement forbids", () => {
    fc.assert(
      fc.property(input, (given) => {
        const forbidden = given.candidates.filter((one) => forbids(given.require, one.facts) !== undefined);
        expect(names(plan(given).attempts).filter((name) => names(forbidden).includes(name))).toEqual([]);
      }),
    );
  });

  it("to load never leaves the holders", () => {
    fc.assert(
      fc.property(input, (given) => {
        const bindings = new Set(given.candidates.map(({ binding }) => binding));
        bindings.delete(undefined);
        for (const { binding } of plan({ ...given, kind: "load" }).attempts) expect(bindings).toContain(binding);
      }),
    );
  });

  it("asks nobody whom anything but a breaker stands against", () => {
    fc.assert(
      fc.property(input, (given) => {
        expect(names(free(given))).toEqual(expect.arrayContaining([...names(plan(given).attempts)]));
      }),
    );
  });

  it("never loses the last candidate to breakers alone", () => {
    fc.assert(
      fc.property(input, (given) => {
        expect(plan(given).attempts.length > 0).toBe(free(given).length > 0);
      }),
    );
  });

  it("to write reaches its minimum of failure domains wherever breakers alone are in the way", () => {
    const domains = (list: readonly string[], of: readonly Candidate[]): number =>
      new Set(of.filter((one) => list.includes(one.provider)).map(({ facts }) => facts.failureDomain)).size;
    fc.assert(
      fc.property(input, (drawn) => {
        const given = { ...drawn, kind: "write" as const };
        const possible = domains(NAMES, free(given));
        const reached = domains(names(plan(given).attempts), given.candidates);
        expect(reached).toBeGreaterThanOrEqual(Math.min(given.needed, possible));
      }),
    );
  });

  it("names everybody once: asked, or refused with a reason", () => {
    fc.assert(
      fc.property(input, (given) => {
        const planned = plan(given);
        const all = [...names(planned.attempts), ...names(planned.refused)];
        expect(all.toSorted()).toEqual(names(given.candidates).toSorted());
      }),
    );
  });

  it("keeps the order of the placement among providers of equal health", () => {
    fc.assert(
      fc.property(input, (given) => {
        const equal = given.candidates.map((one) => ({ ...one, share: 1, health: healthy() }));
        const order = names(
          plan({ ...given, candidates: equal, assume: { down: [], drained: [], throttled: [] } }).attempts,
        );
        expect(order).toEqual(names(equal).filter((name) => order.includes(name)));
      }),
    );
  });

  it("is the same for the same input, and its attempts end before the deadline", () => {
    fc.assert(
      fc.property(input, (given) => {
        const planned = plan(given);
        expect(plan(given)).toEqual(planned);
        const times = planned.attempts.map(({ timeoutMs }) => timeoutMs);
        const total = given.kind === "write" ? Math.max(0, ...times) : times.reduce((sum, ms) => sum + ms, 0);
        expect(total).toBeLessThanOrEqual(
          Math.max(given.remainingMs - Math.min(100, given.remainingMs / 10), times.length),
        );
        expect(times.every((ms) => ms >= 1 && ms <= 1500)).toBe(true);
      }),
    );
  });
});
