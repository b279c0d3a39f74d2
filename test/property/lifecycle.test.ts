import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gate } from "#core/gate.ts";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import type { KeyRecord, Lifecycle } from "#core/records.ts";
import { type LifecycleVerb, transition } from "#core/state-machine.ts";
import { STATE_REASONS, STATES, type StateReason } from "#core/states.ts";
import { keyRecord, versionRecord } from "../unit/core/records.ts";

const HORIZON = 1_000;
const time = fc.integer({ min: 0, max: HORIZON });
const date = fc.option(time, { nil: null });
const dates = fc.record({ activateTime: date, protectStopTime: date, deactivateTime: date });
const operations = Object.keys(KEY_OPERATIONS) as KeyOperation[];
const recovery = fc.boolean();
const processing = fc.constantFrom("allow" as const, "deny" as const);

const standing = fc.constantFrom(...STATES).chain((state) =>
  fc.record({
    state: fc.constant(state),
    stateReason: state === "active" ? fc.constant(null) : fc.constantFrom<StateReason>(...STATE_REASONS[state]),
    processing: state === "suspended" ? processing : fc.constant(null),
  }),
);
const anyKey = fc.tuple(standing, dates).map(([state, when]) => keyRecord({ ...state, ...when }));

const verb = fc.oneof(
  fc.constantFrom<LifecycleVerb>(
    ...(["activate", "resume", "archive", "unarchive", "cancel-destroy", "date", "destroyed"] as const).map((kind) => ({
      kind,
    })),
  ),
  fc.record({
    kind: fc.constant("suspend" as const),
    reason: fc.constantFrom(...STATE_REASONS.suspended),
    processing,
  }),
  fc.record({
    kind: fc.constant("deactivate" as const),
    reason: fc.constantFrom("revoked" as const, "superseded" as const),
  }),
  fc.constant<LifecycleVerb>({ kind: "compromise" }),
  fc.record({ kind: fc.constant("destroy" as const), destroyTime: time }),
);

function allowed(key: KeyRecord, operation: KeyOperation, now: number, withRecovery: boolean): boolean {
  return gate({ key, version: versionRecord(), operation, now, recovery: withRecovery }).allowed;
}

function allAllowed(key: KeyRecord, now: number, withRecovery: boolean): readonly KeyOperation[] {
  return operations.filter((operation) => allowed(key, operation, now, withRecovery));
}

/** The edges of lifecycle.md § 3 by hand; between reasons of one state where the standard tells them apart. */
const EDGES = new Set([
  "generated > active",
  "generated > compromised",
  "generated > destroyed",
  "generated > expired",
  "active > suspended",
  "suspended > suspended",
  "suspended > active",
  ...["revoked", "superseded", "archived", "compromised"].map((to) => `suspended > ${to}`),
  ...["revoked", "superseded", "expired", "compromised"].map((to) => `active > ${to}`),
  ...["expired", "revoked", "superseded"].flatMap((ended) => [
    `${ended} > archived`,
    `archived > ${ended}`,
    `${ended} > compromised`,
  ]),
  "archived > compromised",
  ...["expired", "revoked", "superseded", "archived", "compromised"].flatMap((ended) => [
    `${ended} > destroy-pending`,
    `destroy-pending > ${ended}`,
  ]),
  "destroy-pending > destroyed",
  "destroyed > destroyed",
]);

const node = ({ state, stateReason }: Lifecycle): string => (state === "deactivated" ? String(stateReason) : state);

/** Runs verbs one after another; refused ones change nothing. Answers every step that changed something. */
function walk(start: KeyRecord, steps: readonly (readonly [LifecycleVerb, number])[]) {
  let current = start;
  return steps.flatMap(([wanted, now]) => {
    try {
      const outcome = transition(current, wanted, now);
      if (outcome.kind === "unchanged") return [];
      const step = { from: current, to: outcome.next, verb: wanted, now };
      current = outcome.next;
      return [step];
    } catch {
      return [];
    }
  });
}

const steps = fc
  .array(fc.tuple(verb, time), { maxLength: 25 })
  .map((list) => list.map(([wanted, at], i, all) => [wanted, at + (i * HORIZON) / all.length] as const));
const born = dates.map((when) => keyRecord({ state: "generated", stateReason: "created", ...when }));

