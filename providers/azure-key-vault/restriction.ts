import type { KeyChange, KeyVaultKey } from "./client.ts";
import { forbiddenByState } from "./errors.ts";
import { keptKeyOps, withKeptKeyOps, withoutKeptKeyOps } from "./tags.ts";

/** What opens or checks the things that the other makes. */
const COUNTERPARTS: Readonly<Record<string, string>> = {
  encrypt: "decrypt",
  decrypt: "decrypt",
  wrapKey: "unwrapKey",
  unwrapKey: "unwrapKey",
  sign: "verify",
  verify: "verify",
};

/** Keeps a key from protecting: its key_ops are those that open and check, and a tag keeps the others for {@link unrestricted}. */
export function restricted({ keyOperations = [], properties: { tags } }: KeyVaultKey): KeyChange {
  const keyOps = [...new Set(keyOperations.flatMap((name) => COUNTERPARTS[name] ?? []))];
  // Without any, the service would take the key for one that may do everything.
  if (keyOps.length === 0) throw forbiddenByState("the key neither opens nor checks anything");
  return { keyOps, tags: keptKeyOps(tags) === undefined ? withKeptKeyOps(tags, keyOperations) : (tags ?? {}) };
}

/** Undoes {@link restricted}; nothing where a key is not restricted. */
export function unrestricted({ properties: { tags } }: KeyVaultKey): KeyChange {
  const keyOps = keptKeyOps(tags);
  return keyOps === undefined ? {} : { keyOps, tags: withoutKeptKeyOps(tags) };
}
