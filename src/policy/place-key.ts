import { ALGORITHMS, type AlgorithmName, defaultAlgorithm } from "#core/algorithms.ts";
import { type Custody, type CustodyKind, DEFAULT_CUSTODY } from "#core/custody.ts";
import { type FieldError, KmsError } from "#core/errors.ts";
import type { Purpose } from "#core/purposes.ts";
import type { RouteConfig } from "#core/route-config.ts";
import type { Policy, ProviderFacts } from "./policy.ts";
import { forbids } from "./requirements.ts";
import { matchRoute } from "./routes.ts";

/** What a caller may say of custody; absent members follow the route. */
export type CustodyRequest = {
  readonly kind: CustodyKind;
  readonly holders?: readonly string[];
  readonly minimum?: number;
  readonly threshold?: number;
  readonly dedicated?: boolean;
};

export type Wish = {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly algorithm: AlgorithmName | undefined;
  readonly custody: CustodyRequest | undefined;
};

export type PlacedKey = {
  readonly route: string;
  readonly custody: Extract<Custody, { kind: "portable" }>;
  readonly algorithm: AlgorithmName;
  readonly onState: "stop" | "continue";
};

/** Purposes and algorithms that portable custody has in this version. */
const PORTABLE: Readonly<Partial<Record<Purpose, readonly AlgorithmName[]>>> = { encrypt: ["AES-256-GCM"] };

/**
 * Decides where a new key lies and what it is, fully resolved: route, holders, minimum, algorithm. Pure; nothing is asked of a provider.
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION` for what this version or no candidate has; `REQUIREMENT_UNMET` for what the policy forbids or
 *   its failure domains can never meet; `INVALID_ARGUMENT` for a holder that is not configured.
 */
export function placeKey(policy: Policy, wish: Wish): PlacedKey {
  const route = matchRoute(policy.routes, wish);
  const kind = wish.custody?.kind ?? route.custody[wish.purpose] ?? DEFAULT_CUSTODY[wish.purpose];
  const algorithm = wish.algorithm ?? defaultAlgorithm(wish.purpose, kind);
  requirePurpose(algorithm, wish.purpose);
  requireSupported(policy, { kind, algorithm, wish });
  const holders = resolveHolders(policy, route, wish.custody?.holders);
  const minimum = resolveMinimum(
    holders,
    wish.custody?.minimum ?? (wish.custody?.holders === undefined ? route.place.minimum : undefined),
  );
  return {
    route: route.name,
    custody: {
      kind: "portable",
      holders: holders.map(({ name }) => name),
      minimum,
      threshold: 1,
      dedicated: wish.custody?.dedicated ?? false,
    },
    algorithm,
    onState: route.onState,
  };
}

function requirePurpose(algorithm: AlgorithmName, purpose: Purpose): void {
  const has = ALGORITHMS[algorithm].purpose;
  if (has === purpose) return;
  throw new KmsError("UNSUPPORTED_COMBINATION", `algorithm: ${algorithm} is for ${has}, the purpose is ${purpose}`, {
    metadata: { algorithm, purpose },
    errors: [{ pointer: "/algorithm", code: "conflict", detail: `is for ${has}` }],
  });
}

type Choice = { readonly kind: CustodyKind; readonly algorithm: AlgorithmName; readonly wish: Wish };

function requireSupported(policy: Policy, { kind, algorithm, wish }: Choice): void {
  const objection = objectionTo(kind, algorithm, wish);
  if (objection === undefined) return;
  const candidates = policy.providers.map(({ name }) => `${name}: ${objection.detail}`);
  throw new KmsError("UNSUPPORTED_COMBINATION", `${objection.detail}; candidates: ${candidates.join("; ")}`, {
    metadata: { custody: kind, algorithm, purpose: wish.purpose },
    errors: [objection],
    help: "this version keeps portable keys of purpose encrypt",
  });
}

function objectionTo(kind: CustodyKind, algorithm: AlgorithmName, { purpose, custody }: Wish): FieldError | undefined {
  if (kind !== "portable") {
    return { pointer: "/custody/kind", code: "enum", detail: `custody ${kind} is not available in this version` };
  }
  if (PORTABLE[purpose]?.includes(algorithm) !== true) {
    return {
      pointer: "/algorithm",
      code: "enum",
      detail: `a portable key cannot have purpose ${purpose} with ${algorithm} in this version`,
    };
  }
  if ((custody?.threshold ?? 1) !== 1) {
    return {
      pointer: "/custody/threshold",
      code: "range",
      detail: "a threshold above 1 is not available in this version",
    };
  }
  return undefined;
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
