import type { Purpose } from "./purposes.ts";

/** Where portable keys of a route are placed. */
export type PlaceConfig = {
  /** Names of configured providers in order, 1..16, no repeats; `all` means every configured provider, resolved when a key is created. */
  readonly holders: readonly string[] | "all";
  /** Distinct failure domains that must hold a wrap before use; absent: min(2, domains of the placement). */
  readonly minimum?: number;
};

/** What every provider of a plan must fulfil; absent members ask for nothing. */
export type RequireConfig = {
  /** The provider's jurisdiction must be one of these. */
  readonly jurisdiction?: readonly string[];
  /** Every entity behind the provider must be one of these. */
  readonly entity?: readonly string[];
  /** Recipients of portable keys must be in such protection. */
  readonly recipientProtection?: "hsm";
  /** The key's own material must be in such protection, which refuses portable custody. */
  readonly keyProtection?: "hsm";
};

/** One route as the operator wrote it (routing.md, Configuration): the first that matches places a new key. */
export type RouteConfig = {
  readonly name: string;
  /** All members must fit; an empty match fits every key. */
  readonly match: { readonly namespace?: string; readonly labels: Readonly<Record<string, string>> };
  readonly place: PlaceConfig;
  /** Default custody of purposes; `portable` and `native` in this version. */
  readonly custody: Readonly<Partial<Record<Purpose, "portable" | "native">>>;
  readonly order: { readonly strategy: "priority" };
  readonly require: RequireConfig;
  readonly onState: "stop" | "continue";
};
