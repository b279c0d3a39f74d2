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

type Tag = { readonly TagKey: string | undefined; readonly TagValue: string | undefined };

/** What a key of ours carries, so that one whose alias was not made can still be told. */
export function tagsOf(marker: string): Tag[] {
  return [
    { TagKey: MARKER_TAG, TagValue: marker },
    { TagKey: "claviger:owner", TagValue: "claviger" },
  ];
}

export function markerOfTags(tags: readonly Tag[]): string | undefined {
  return tags.find(({ TagKey }) => TagKey === MARKER_TAG)?.TagValue;
}

const MARKER_TAG = "claviger:marker";

/** A provider's uid: as long as the canary is the same key, so are the others of the account and Region. */
export function uidOf(canary: NativeRef): string {
  return `aws-kms:${canary}`;
}
