import type { Purpose } from "./purposes.ts";

/** Where material lives and who operates; fixed when the key is created, always fully resolved (keys.md, Custody). */
export type Custody =
  | {
      readonly kind: "portable";
      /** Names of providers as configured when the key was created; 1..16, no repeats, order kept. */
      readonly holders: readonly string[];
      readonly minimum: number;
      readonly threshold: number;
      readonly dedicated: boolean;
    }
  | { readonly kind: "native"; readonly provider: string }
  | { readonly kind: "replicated"; readonly holders: readonly string[]; readonly minimum: number }
  | { readonly kind: "per-provider"; readonly holders: readonly string[]; readonly minimum: number };

export type CustodyKind = Custody["kind"];

export const DEFAULT_CUSTODY: Readonly<Record<Purpose, CustodyKind>> = {
  encrypt: "portable",
  mac: "portable",
  wrap: "portable",
  sign: "native",
  agree: "native",
  kem: "native",
};
