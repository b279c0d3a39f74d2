import type { KeyObject } from "node:crypto";
import { Eventual } from "../aws-kms/eventual.ts";
import { conflict, deletedKeyNotFound, keyNotFound } from "./failure.ts";

export type Attributes = {
  readonly enabled: boolean;
  /** Seconds since the epoch. */
  readonly nbf?: number;
  readonly exp?: number;
  readonly exportable?: boolean;
};

/** What PATCH may change in a version. */
export type Settings = {
  readonly attributes: Attributes;
  readonly keyOps: readonly string[];
  readonly tags: Readonly<Record<string, string>> | undefined;
};

export type KeyVersion = {
  readonly version: string;
  readonly kty: string;
  /** Private, or secret for oct-HSM. */
  readonly material: KeyObject;
  readonly createdMs: number;
  updatedMs: number;
  readonly exists: Eventual<boolean>;
  readonly settings: Eventual<Settings>;
};

export type Deletion = { readonly deletedMs: number; readonly doneMs: number; readonly purgeMs: number };

export type VaultKey = {
  readonly name: string;
  versions: readonly KeyVersion[];
  deletion: Deletion | undefined;
  rotationPolicy: Readonly<Record<string, unknown>> | undefined;
};

export type VaultKind = "vault" | "managed-hsm";

export type VaultState = {
  readonly kind: VaultKind;
  readonly keys: Map<string, VaultKey>;
  readonly retentionDays: number;
  readonly purgeProtection: boolean;
  propagationMs: number;
  readonly now: () => number;
  readonly url: () => string;
};

const DAY_MS = 86_400_000;

/** Purges what is due. */
export const applyDates = (vault: VaultState): void => {
  for (const [id, key] of vault.keys) {
    if (key.deletion !== undefined && vault.now() >= key.deletion.purgeMs) vault.keys.delete(id);
  }
};

/** Names differ by more than case only. */
export const find = (vault: VaultState, name: string): VaultKey | undefined => vault.keys.get(name.toLowerCase());

/** A key that is not deleted and whose existence is seen. */
export const liveKey = (vault: VaultState, name: string): VaultKey => {
  const key = find(vault, name);
  if (key === undefined || key.deletion !== undefined || seenVersions(vault, key).length === 0) throw keyNotFound(name);
  return key;
};

export const seenVersions = (vault: VaultState, key: VaultKey): readonly KeyVersion[] =>
  key.versions.filter(({ exists }) => exists.seen(vault.now()));

/** The latest version without a name of one. */
export const liveVersion = (vault: VaultState, name: string, version?: string): [VaultKey, KeyVersion] => {
  const key = liveKey(vault, name);
  const versions = seenVersions(vault, key);
  const found = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
  if (found === undefined) throw keyNotFound(`${name}/${version ?? ""}`);
  return [key, found];
};

export const deletedKey = (vault: VaultState, name: string): VaultKey & { readonly deletion: Deletion } => {
  const key = find(vault, name);
  const deletion = key?.deletion;
  if (key === undefined || deletion === undefined || vault.now() < deletion.doneMs) throw deletedKeyNotFound(name);
  return key as VaultKey & { readonly deletion: Deletion };
};

/** Refuses the name of a key that is deleted, or being so. */
export const requireFreeName = (vault: VaultState, name: string): void => {
  const deletion = find(vault, name)?.deletion;
  if (deletion === undefined) return;
  if (vault.now() < deletion.doneMs) throw conflict("ObjectIsBeingDeleted", `Key ${name} is currently being deleted.`);
  throw conflict(
    "ObjectIsDeletedButRecoverable",
    `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.`,
  );
};

export type NewVersion = Pick<KeyVersion, "version" | "kty" | "material"> & { readonly settings: Settings };

/** Adds a version, and the key itself where it is new. */
export const addVersion = (vault: VaultState, name: string, made: NewVersion): KeyVersion => {
  requireFreeName(vault, name);
  const nowMs = vault.now();
  const exists = new Eventual(false);
  exists.set(true, { nowMs, delayMs: vault.propagationMs });
  const settings = new Eventual(made.settings);
  const version: KeyVersion = { ...made, settings, exists, createdMs: nowMs, updatedMs: nowMs };
  const known = find(vault, name);
  if (known !== undefined) known.versions = [...known.versions, version];
  else {
    const key = { name, versions: [version], deletion: undefined, rotationPolicy: undefined };
    vault.keys.set(name.toLowerCase(), key);
  }
  return version;
};

export const deletionFrom = (vault: VaultState): Deletion => {
  const deletedMs = vault.now();
  return { deletedMs, doneMs: deletedMs + vault.propagationMs, purgeMs: deletedMs + vault.retentionDays * DAY_MS };
};

export const recoveryLevel = ({ retentionDays, purgeProtection }: VaultState): string =>
  `${retentionDays < 90 ? "Customized" : ""}Recoverable${purgeProtection ? "" : "+Purgeable"}`;
