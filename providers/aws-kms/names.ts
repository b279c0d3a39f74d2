import type { NativeRef } from "#core/records.ts";

/** The marker of the canary key, and so its alias. */
export const CANARY_MARKER = "canary";

/** The alias by which a key of ours is found again (aliases are unique per account and Region). */
export function aliasOf(marker: string): string {
  return `${PREFIX}${marker}`;
}

/** The marker in an alias; undefined for the aliases of others. */
export function markerOfAlias(alias: string): string | undefined {
  return alias.startsWith(PREFIX) ? alias.slice(PREFIX.length) : undefined;
}

const PREFIX = "alias/claviger-";

/** A provider's uid: as long as the canary is the same key, so are the others of the account and Region. */
export function uidOf(canary: NativeRef): string {
  return `aws-kms:${canary}`;
}
