import { openBackup, sealBackup } from "./backup.ts";
import { conflict, forbidden, keyNotFound } from "./failure.ts";
import { bytesOf } from "./input.ts";
import type { Operation, Result } from "./operation.ts";
import { bundleOf, deletionOf } from "./render.ts";
import { deletedKey, deletionFrom, find, liveKey, requireFreeName, type VaultKey, type VaultState } from "./state.ts";

const latestBundle = (vault: VaultState, key: VaultKey): Readonly<Record<string, unknown>> => {
  const latest = key.versions.at(-1);
  if (latest === undefined) throw keyNotFound(key.name);
  return bundleOf(vault, key.name, latest);
};

const deletedBundle = (vault: VaultState, key: VaultKey): Result => ({
  ...deletionOf(vault, key),
  ...latestBundle(vault, key),
});

/** Of all versions. It is in deletedkeys only when the propagation is over. */
const remove: Operation = (vault, { name }) => {
  requireNotBeingDeleted(vault, name);
  const key = liveKey(vault, name);
  key.deletion = deletionFrom(vault);
  return deletedBundle(vault, key);
};

const requireNotBeingDeleted = (vault: VaultState, name: string): void => {
  if (vault.now() < (find(vault, name)?.deletion?.doneMs ?? -Infinity)) requireFreeName(vault, name);
};

const getDeleted: Operation = (vault, { name }) => deletedBundle(vault, deletedKey(vault, name));

/** The attributes are those of before: what was enabled is enabled again. */
const recover: Operation = (vault, { name }) => {
  requireNotBeingDeleted(vault, name);
  const key: VaultKey = deletedKey(vault, name);
  key.deletion = undefined;
  return latestBundle(vault, key);
};

const purge: Operation = (vault, { name }) => {
  requireNotBeingDeleted(vault, name);
  const key = deletedKey(vault, name);
  if (vault.purgeProtection) {
    throw forbidden("ForbiddenByPolicy", "Operation purge is not allowed because purge protection is enabled.");
  }
  vault.keys.delete(key.name.toLowerCase());
  return undefined;
};

const backup: Operation = (vault, { name }) => ({ value: sealBackup(liveKey(vault, name)).toString("base64url") });

const restore: Operation = (vault, { body }) => {
  const key = openBackup(bytesOf(body, "value"));
  requireFreeName(vault, key.name);
  if (find(vault, key.name) !== undefined) throw conflict(undefined, `Key ${key.name} already exists.`);
  vault.keys.set(key.name.toLowerCase(), key);
  return latestBundle(vault, key);
};

export const REMOVAL: Readonly<Record<string, Operation>> = {
  DeleteKey: remove,
  GetDeletedKey: getDeleted,
  RecoverDeletedKey: recover,
  PurgeDeletedKey: purge,
  BackupKey: backup,
  RestoreKey: restore,
};
