import type { BreakerSnapshot } from "#core/health.ts";
import type { RouteConfig } from "#core/route-config.ts";
import type { Candidate } from "#policy/plan.ts";
import type { Policy, ProviderFacts } from "#policy/policy.ts";

/** A provider of its own failure domain, in an HSM, in the EU. */
export function provider(name: string, part: Partial<ProviderFacts> = {}): ProviderFacts {
  return {
    name,
    kind: "aws-kms",
    failureDomain: name,
    jurisdiction: "EU",
    entity: ["EU"],
    protection: "hsm",
    ...part,
  };
}

/** A route that matches everything and places everywhere. */
export function route(name: string, part: Partial<RouteConfig> = {}): RouteConfig {
  return {
    name,
    match: { labels: {} },
    place: { holders: "all" },
    custody: {},
    order: { strategy: "priority" },
    require: {},
    onState: "stop",
    ...part,
  };
}

export function policyOf(routes: readonly RouteConfig[], providers: readonly ProviderFacts[]): Policy {
  return { routes, providers, hash: "0" };
}

export function healthy(part: Partial<BreakerSnapshot> = {}): BreakerSnapshot {
  return {
    state: "closed",
    sinceTime: null,
    nextProbeTime: null,
    calls: 0,
    failures: 0,
    p50Ms: null,
    p99Ms: null,
    inFlight: 0,
    ...part,
  };
}

/** A candidate that can be asked. */
export function candidate(name: string, part: Partial<Candidate> = {}): Candidate {
  return {
    provider: name,
    binding: `bnd_${name}`,
    facts: provider(name),
    usable: true,
    quarantined: false,
    drained: false,
    health: healthy(),
    ...part,
  };
}
