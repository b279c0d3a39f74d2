import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import type { Lifecycle } from "#core/records.ts";
import { type LifecycleVerb, requireForwardDates, transition } from "#core/state-machine.ts";
import { lifecycle } from "./records.ts";

const NOW = 1_000_000;
const LATER = NOW + 86_400_000;

/** A short form of a lifecycle: `suspended/hold deny`, `deactivated/archived <revoked`. */
function parse(text: string): Lifecycle {
  const [standpoint = "", ...rest] = text.split(" ");
  const [state, stateReason = null] = standpoint.split("/");
  const processing = rest.find((word) => word === "allow" || word === "deny") ?? null;
  const previousReason = rest.find((word) => word.startsWith("<"))?.slice(1) ?? null;
  const destroyTime = stateReason === "destroy-pending" ? LATER : null;
  return lifecycle({ state, stateReason, processing, previousReason, destroyTime } as Partial<Lifecycle>);
}

function print({ state, stateReason, processing, previousReason }: Lifecycle): string {
  const words = [stateReason === null ? state : `${state}/${stateReason}`, processing];
  return [...words, previousReason === null ? null : `<${previousReason}`].filter((word) => word !== null).join(" ");
}

function answer(from: string | Lifecycle, verb: LifecycleVerb, now = NOW): string {
  try {
    const outcome = transition(typeof from === "string" ? parse(from) : from, verb, now);
    return outcome.kind === "unchanged" ? "unchanged" : `${outcome.rule.id} ${print(outcome.next)}`;
  } catch (error) {
    if (error instanceof KmsError) return error.code;
    throw error;
  }
}

const FROM = [
  "generated/created",
  "generated/awaiting-material",
  "active",
  "suspended/rotation allow",
  "suspended/compromise-suspected deny",
  "deactivated/expired",
  "deactivated/revoked",
  "deactivated/superseded",
  "deactivated/archived <revoked",
  "deactivated/compromised",
  "deactivated/destroy-pending <revoked",
  "destroyed/normal",
  "destroyed/compromised",
];
const NO = "ILLEGAL_TRANSITION";
const SAME = "unchanged";
const DYING = "deactivated/destroy-pending";

/** Every verb from every standpoint, in the order of FROM. */
const CASES: readonly { name: string; verb: LifecycleVerb; to: readonly string[]; now?: number }[] = [
  {
    name: "activate",
    verb: { kind: "activate" },
    to: ["T2 active", NO, SAME, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO],
  },
  {
    name: "suspend",
    verb: { kind: "suspend", reason: "hold" },
    to: [
      NO,
      NO,
      "T5 suspended/hold deny",
      "T5 suspended/hold deny",
      "T6 suspended/hold deny",
      NO,
      NO,
      NO,
      NO,
      NO,
      NO,
      NO,
      NO,
    ],
  },
  {
    name: "resume",
    verb: { kind: "resume" },
    to: [NO, NO, SAME, "T6 active", "T6 active", NO, NO, NO, NO, NO, NO, NO, NO],
  },
  {
    name: "revoke",
    verb: { kind: "deactivate", reason: "revoked" },
    to: [
      NO,
      NO,
      "T11 deactivated/revoked",
      "T7 deactivated/revoked",
      "T7 deactivated/revoked",
      NO,
      SAME,
      NO,
      NO,
      NO,
      NO,
      NO,
      NO,
    ],
  },
  {
    name: "supersede",
    verb: { kind: "deactivate", reason: "superseded" },
    to: [
      NO,
      NO,
      "T10 deactivated/superseded",
      "T7 deactivated/superseded",
      "T7 deactivated/superseded",
      NO,
      NO,
      SAME,
      NO,
      NO,
      NO,
      NO,
      NO,
    ],
  },
  {
    name: "compromise",
    verb: { kind: "compromise" },
    to: [
      ...["T3", "T3", "T8", "T8", "T8", "T13", "T13", "T13", "T13"].map((id) => `${id} deactivated/compromised`),
      SAME,
      NO,
      "T17 destroyed/compromised",
      SAME,
    ],
  },
  {
    name: "archive",
    verb: { kind: "archive" },
    to: [
      NO,
      NO,
      NO,
      "T7 deactivated/archived",
      "T7 deactivated/archived",
      ...["expired", "revoked", "superseded"].map((reason) => `T12 deactivated/archived <${reason}`),
      SAME,
      NO,
      NO,
      NO,
      NO,
    ],
  },
  {
    name: "unarchive",
    verb: { kind: "unarchive" },
    to: [NO, NO, NO, NO, NO, NO, NO, NO, "T12 deactivated/revoked", NO, NO, NO, NO],
  },
  {
    name: "destroy",
    verb: { kind: "destroy", destroyTime: LATER },
    to: [
      "T4 destroyed/normal",
      "T4 destroyed/normal",
      NO,
      NO,
      NO,
      ...["expired", "revoked", "superseded", "archived", "compromised"].map((reason) => `T14 ${DYING} <${reason}`),
      SAME,
      NO,
      NO,
    ],
  },
  {
    name: "cancel-destroy",
    verb: { kind: "cancel-destroy" },
    to: [NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, "T15 deactivated/revoked", NO, NO],
  },
  {
    name: "destroyed, after the window",
    verb: { kind: "destroyed" },
    to: [NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, "T16 destroyed/normal", SAME, SAME],
    now: LATER,
  },
  {
    name: "make-primary",
    verb: { kind: "make-primary" },
    to: [NO, NO, SAME, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO],
  },
  {
    name: "date, where none has come",
    verb: { kind: "date" },
    to: FROM.map(() => SAME),
  },
];

