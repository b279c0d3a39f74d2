import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { Custody } from "#core/custody.ts";
import { type FieldError, KmsError } from "#core/errors.ts";
import type { RouteConfig } from "#core/route-config.ts";
import type { Wish } from "./wish.ts";
import type { Policy, ProviderFacts } from "./policy.ts";
import { forbids } from "./requirements.ts";

type Subject = { readonly route: RouteConfig; readonly algorithm: AlgorithmName; readonly wish: Wish };

/** Who holds the branch key of a portable key, and how many of them must before it is used. */
export function placePortable(
  policy: Policy,
  { route, algorithm, wish }: Subject,
): Extract<Custody, { kind: "portable" }> {
  requireSupported(policy, algorithm, wish);
  const asked = wish.custody?.holders;
  const holders = resolveHolders(policy, route, asked);
  const minimum = resolveMinimum(
    holders,
    wish.custody?.minimum ?? (asked === undefined ? route.place.minimum : undefined),
  );
  return {
    kind: "portable",
    holders: holders.map(({ name }) => name),
    minimum,
    threshold: 1,
    dedicated: wish.custody?.dedicated ?? false,
  };
}

function requireSupported(policy: Policy, algorithm: AlgorithmName, wish: Wish): void {
  const objection = objectionTo(algorithm, wish);
  if (objection === undefined) return;
  const candidates = policy.providers.map(({ name }) => `${name}: ${objection.detail}`);
  throw new KmsError("UNSUPPORTED_COMBINATION", `${objection.detail}; candidates: ${candidates.join("; ")}`, {
    metadata: { custody: "portable", algorithm, purpose: wish.purpose },
    errors: [objection],
    help: "portable keys encrypt, make MACs and wrap; for everything else ask for custody native",
  });
}

function objectionTo(algorithm: AlgorithmName, { purpose, custody }: Wish): FieldError | undefined {
  if (!algorithmTraits(algorithm).custody.includes("portable")) {
    const detail = `a portable key cannot have purpose ${purpose} with ${algorithm}`;
    return { pointer: "/algorithm", code: "enum", detail };
  }
  if ((custody?.threshold ?? 1) === 1) return undefined;
  const detail = "a threshold above 1 is not available in this version";
  return { pointer: "/custody/threshold", code: "range", detail };
}

function resolveHolders(
  policy: Policy,
  route: RouteConfig,
  asked: readonly string[] | undefined,
): readonly ProviderFacts[] {
  requireNoKeyProtection(route);
  const known = new Map(policy.providers.map((facts) => [facts.name, facts]));
  if (asked !== undefined) return asked.map((name, index) => allowedHolder(route, known.get(name), { name, index }));
  const names = route.place.holders === "all" ? [...known.keys()] : route.place.holders;
  const all = names.flatMap((name) => known.get(name) ?? []);
  const allowed = all.filter((facts) => forbids(route.require, facts) === undefined);
  if (allowed.length > 0) return allowed;
  const reasons = all.map((facts) => `${facts.name}: ${forbids(route.require, facts)?.detail ?? ""}`);
  throw new KmsError("REQUIREMENT_UNMET", `route ${route.name} forbids every candidate; ${reasons.join("; ")}`, {
    metadata: { route: route.name },
  });
}

function requireNoKeyProtection(route: RouteConfig): void {
  if (route.require.keyProtection === undefined) return;
  throw new KmsError(
    "REQUIREMENT_UNMET",
    `route ${route.name} wants keys protected by an hsm, which portable custody is not`,
    {
      metadata: { route: route.name, keyProtection: route.require.keyProtection },
    },
  );
}

function allowedHolder(
  route: RouteConfig,
  facts: ProviderFacts | undefined,
  { name, index }: { name: string; index: number },
): ProviderFacts {
  if (facts === undefined) {
    const detail = "no such provider is configured";
    throw new KmsError("INVALID_ARGUMENT", `custody/holders/${index}: ${detail}`, {
      metadata: { provider: name },
      errors: [{ pointer: `/custody/holders/${index}`, code: "enum", detail }],
    });
  }
  const objection = forbids(route.require, facts);
  if (objection === undefined) return facts;
  throw new KmsError("REQUIREMENT_UNMET", `route ${route.name} forbids ${name}: ${objection.detail}`, {
    metadata: { route: route.name, provider: name, because: objection.because },
    errors: [{ pointer: `/custody/holders/${index}`, code: "conflict", detail: objection.detail }],
  });
}

function resolveMinimum(holders: readonly ProviderFacts[], wanted: number | undefined): number {
  const domains = new Set(holders.map(({ failureDomain }) => failureDomain)).size;
  const minimum = wanted ?? Math.min(2, domains);
  if (minimum <= domains) return minimum;
  throw new KmsError("REQUIREMENT_UNMET", `minimum: wanted ${minimum} failure domains, the holders have ${domains}`, {
    metadata: { minimum: String(minimum), failureDomains: String(domains) },
    errors: [
      {
        pointer: "/custody/minimum",
        code: "range",
        detail: `wanted at most ${domains}, the failure domains of the holders`,
      },
    ],
  });
}
