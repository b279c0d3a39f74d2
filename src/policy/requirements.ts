import type { RequireConfig } from "#core/route-config.ts";
import type { ProviderFacts } from "./policy.ts";

/** Why a route's requirement forbids a provider. */
export type Forbidden = { readonly because: "jurisdiction" | "protection"; readonly detail: string };

/** What a requirement has against a provider; undefined if nothing. A fact that is not known fulfils no requirement. */
export function forbids(require: RequireConfig, facts: ProviderFacts): Forbidden | undefined {
  const { jurisdiction, entity, recipientProtection, keyProtection } = require;
  if (jurisdiction !== undefined && (facts.jurisdiction === null || !jurisdiction.includes(facts.jurisdiction))) {
    return {
      because: "jurisdiction",
      detail: `wanted jurisdiction ${jurisdiction.join(" or ")}, it is ${facts.jurisdiction ?? "not stated"}`,
    };
  }
  if (entity !== undefined && (facts.entity.length === 0 || !facts.entity.every((one) => entity.includes(one)))) {
    return {
      because: "jurisdiction",
      detail: `wanted entity ${entity.join(" or ")}, it is ${facts.entity.join(", ") || "not stated"}`,
    };
  }
  const protection = recipientProtection ?? keyProtection;
  if (protection !== undefined && facts.protection !== protection) {
    return { because: "protection", detail: `wanted protection ${protection}, it is ${facts.protection}` };
  }
  return undefined;
}
