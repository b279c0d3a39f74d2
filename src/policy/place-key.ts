import { ALGORITHMS, type AlgorithmName, defaultAlgorithm } from "#core/algorithms.ts";
import { type Custody, DEFAULT_CUSTODY } from "#core/custody.ts";
import { KmsError } from "#core/errors.ts";
import type { Purpose } from "#core/purposes.ts";
import { placeNative } from "./place-native.ts";
import { placePortable } from "./place-portable.ts";
import type { Policy } from "./policy.ts";
import { matchRoute } from "./routes.ts";
import type { Wish } from "./wish.ts";

type Placed = {
  readonly route: string;
  readonly algorithm: AlgorithmName;
  readonly onState: "stop" | "continue";
};

export type PlacedKey = Placed &
  (
    | { readonly kind: "portable"; readonly custody: Extract<Custody, { kind: "portable" }> }
    /** Whoever may and can make it, in order; the first who does holds it. */
    | { readonly kind: "native"; readonly candidates: readonly string[] }
  );

/**
 * Decides where a new key lies and what it is, fully resolved: route, holders, minimum, algorithm. Pure; nothing is asked of a provider.
 *
 * @throws {KmsError} `UNSUPPORTED_COMBINATION` for what this version or no candidate has; `REQUIREMENT_UNMET` for what the policy forbids or
 *   its failure domains can never meet; `INVALID_ARGUMENT` for a holder that is not configured; `NO_PROVIDER` where only providers that have
 *   not been reached might do it.
 */
export function placeKey(policy: Policy, wish: Wish): PlacedKey {
  const route = matchRoute(policy.routes, wish);
  const kind =
    wish.custody?.kind ??
    (wish.imports === true ? "native" : (route.custody[wish.purpose] ?? DEFAULT_CUSTODY[wish.purpose]));
  const algorithm = wish.algorithm ?? defaultAlgorithm(wish.purpose, kind);
  requirePurpose(algorithm, wish.purpose);
  const placed = { route: route.name, algorithm, onState: route.onState };
  if (kind === "portable" && wish.imports === true) throw noPortableImport(algorithm);
  if (kind === "portable") return { ...placed, kind, custody: placePortable(policy, { route, algorithm, wish }) };
  if (kind === "native") return { ...placed, kind, candidates: placeNative(policy, { route, algorithm, wish }) };
  const detail = `custody ${kind} is not available in this version`;
  throw new KmsError("UNSUPPORTED_COMBINATION", detail, {
    metadata: { custody: kind, algorithm, purpose: wish.purpose },
    errors: [{ pointer: "/custody/kind", code: "enum", detail }],
    help: "this version has portable and native custody",
  });
}

function requirePurpose(algorithm: AlgorithmName, purpose: Purpose): void {
  const has = ALGORITHMS[algorithm].purpose;
  if (has === purpose) return;
  throw new KmsError("UNSUPPORTED_COMBINATION", `algorithm: ${algorithm} is for ${has}, the purpose is ${purpose}`, {
    metadata: { algorithm, purpose },
    errors: [{ pointer: "/algorithm", code: "conflict", detail: `is for ${has}` }],
  });
}

function noPortableImport(algorithm: AlgorithmName): KmsError {
  const detail = "material is imported into keys that a provider holds";
  return new KmsError("UNSUPPORTED_COMBINATION", detail, {
    metadata: { custody: "portable", algorithm },
    errors: [{ pointer: "/material", code: "conflict", detail }],
    help: "ask for custody native",
  });
}
