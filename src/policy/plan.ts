import type { BreakerStanding } from "#core/health.ts";
import type { RequireConfig } from "#core/route-config.ts";
import type { ProviderFacts } from "./policy.ts";
import { forbids } from "./requirements.ts";

/** Why a candidate is not asked: a closed list (routing.md, The plan). */
export type RefusalReason =
  | "capability"
  | "jurisdiction"
  | "protection"
  | "state"
  | "quarantine"
  | "breaker-open"
  | "drained"
  | "quota"
  | "throttled"
  | "not-a-holder"
  | "assumed";

/** Somebody who might do it, with all that the plan decides on. */
export type Candidate = {
  readonly provider: string;
  /** The wrap or native key that would be used; undefined for a write. Without one nobody reads. */
  readonly binding: string | undefined;
  readonly facts: ProviderFacts;
  /** What it lacks for the operation, in words; absent if nothing. */
  readonly lacks?: string;
  /** False while it could not be opened, identified, or is misconfigured. */
  readonly usable: boolean;
  readonly quarantined: boolean;
  readonly drained: boolean;
  /** The part of its traffic that it is given back after a drain, 0..1; absent: all. */
  readonly share?: number;
  readonly health: BreakerStanding;
};

/** What a caller wants to try out: as if a breaker were open, as if somebody had drained it, as if it throttled. */
export type Assumptions = {
  readonly down: readonly string[];
  readonly drained: readonly string[];
  readonly throttled: readonly string[];
};

export const NO_ASSUMPTIONS: Assumptions = { down: [], drained: [], throttled: [] };

export type PlanInput = {
  /** One answer of many who could give it, one after another; or writes to all at once. */
  readonly kind: "load" | "write";
  /** In the order of the placement. */
  readonly candidates: readonly Candidate[];
  readonly require: RequireConfig;
  /** Answers that are needed: 1 for a load, the minimum of failure domains for a write. */
  readonly needed: number;
  readonly remainingMs: number;
  readonly assume: Assumptions;
  /** 0 to below 1, drawn per plan: a provider whose share is not above it comes last. Absent: 0, so that every share counts. */
  readonly draw?: number;
};

export type PlannedAttempt = {
  readonly provider: string;
  readonly binding: string | undefined;
  readonly timeoutMs: number;
};
export type Refused = { readonly provider: string; readonly because: RefusalReason; readonly detail: string };

export type Plan = {
  readonly needed: number;
  /** How many attempts run at once. */
  readonly parallel: number;
  readonly attempts: readonly PlannedAttempt[];
  readonly refused: readonly Refused[];
  /** Breakers alone had left too few, or let only probes through: the best behind them are tried all the same, a few calls at a time. */
  readonly lastResort: boolean;
};

const UNKNOWN_P99_MS = 500;
const TIMEOUT_MS = { min: 100, max: 1500 } as const;
/** How long before the deadline the last attempt ends, so that the answer still arrives in time; of a short time, a tenth. */
const ANSWER_MS = 100;

/**
 * Orders who is asked, and says why the others are not. Pure and total: the same function answers `explain` and the hot path.
 *
 * A breaker may reorder candidates and never removes the last one: where breakers alone leave fewer than are needed, the best behind them
 * stay, as a last resort. Every other reason is absolute. Among equals the order of the placement stays.
 */
export function plan(input: PlanInput): Plan {
  const judged = input.candidates.map((candidate) => ({ candidate, refusal: refusalOf(candidate, input) }));
  const open = judged.filter(({ refusal }) => refusal === undefined).map(({ candidate }) => candidate);
  const broken = judged.filter(({ refusal }) => refusal?.because === "breaker-open").map(({ candidate }) => candidate);
  const rescued = lastResorts(open, broken, input);
  const asked = [...open.toSorted((a, b) => rank(a, input) - rank(b, input)), ...rescued];
  const kept = new Set(rescued);
  const refused = judged.flatMap(({ candidate, refusal }) =>
    refusal === undefined || kept.has(candidate) ? [] : [refusal],
  );
  const parallel = input.kind === "write" ? asked.length : Math.min(1, asked.length);
  const attempts = withTimeouts(asked, input);
  const lastResort = rescued.length > 0 || (asked.length > 0 && asked.every(({ health }) => health.state !== "closed"));
  return { needed: input.needed, parallel, attempts, refused, lastResort };
}

/** Half-open providers come late, since one probe at a time is all that they take, and those that are given back in part come last. */
function rank({ health, share = 1 }: Candidate, { draw = 0 }: PlanInput): number {
  return (share <= draw ? 2 : 0) + (health.state === "half-open" ? 1 : 0);
}

/** The fewest candidates behind breakers with which the plan could still be done, those that are probed soonest first. */
function lastResorts(
  open: readonly Candidate[],
  broken: readonly Candidate[],
  { needed, kind, assume }: PlanInput,
): readonly Candidate[] {
  const assumed = ({ provider }: Candidate): number => Number(assume.down.includes(provider));
  const soonest = broken.toSorted(
    (a, b) => assumed(a) - assumed(b) || (a.health.nextProbeTime ?? 0) - (b.health.nextProbeTime ?? 0),
  );
  if (kind === "load") return open.length > 0 ? [] : soonest.slice(0, 1);
  const domains = new Set(open.map(({ facts }) => facts.failureDomain));
  return soonest.filter(({ facts }) => {
    if (domains.size >= needed || domains.has(facts.failureDomain)) return false;
    domains.add(facts.failureDomain);
    return true;
  });
}

/**
 * Three times the usual p99 within its bounds, and one after another no more than an even part of what is left when each before has used
 * all of its own.
 */
function withTimeouts(asked: readonly Candidate[], { remainingMs, kind }: PlanInput): readonly PlannedAttempt[] {
  let leftMs = remainingMs - Math.min(ANSWER_MS, remainingMs / 10);
  return asked.map(({ provider, binding, health }, index) => {
    const usual = Math.min(TIMEOUT_MS.max, Math.max(TIMEOUT_MS.min, 3 * (health.p99Ms ?? UNKNOWN_P99_MS)));
    const part = kind === "write" ? leftMs : leftMs / (asked.length - index);
    const timeoutMs = Math.max(1, Math.floor(Math.min(usual, part)));
    if (kind === "load") leftMs = Math.max(0, leftMs - timeoutMs);
    return { provider, binding, timeoutMs };
  });
}

function refusalOf(candidate: Candidate, { require, assume, kind }: PlanInput): Refused | undefined {
  const { provider, facts, health } = candidate;
  const refuse = (because: RefusalReason, detail: string): Refused => ({ provider, because, detail });
  if (kind === "load" && candidate.binding === undefined)
    return refuse("not-a-holder", "it holds nothing that opens it");
  if (candidate.lacks !== undefined) return refuse("capability", candidate.lacks);
  const forbidden = forbids(require, facts);
  if (forbidden !== undefined) return refuse(forbidden.because, forbidden.detail);
  if (candidate.quarantined) return refuse("quarantine", "its binding is quarantined until a person decides");
  if (!candidate.usable) return refuse("state", "it has not been reached, or is misconfigured");
  if (assume.drained.includes(provider)) return refuse("assumed", "assumed to be drained");
  if (candidate.drained) return refuse("drained", "an operator has drained it");
  if (assume.throttled.includes(provider)) return refuse("assumed", "assumed to throttle");
  if (assume.down.includes(provider)) return refuse("breaker-open", "assumed to be down");
  if (health.state === "open") return refuse("breaker-open", "its breaker is open");
  return undefined;
}
