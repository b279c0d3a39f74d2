import type { AlgorithmName } from "#core/algorithms.ts";
import { KmsError } from "#core/errors.ts";
import type { CapabilityRow, ProviderOperation } from "#core/provider.ts";
import type { Purpose } from "#core/purposes.ts";
import type { RouteConfig } from "#core/route-config.ts";
import type { Wish } from "./wish.ts";
import type { Policy, ProviderFacts } from "./policy.ts";
import { forbids } from "./requirements.ts";

/** What a provider must be able to do with a key of a purpose. */
const NEEDED: Readonly<Record<Purpose, readonly ProviderOperation[]>> = {
  encrypt: ["encrypt", "decrypt"],
  sign: ["sign"],
  mac: ["mac", "verify-mac"],
  wrap: ["wrap-material", "unwrap-material"],
  agree: ["agree"],
  kem: ["decapsulate"],
};

type Subject = { readonly route: RouteConfig; readonly algorithm: AlgorithmName; readonly wish: Wish };
type Judged = {
  readonly facts: ProviderFacts;
  readonly because: "ok" | "lacks" | "forbidden" | "unknown";
  readonly detail: string;
};

/** The providers that may and can hold a native key, in the order of the route, or the one that was asked for. */
export function placeNative(policy: Policy, subject: Subject): readonly string[] {
  requireNoPortableMembers(subject.wish);
  const judged = askedProviders(policy, subject).map((facts) => judge(facts, subject));
  const able = judged.filter(({ because }) => because === "ok");
  if (able.length > 0) return able.map(({ facts }) => facts.name);
  const { algorithm, wish } = subject;
  const reasons = judged.map(({ facts, detail }) => `${facts.name}: ${detail}`).join("; ");
  const metadata = { custody: "native", algorithm, purpose: wish.purpose };
  if (judged.some(({ because }) => because === "forbidden")) {
    throw new KmsError("REQUIREMENT_UNMET", `route ${subject.route.name} leaves nobody for ${algorithm}; ${reasons}`, {
      metadata: { ...metadata, route: subject.route.name },
    });
  }
  if (judged.some(({ because }) => because === "unknown")) {
    throw new KmsError("NO_PROVIDER", `nobody that was reached offers ${algorithm}; ${reasons}`, {
      metadata,
      retryAfterSeconds: 1,
    });
  }
  throw new KmsError("UNSUPPORTED_COMBINATION", `no candidate offers ${algorithm}; ${reasons}`, {
    metadata,
    errors: [{ pointer: "/algorithm", code: "enum", detail: "no candidate offers it" }],
    help: whoCould(policy, subject),
  });
}

/** What a provider lacks for keys of an algorithm, in words; undefined if nothing. */
export function lacksFor(
  rows: readonly CapabilityRow[],
  purpose: Purpose,
  algorithm: AlgorithmName,
): string | undefined {
  const missing = NEEDED[purpose].filter(
    (operation) => !rows.some((row) => row.operation === operation && row.algorithm === algorithm),
  );
  return missing.length === 0 ? undefined : `it does not offer ${missing.join(" and ")} with ${algorithm}`;
}

/** What a provider lacks for the ways that a key will take into it and out of it. */
function lacksPassage(rows: readonly CapabilityRow[], { algorithm, wish }: Subject): string | undefined {
  const wanted = [...(wish.imports === true ? ["import"] : []), ...(wish.extractable === true ? ["export"] : [])];
  const missing = wanted.filter(
    (operation) => !rows.some((row) => row.operation === operation && row.algorithm === algorithm),
  );
  return missing.length === 0 ? undefined : `it does not ${missing.join(" and ")} ${algorithm}`;
}

function judge(facts: ProviderFacts, subject: Subject): Judged {
  const { route, algorithm, wish } = subject;
  if (facts.rows === undefined) return { facts, because: "unknown", detail: "it has not been reached" };
  const lacks = lacksFor(facts.rows, wish.purpose, algorithm) ?? lacksPassage(facts.rows, subject);
  if (lacks !== undefined) return { facts, because: "lacks", detail: lacks };
  const forbidden = forbids(route.require, facts);
  return forbidden === undefined
    ? { facts, because: "ok", detail: "" }
    : { facts, because: "forbidden", detail: forbidden.detail };
}

function askedProviders({ providers }: Policy, { route, wish }: Subject): readonly ProviderFacts[] {
  const asked = wish.custody?.holders?.[0];
  if (asked !== undefined) {
    const facts = providers.find(({ name }) => name === asked);
    if (facts !== undefined) return [facts];
    const detail = "no such provider is configured";
    throw new KmsError("INVALID_ARGUMENT", `custody/provider: ${detail}`, {
      metadata: { provider: asked },
      errors: [{ pointer: "/custody/provider", code: "enum", detail }],
    });
  }
  const { holders } = route.place;
  return holders === "all" ? providers : holders.flatMap((name) => providers.filter((facts) => facts.name === name));
}

function whoCould({ providers }: Policy, subject: Subject): string {
  const { algorithm, wish } = subject;
  const able = providers.filter(
    ({ rows }) =>
      rows !== undefined && (lacksFor(rows, wish.purpose, algorithm) ?? lacksPassage(rows, subject)) === undefined,
  );
  if (able.length > 0)
    return `name a provider that offers it in custody.provider: ${able.map(({ name }) => name).join(", ")}`;
  return "no configured provider offers it; configure one that does, or choose another algorithm";
}

function requireNoPortableMembers({ custody }: Wish): void {
  for (const name of ["minimum", "threshold", "dedicated"] as const) {
    if (custody?.[name] === undefined) continue;
    throw new KmsError("INVALID_ARGUMENT", `custody/${name}: has no place in native custody`, {
      errors: [{ pointer: `/custody/${name}`, code: "unknown-field", detail: "has no place in native custody" }],
    });
  }
}