describe.for(CASES)("$name", ({ verb, to: outcomes, now }) => {
  it.for(FROM.map((from, i) => ({ from, to: outcomes[i] })))("from $from: $to", ({ from, to }) => {
    expect(answer(from, verb, now)).toBe(to);
  });
});

describe("suspending again", () => {
  const suspend = (reason: "rotation" | "hold" | "distribution", processing?: "allow" | "deny"): LifecycleVerb => ({
    kind: "suspend",
    reason,
    ...(processing !== undefined && { processing }),
  });

  it.for([
    { from: "suspended/hold deny", verb: suspend("hold"), to: "unchanged" },
    { from: "suspended/hold allow", verb: suspend("hold"), to: "unchanged" },
    { from: "suspended/hold deny", verb: suspend("rotation"), to: "T5 suspended/rotation deny" },
    { from: "suspended/rotation allow", verb: suspend("distribution"), to: "T5 suspended/distribution allow" },
    { from: "suspended/rotation allow", verb: suspend("rotation", "deny"), to: "T5 suspended/rotation deny" },
    { from: "suspended/hold deny", verb: suspend("rotation", "allow"), to: "ILLEGAL_TRANSITION" },
    { from: "active", verb: suspend("hold", "allow"), to: "T5 suspended/hold allow" },
  ])("$from by $verb.reason: $to", ({ from, verb, to }) => {
    expect(answer(from, verb)).toBe(to);
  });
});

describe("a date that has come", () => {
  const born = lifecycle({ state: "generated", stateReason: "created", activateTime: NOW });

  it("is written down by the clock", () => {
    expect(answer(born, { kind: "date" })).toBe("T2 active");
    expect(answer(lifecycle({ deactivateTime: NOW }), { kind: "date" })).toBe("T9 deactivated/expired");
    expect(answer({ ...born, deactivateTime: NOW }, { kind: "date" })).toBe("T9 deactivated/expired");
  });

  it("counts for every verb before it is written down", () => {
    expect(answer(born, { kind: "activate" })).toBe("unchanged");
    expect(answer(born, { kind: "destroy", destroyTime: LATER })).toBe("ILLEGAL_TRANSITION");
    expect(answer(lifecycle({ deactivateTime: NOW }), { kind: "archive" })).toBe("T12 deactivated/archived <expired");
  });
});

describe("the window of a destruction", () => {
  const dying = parse("deactivated/destroy-pending <compromised");

  it("can be left until it ends, and not destroyed within", () => {
    expect(answer(dying, { kind: "cancel-destroy" }, LATER - 1)).toBe("T15 deactivated/compromised");
    expect(answer(dying, { kind: "cancel-destroy" }, LATER)).toBe("ILLEGAL_TRANSITION");
    expect(answer(dying, { kind: "destroyed" }, LATER - 1)).toBe("ILLEGAL_TRANSITION");
  });

  it("ends as compromised for what was compromised", () => {
    expect(answer(dying, { kind: "destroyed" }, LATER)).toBe("T16 destroyed/compromised");
  });
});

