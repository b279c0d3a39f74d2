import type { CapabilityRow } from "#core/provider.ts";
import type { RouteConfig } from "#core/route-config.ts";

/** What policy knows of a configured provider: facts, no health. */
export type ProviderFacts = {
  readonly name: string;
  readonly kind: string;
  /** Providers of one domain fail together. */
  readonly failureDomain: string;
  readonly jurisdiction: string | null;
  /** Jurisdictions whose law reaches whoever is behind it. */
  readonly entity: readonly string[];
  readonly protection: "software" | "hsm" | "external";
  /** What it can do; undefined while it has not been opened. */
  readonly rows?: readonly CapabilityRow[] | undefined;
};

/** What the operator wrote, as this process runs it. */
export type Policy = {
  /** First match wins. */
  readonly routes: readonly RouteConfig[];
  /** In the order of the configuration. */
  readonly providers: readonly ProviderFacts[];
  /** SHA-256 of what it says, hex. */
  readonly hash: string;
};
