import type { State, StateReason } from "./states.ts";

/** Key owner, crypto officer (another person), security officer, the clock or policy engine, a holder of the recovery role. */
type Actor = "KO" | "CO" | "SO" | "SYS" | "recovery";

/** A state, with its reason where the rule asks for one; `none` before a key exists. */
export type Standpoint = State | `${State}/${StateReason}` | "none";

/** What asks for a transition: mostly a verb of the interface; `date` is a date that has come, `destroyed` the end of a destruction. */
export type TransitionVerb =
  | "create"
  | "activate"
  | "date"
  | "suspend"
  | "resume"
  | "deactivate"
  | "compromise"
  | "archive"
  | "unarchive"
  | "destroy"
  | "cancel-destroy"
  | "destroyed"
  | "make-primary";

export type Transition = {
  /** The row of lifecycle.md § 3. */
  readonly id: `T${number}`;
  readonly verb: TransitionVerb;
  readonly from: readonly Standpoint[];
  readonly to: readonly Standpoint[];
  readonly actors: readonly Actor[];
  /** Whether whoever asks must say why. */
  readonly reason: "required" | "optional" | "automatic";
  /** Persons who must agree; 0 for what must be fast or happens by itself. */
  readonly approvals: 0 | 1 | 2;
  /** Another person than the one who restricted or asked, where the namespace has dual control. */
  readonly otherPerson: boolean;
  readonly reversible: boolean;
};

type Row = readonly [
  id: Transition["id"],
  verb: TransitionVerb,
  from: readonly Standpoint[],
  to: readonly Standpoint[],
  actors: readonly Actor[],
  reason: Transition["reason"],
  approvals: Transition["approvals"],
  ...flags: readonly ("other-person" | "reversible")[],
];

const ENDED = ["deactivated/revoked", "deactivated/expired", "deactivated/superseded"] as const;
const ARCHIVED = "deactivated/archived";
const COMPROMISED = "deactivated/compromised";
const PENDING = "deactivated/destroy-pending";
const REVOKED = ["deactivated/revoked", "deactivated/superseded"] as const;
const SUSPECTED = "suspended/compromise-suspected";
const DESTROYED = ["destroyed/normal", "destroyed/compromised"] as const;

const ROWS: readonly Row[] = [
  ["T1", "create", ["none"], ["generated"], ["KO"], "required", 1],
  ["T2", "activate", ["generated/created", "generated/awaiting-approval"], ["active"], ["KO"], "optional", 1],
  ["T2", "date", ["generated/created"], ["active"], ["SYS"], "automatic", 0],
  ["T3", "compromise", ["generated"], [COMPROMISED], ["SO"], "required", 1],
  ["T4", "destroy", ["generated"], ["destroyed/normal"], ["KO"], "required", 1],
  ["T5", "suspend", ["active"], ["suspended"], ["KO", "SO"], "required", 1, "reversible"],
  // another reason while suspended; the way out of a suspicion asks for as much as T6 does
  ["T6", "suspend", [SUSPECTED], ["suspended"], ["CO"], "required", 2, "other-person", "reversible"],
  ["T5", "suspend", ["suspended"], ["suspended"], ["KO", "SO"], "required", 1, "reversible"],
  ["T6", "resume", [SUSPECTED], ["active"], ["CO"], "required", 2, "other-person", "reversible"],
  ["T6", "resume", ["suspended"], ["active"], ["CO"], "required", 1, "other-person", "reversible"],
  ["T7", "deactivate", ["suspended"], REVOKED, ["KO", "SO"], "required", 1],
  ["T7", "archive", ["suspended"], [ARCHIVED], ["KO", "SO"], "required", 1],
  ["T8", "compromise", ["active", "suspended"], [COMPROMISED], ["SO"], "required", 0],
  ["T9", "date", ["generated/created", "active"], ["deactivated/expired"], ["SYS"], "automatic", 0],
  ["T10", "deactivate", ["active"], ["deactivated/superseded"], ["SYS", "KO", "CO"], "automatic", 0],
  ["T11", "deactivate", ["active"], ["deactivated/revoked"], ["KO", "CO"], "required", 1],
  ["T12", "archive", ENDED, [ARCHIVED], ["KO"], "required", 1, "reversible"],
  ["T12", "unarchive", [ARCHIVED], ENDED, ["recovery"], "required", 1, "other-person", "reversible"],
  ["T13", "compromise", [...ENDED, ARCHIVED], [COMPROMISED], ["SO"], "required", 0],
  [
    ...(["T14", "destroy", [...ENDED, ARCHIVED, COMPROMISED], [PENDING]] as const),
    ...([["KO"], "required", 2, "other-person", "reversible"] as const),
  ],
  [
    "T15",
    "cancel-destroy",
    [PENDING],
    [...ENDED, ARCHIVED, COMPROMISED],
    ["KO", "CO", "SO"],
    "required",
    1,
    "reversible",
  ],
  ["T16", "destroyed", [PENDING], DESTROYED, ["SYS"], "automatic", 0],
  ["T17", "compromise", ["destroyed/normal"], ["destroyed/compromised"], ["SO"], "required", 0],
  // versions only: the role changes, the state does not
  ["T18", "make-primary", ["active"], ["active"], ["KO", "SYS"], "automatic", 1, "reversible"],
];

/** Every transition that exists, for keys and for versions (lifecycle.md § 3). The first row that fits counts. */
export const TRANSITIONS: readonly Transition[] = ROWS.map(
  ([id, verb, from, to, actors, reason, approvals, ...flags]) => ({
    id,
    verb,
    from,
    to,
    actors,
    reason,
    approvals,
    otherPerson: flags.includes("other-person"),
    reversible: flags.includes("reversible"),
  }),
);

/** The row by which a verb leads from one standpoint to another; undefined if there is none. */
export function findTransition(verb: TransitionVerb, from: Standpoint, to: Standpoint): Transition | undefined {
  return TRANSITIONS.find((row) => row.verb === verb && includes(row.from, from) && includes(row.to, to));
}

function includes(standpoints: readonly Standpoint[], standpoint: Standpoint): boolean {
  return standpoints.some((wanted) => wanted === standpoint || standpoint.startsWith(`${wanted}/`));
}