describe("the dates of a record", () => {
  const next = (from: Lifecycle, verb: LifecycleVerb): Lifecycle => {
    const outcome = transition(from, verb, NOW);
    return outcome.kind === "changed" ? outcome.next : from;
  };

  it("say when it was activated by hand", () => {
    const early = lifecycle({ state: "generated", stateReason: "created", activateTime: LATER });
    expect(next(early, { kind: "activate" })).toMatchObject({ activateTime: NOW });
  });

  it("end no later than the key", () => {
    const dated = lifecycle({ protectStopTime: LATER, deactivateTime: LATER });
    const ended = { protectStopTime: NOW, deactivateTime: NOW };
    expect(next(dated, { kind: "deactivate", reason: "revoked" })).toMatchObject(ended);
    expect(next(lifecycle({ protectStopTime: 1 }), { kind: "compromise" })).toMatchObject({ protectStopTime: 1 });
  });

  it("keep when a compromise happened, which is not in the future", () => {
    expect(next(lifecycle(), { kind: "compromise", occurrenceTime: 5 })).toMatchObject({ compromiseOccurrenceTime: 5 });
    expect(answer("active", { kind: "compromise", occurrenceTime: NOW + 1 })).toBe("INVALID_ARGUMENT");
  });

  it("say until when a destruction can be cancelled, and then that it was", () => {
    const dying = next(parse("deactivated/revoked"), { kind: "destroy", destroyTime: LATER });
    expect(dying.destroyTime).toBe(LATER);
    expect(next(dying, { kind: "cancel-destroy" }).destroyTime).toBeNull();
  });
});

it("an illegal transition names verb, state and reason", () => {
  expect(() => transition(parse("suspended/hold deny"), { kind: "activate" }, NOW)).toThrow(
    expect.objectContaining({
      publicMessage: "activate is not possible while the key is suspended (hold)",
      metadata: { verb: "activate", state: "suspended", stateReason: "hold" },
    }) as Error,
  );
});

describe("new dates", () => {
  const change = (before: Partial<Lifecycle>, dates: Partial<Lifecycle>): string => {
    try {
      const old = lifecycle(before);
      requireForwardDates(old, { ...old, ...dates }, NOW);
      return "fine";
    } catch (error) {
      return error instanceof KmsError ? error.code : "other";
    }
  };
  const generated = { state: "generated", stateReason: "created" } as const;
  const awaiting = { state: "generated", stateReason: "awaiting-material" } as const;

  it.for([
    { name: "a first deactivation", before: {}, dates: { deactivateTime: LATER }, to: "fine" },
    { name: "a deactivation in the past", before: {}, dates: { deactivateTime: 5 }, to: "fine" },
    {
      name: "another deactivation to come",
      before: { deactivateTime: LATER },
      dates: { deactivateTime: null },
      to: "fine",
    },
    {
      name: "an earlier activation",
      before: { ...generated, activateTime: LATER },
      dates: { activateTime: 5 },
      to: "fine",
    },
    {
      name: "a later beginning of what awaits its material",
      before: { ...awaiting, activateTime: 5 },
      dates: { activateTime: LATER },
      to: "fine",
    },
    { name: "the same dates", before: { deactivateTime: 5, protectStopTime: 5 }, dates: {}, to: "fine" },
    {
      name: "no more expiry of an expired key",
      before: { deactivateTime: NOW },
      dates: { deactivateTime: null },
      to: NO,
    },
    {
      name: "a later stop after the stop",
      before: { protectStopTime: NOW },
      dates: { protectStopTime: LATER },
      to: NO,
    },
    { name: "a later beginning of an active key", before: {}, dates: { activateTime: LATER }, to: NO },
    {
      name: "no beginning after the beginning",
      before: { ...generated, activateTime: 5 },
      dates: { activateTime: null },
      to: NO,
    },
    {
      name: "an end of protection at the beginning",
      before: { ...generated, activateTime: LATER },
      dates: { protectStopTime: LATER },
      to: "INVALID_ARGUMENT",
    },
    {
      name: "an end before the beginning",
      before: { ...generated, activateTime: LATER },
      dates: { deactivateTime: 5 },
      to: "INVALID_ARGUMENT",
    },
    {
      name: "an end of protection after the end",
      before: {},
      dates: { protectStopTime: LATER, deactivateTime: LATER - 1 },
      to: "INVALID_ARGUMENT",
    },
  ])("$name: $to", ({ before, dates, to }) => {
    expect(change(before, dates)).toBe(to);
  });
});
