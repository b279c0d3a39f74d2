import { effectiveLifecycle, primaryVersionAt } from "./effective-lifecycle.ts";
import { KEY_OPERATIONS, type KeyOperation } from "./purposes.ts";
import type { Hold, KeyRecord, Lifecycle, VersionRecord } from "./records.ts";

/** How much clocks may differ when something made before is opened; nothing when something new is made (lifecycle.md § 4). */
const PROCESS_LEEWAY_MS = 60_000;

type GateInput = {
  readonly key: KeyRecord;
  /** Undefined where the version is not known yet: the key alone then answers, and nothing may be protected. */
  readonly version: VersionRecord | undefined;
  readonly operation: KeyOperation;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The caller has the recovery role and gives a reason. */
  readonly recovery?: boolean;
};

export type GateRefusal = {
  readonly allowed: false;
  readonly code: "KEY_NOT_ACTIVE" | "VERSION_NOT_USABLE" | "KEY_HELD" | "KEY_DESTROYED";
  /** For the caller: lower case, no full stop; its variable parts are in the metadata. */
  readonly detail: string;
  readonly metadata: Readonly<Record<string, string>>;
};

export type GateVerdict = { readonly allowed: true } | GateRefusal;

/**
 * Answers whether an operation may run now: state and reason, dates, holds. The key's state caps the version's.
 *
 * Refuses, in this order: a destroyed key (`KEY_DESTROYED`), a held one (`KEY_HELD`), a key whose state or dates forbid it
 * (`KEY_NOT_ACTIVE`), and a version that forbids it or, when protecting, is not the primary one (`VERSION_NOT_USABLE`).
 *
 * @see lifecycle.md § 2 and § 4; keys.md, States
 */
export function gate(input: GateInput): GateVerdict {
  const { key, version, operation, now } = input;
  if (key.state === "destroyed") return refusal("KEY_DESTROYED", "the key is destroyed", { keyId: key.id });
  if (key.hold !== null) return held(key, key.hold);
  const ofKey = objection(key, input);
  if (ofKey !== undefined) return refusal("KEY_NOT_ACTIVE", `the key ${ofKey.text}`, ofKey.metadata);
  if (KEY_OPERATIONS[operation].kind === "protect" && version?.version !== primaryVersionAt(key, now)) {
    return refusal("VERSION_NOT_USABLE", `${operation} takes the primary version`, versionMetadata(input));
  }
  const ofVersion = version === undefined ? undefined : objection(version, input);
  if (ofVersion === undefined) return { allowed: true };
  const metadata = { ...ofVersion.metadata, ...versionMetadata(input) };
  return refusal("VERSION_NOT_USABLE", `the key version ${ofVersion.text}`, metadata);
}

const Y = "yes";
const R = "recovery";
const N = "no";
type Cell = typeof Y | typeof R | typeof N;

/** Everything that the table of permissions tells apart, in the order of its columns. */
const STANDINGS = [
  "generated",
  "active",
  "suspended-allow",
  "suspended-deny",
  "expired",
  "revoked",
  "superseded",
  "archived",
  "compromised",
  "destroy-pending",
  "destroyed",
] as const;
type Standing = (typeof STANDINGS)[number];

const PROTECT = row([N, Y, N, N, N, N, N, N, N, N, N]);
const OPEN = row([N, Y, Y, N, Y, Y, Y, R, R, N, N]);
/** Never answers plaintext, so that what is archived can be moved without the recovery role. */
const MOVE = row([N, Y, Y, N, Y, Y, Y, Y, R, N, N]);
/** New peers need an active key; an old secret is computed again with the recovery role. */
const AGREE = row([N, Y, N, N, R, R, R, R, R, N, N]);

/** State × reason × operation. Where keys.md is stricter than lifecycle.md § 2 (checks of archived and dying keys), keys.md stands. */
const PERMITS: Readonly<Record<KeyOperation, Readonly<Record<Standing, Cell>>>> = {
  encrypt: PROTECT,
  decrypt: OPEN,
  "reencrypt-from": MOVE,
  "reencrypt-to": PROTECT,
  "generate-data-key": PROTECT,
  sign: PROTECT,
  verify: OPEN,
  mac: PROTECT,
  "verify-mac": OPEN,
  wrap: PROTECT,
  unwrap: OPEN,
  agree: AGREE,
  encapsulate: PROTECT,
  decapsulate: OPEN,
};

type Cells = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

function row(cells: Cells): Readonly<Record<Standing, Cell>> {
  return Object.fromEntries(STANDINGS.map((standing, i) => [standing, cells[i]])) as Record<Standing, Cell>;
}

type Objection = { readonly text: string; readonly metadata: Readonly<Record<string, string>> };

/** What a record's own state and dates have against the operation; undefined if nothing. */
function objection(record: Lifecycle, { operation, now, recovery = false }: GateInput): Objection | undefined {
  const protects = KEY_OPERATIONS[operation].kind === "protect";
  const current = effectiveLifecycle(record, now, protects ? 0 : PROCESS_LEEWAY_MS);
  const cell = PERMITS[operation][standingOf(current)];
  if (cell === "no" || (cell === "recovery" && !recovery)) {
    const reason = current.stateReason;
    const state = reason === null ? current.state : `${current.state} (${reason})`;
    const unless = cell === "recovery" ? " but for recovery" : "";
    const metadata = { operation, state: current.state, ...(reason !== null && { stateReason: reason }) };
    return { text: `is ${state}, which does not allow ${operation}${unless}`, metadata };
  }
  const stop = record.protectStopTime;
  if (!protects || stop === null || now < stop) return undefined;
  const protectStopTime = new Date(stop).toISOString();
  const text = `has passed its protectStopTime ${protectStopTime}, which does not allow ${operation}`;
  return { text, metadata: { operation, state: current.state, protectStopTime } };
}

function standingOf({ state, stateReason, processing }: Lifecycle): Standing {
  if (state === "suspended") return processing === "allow" ? "suspended-allow" : "suspended-deny";
  if (state !== "deactivated") return state;
  // a deactivated record without a reason is no record of ours: nothing is allowed
  return STANDINGS.find((standing) => standing === stateReason) ?? "destroy-pending";
}

function held(key: KeyRecord, hold: Hold): GateRefusal {
  const since = new Date(hold.since).toISOString();
  const binding = hold.binding === null ? {} : { binding: hold.binding };
  const detail = `the key is held since ${since} (${hold.class}) until a person decides`;
  return refusal("KEY_HELD", detail, { keyId: key.id, class: hold.class, since, ...binding });
}

function versionMetadata({ operation, version }: GateInput): Record<string, string> {
  return { operation, ...(version !== undefined && { keyVersion: String(version.version) }) };
}

function refusal(code: GateRefusal["code"], detail: string, metadata: Readonly<Record<string, string>>): GateRefusal {
  return { allowed: false, code, detail, metadata };
}
