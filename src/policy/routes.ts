import { KmsError } from "#core/errors.ts";
import type { RouteConfig } from "#core/route-config.ts";
import type { Policy } from "./policy.ts";

/** What a route can match on. */
export type Matched = { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };

/**
 * The first route that fits a new key; the one named `default` takes what fits none.
 * @throws {KmsError} `REQUIREMENT_UNMET` where none fits
 */
export function matchRoute(routes: readonly RouteConfig[], key: Matched): RouteConfig {
  const found = routes.find(({ match }) => {
    if (match.namespace !== undefined && match.namespace !== key.namespace) return false;
    return Object.entries(match.labels).every(([name, value]) => key.labels[name] === value);
  });
  const taken = found ?? routes.find(({ name }) => name === "default");
  if (taken !== undefined) return taken;
  throw new KmsError("REQUIREMENT_UNMET", "no route matches the key, and there is no route named default", {
    metadata: { namespace: key.namespace },
    help: "add a route that matches, or one named default, to the configuration",
  });
}

/** The route that placed a key, while the configuration still has it. */
export function routeNamed(policy: Policy, name: string): RouteConfig | undefined {
  return policy.routes.find((route) => route.name === name);
}

/** Labels that any route matches on: they decide where a key lies, and change only like the policy does. */
export function labelsInRules(routes: readonly RouteConfig[]): ReadonlySet<string> {
  return new Set(routes.flatMap(({ match }) => Object.keys(match.labels)));
}