describe("any sequence of verbs", () => {
  it("goes only along the transitions of the standard", () => {
    fc.assert(
      fc.property(born, steps, (key, list) => {
        for (const { from, to, verb: done, now } of walk(key, list)) {
          const settled = transition(from, { kind: "date" }, now);
          const start = done.kind !== "date" && settled.kind === "changed" ? settled.next : from;
          expect(EDGES).toContain(`${node(start)} > ${node(to)}`);
        }
      }),
    );
  });

  it("never leaves destroyed, and reaches it only after the window or before the first use", () => {
    fc.assert(
      fc.property(born, steps, (key, list) => {
        for (const { from, to, now } of walk(key, list)) {
          if (from.state === "destroyed") expect(to.state).toBe("destroyed");
          else if (to.state === "destroyed") {
            const over = from.stateReason === "destroy-pending" && now >= (from.destroyTime ?? Infinity);
            expect(over || from.state === "generated").toBe(true);
          }
        }
      }),
    );
  });

  it("never gives back what a compromise took", () => {
    fc.assert(
      fc.property(born, steps, (key, list) => {
        let seen = false;
        for (const { to, now } of walk(key, list)) {
          seen ||= to.stateReason === "compromised";
          if (seen) expect(allAllowed(to, now, false)).toEqual([]);
        }
      }),
    );
  });

  it("allows more after a step only where the step is one that loosens", () => {
    const loosening = new Set(["activate", "date", "resume", "unarchive", "cancel-destroy"]);
    // ending a suspended key lets what exists be opened again (lifecycle.md § 2, T7)
    const ending = new Set(["deactivate", "archive", "compromise"]);
    fc.assert(
      fc.property(born, steps, recovery, (key, list, withRecovery) => {
        for (const { from, to, verb: done, now } of walk(key, list)) {
          if (loosening.has(done.kind) || (from.state === "suspended" && ending.has(done.kind))) continue;
          if (from.state === "generated" && done.kind === "compromise") continue; // recovery of what was never used
          const before = new Set(allAllowed(from, now, withRecovery));
          expect(allAllowed(to, now, withRecovery).filter((operation) => !before.has(operation))).toEqual([]);
        }
      }),
    );
  });
});

/** The order of restriction: each standing with those that are one step less strict. */
const LESS_STRICT: readonly (readonly [Partial<Lifecycle>, readonly Partial<Lifecycle>[]])[] = (() => {
  const suspended = (p: "allow" | "deny") => ({ state: "suspended", stateReason: "hold", processing: p }) as const;
  const ended = (stateReason: StateReason) => ({ state: "deactivated", stateReason }) as const;
  const normally = [ended("expired"), ended("revoked"), ended("superseded")];
  return [
    [suspended("allow"), [{}]],
    [suspended("deny"), [suspended("allow")]],
    ...normally.map((one) => [one, [{}]] as const),
    [ended("archived"), normally],
    [ended("compromised"), [ended("archived")]],
    [ended("destroy-pending"), [ended("compromised"), suspended("deny")]],
    [{ state: "generated", stateReason: "created" }, [{}, suspended("deny")]],
    [{ state: "destroyed", stateReason: "normal" }, [ended("destroy-pending")]],
    [{ state: "destroyed", stateReason: "compromised" }, [{ state: "destroyed", stateReason: "normal" }]],
  ];
})();

describe("the gate", () => {
  it("never allows more in a stricter state", () => {
    const pairs = LESS_STRICT.flatMap(([strict, looser]) => looser.map((one) => [strict, one] as const));
    fc.assert(
      fc.property(fc.constantFrom(...pairs), time, recovery, (pair, now, withRecovery) => {
        const [strict, looser] = pair.map((part) => allAllowed(keyRecord(part), now, withRecovery));
        expect(looser).toEqual(expect.arrayContaining([...(strict ?? [])]));
      }),
    );
  });

  it("never allows more because of a date, but for the beginning", () => {
    fc.assert(
      fc.property(anyKey, time, recovery, (key, now, withRecovery) => {
        const undated = { ...key, protectStopTime: null, deactivateTime: null };
        expect(allAllowed(undated, now, withRecovery)).toEqual(
          expect.arrayContaining([...allAllowed(key, now, withRecovery)]),
        );
      }),
    );
  });

  it("never allows more because time goes by, once a key has begun", () => {
    fc.assert(
      fc.property(anyKey, time, time, recovery, (key, one, other, withRecovery) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map((now) => now * 200);
        const started = { ...key, activateTime: null };
        expect(allAllowed(started, early ?? 0, withRecovery)).toEqual(
          expect.arrayContaining([...allAllowed(started, late ?? 0, withRecovery)]),
        );
      }),
    );
  });

  it("allows nothing on a held key", () => {
    const hold = { binding: null, class: "disabled", since: 0, evidence: "" };
    fc.assert(
      fc.property(anyKey, time, (key, now) => {
        expect(allAllowed({ ...key, hold }, now, true)).toEqual([]);
      }),
    );
  });

  it("allows no version more than its key", () => {
    fc.assert(
      fc.property(anyKey, standing, time, recovery, (key, state, now, withRecovery) => {
        const ofKey = allAllowed(key, now, withRecovery);
        const both = operations.filter(
          (operation) => gate({ key, version: versionRecord(state), operation, now, recovery: withRecovery }).allowed,
        );
        expect(ofKey).toEqual(expect.arrayContaining(both));
      }),
    );
  });
});
