import type { BreakerSnapshot } from "#core/health.ts";
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
  /** The wrap or native key that would be used; undefined for a write. */
  readonly binding: string | undefined;
  readonly facts: ProviderFacts;
  /** False while it could not be opened, identified, or is misconfigured. */
  readonly usable: boolean;
  readonly quarantined: boolean;
  readonly drained: boolean;
  readonly health: BreakerSnapshot;
};

/** What a caller wants to try out: as if a breaker were open, as if somebody had drained it, as if it throttled. */
export type Assumptions = { readonly down: readonly string[]; readonly drained: readonly string[]; readonly throttled: readonly string[] };

export const NO_ASSUMPTIONS: Assumptions = { down: [], drained: [], throttled: [] };

export type PlanInput = {
  readonly kind: "load" | "write";
  /** In the order of the placement. */
  readonly candidates: readonly Candidate[];
  readonly require: RequireConfig;
  /** Answers that are needed: 1 for a load, the minimum of failure domains for a write. */
  readonly needed: number;
  readonly remainingMs: number;
  readonly assume: Assumptions;
};

export type PlannedAttempt = { readonly provider: string; readonly binding: string | undefined; readonly timeoutMs: number };
export type Refused = { readonly provider: string; readonly because: RefusalReason; readonly detail: string };

export type Plan = {
  readonly needed: number;
  /** How many attempts run at once. */
  readonly parallel: number;
  readonly attempts: readonly PlannedAttempt[];
  readonly refused: readonly Refused[];
  /** Breakers alone had left nobody: the best candidate is tried all the same, a few at a time. */
  readonly lastResort: boolean;
};

const UNKNOWN_P99_MS = 500;
const TIMEOUT_MS = { min: 100, max: 1500 } as const;

/**
 * Orders who is asked, and says why the others are not. Pure and total: the same function answers `explain` and the hot path.
 *
 * A breaker may reorder candidates and never removes the last one; every other reason is absolute.
 */
export function plan(input: PlanInput): Plan {
  const judged = input.candidates.map((candidate) => ({ candidate, refusal: refusalOf(candidate, input) }));
  const open = judged.flatMap(({ candidate, refusal }) => (refusal === undefined ? [candidate] : []));
  const broken = judged.flatMap(({ candidate, refusal }) => (refusal?.because === "breaker-open" ? [candidate] : []));
  const [best] = broken;
  const lastResort = open.length === 0 && best !== undefined;
  const asked = lastResort ? [best] : order(open);
  const refused = judged.flatMap(({ candidate, refusal }) => (refusal === undefined || (lastResort && candidate === best) ? [] : [refusal]));
  const parallel = input.kind === "write" ? asked.length : Math.min(1, asked.length);
  return { needed: input.needed, parallel, attempts: asked.map((one) => attempt(one, input, parallel)), refused, lastResort };
}

/** Half-open providers come last, since one probe at a time is all that they take; otherwise the order of the placement stays. */
function order(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((a, b) => Number(a.health.state === "half-open") - Number(b.health.state === "half-open"));
}

function attempt({ provider, binding, health }: Candidate, { remainingMs, kind, candidates }: PlanInput, parallel: number): PlannedAttempt {
  const usual = Math.min(TIMEOUT_MS.max, Math.max(TIMEOUT_MS.min, 3 * (health.p99Ms ?? UNKNOWN_P99_MS)));
  const rounds = kind === "write" ? 1 : Math.max(1, Math.ceil(candidates.length / Math.max(1, parallel)));
  return { provider, binding, timeoutMs: Math.max(1, Math.min(usual, Math.floor(remainingMs / rounds))) };
}

function refusalOf(candidate: Candidate, { require, assume }: PlanInput): Refused | undefined {
  const { provider, facts, health } = candidate;
  const refuse = (because: RefusalReason, detail: string): Refused => ({ provider, because, detail });
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
