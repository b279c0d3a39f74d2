import type { Purpose } from "./algorithms.ts";
import { invalidArgument, notEnabled, notFound, precondition } from "./failure.ts";
import type { Material } from "./material.ts";
import { type CryptoKey, findVersion, type ImportJob, type KeyRing, type KmsState, type Version } from "./state.ts";

const LOCATION = /^projects\/[^/]+\/locations\/[^/]+$/;
const RING = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[a-zA-Z0-9_-]{1,63}$/;
const KEY = /^(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+)\/cryptoKeys\/[a-zA-Z0-9_-]{1,63}$/;
const VERSION = /^(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+)\/cryptoKeyVersions\/(\d+)$/;
const JOB = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/importJobs\/[a-zA-Z0-9_-]{1,63}$/;

/** A location as it was named. There is no list of them: any will do. */
export const parseLocation = (name: string): string => matched(name, LOCATION) && name;

export const getKeyRing = (kms: KmsState, name: string): KeyRing =>
  present(matched(name, RING) && kms.keyRings.get(name), "KeyRing", name);

export const getKey = (kms: KmsState, name: string): CryptoKey =>
  present(matched(name, KEY) && kms.keys.get(name), "CryptoKey", name);

export const getJob = (kms: KmsState, name: string): ImportJob =>
  present(matched(name, JOB) && kms.jobs.get(name), "ImportJob", name);

export type Found = { readonly key: CryptoKey; readonly version: Version };

export const getVersion = (kms: KmsState, name: string): Found => {
  const [, keyName = "", id] = VERSION.exec(name) ?? [];
  matched(name, VERSION);
  const key = kms.keys.get(keyName);
  const version = key === undefined ? undefined : findVersion(key, id);
  if (key === undefined || version === undefined) throw notFound("CryptoKeyVersion", name);
  return { key, version };
};

export const isVersionName = (name: string): boolean => VERSION.test(name);

/** The version that an operation names, if it may be used for what the operation does. */
export const versionToUse = (kms: KmsState, name: string, purposes: readonly Purpose[]): Version => {
  const { key, version } = getVersion(kms, name);
  requirePurpose(key, purposes);
  requireEnabled(kms, version);
  return version;
};

export const requirePurpose = (key: CryptoKey, purposes: readonly Purpose[]): void => {
  if (purposes.includes(key.purpose)) return;
  throw precondition(`${key.name} has purpose ${key.purpose}, the operation needs ${purposes.join(" or ")}.`, {
    type: "KEY_PURPOSE",
    subject: key.name,
  });
};

/** Refuses every state but ENABLED, as cryptography sees it now. */
export const requireEnabled = (kms: KmsState, version: Version): void => {
  const state = version.state.seen(kms.now());
  if (state !== "ENABLED") throw notEnabled(version.name, state);
};

/** The material of a version that was found enabled. */
export const materialOf = (version: Version): Material => {
  if (version.material === undefined) throw notEnabled(version.name, "DESTROYED");
  return version.material;
};

/** An id of a new resource. */
export const parseId = (id: string, field: string): string => {
  if (!/^[a-zA-Z0-9_-]{1,63}$/.test(id)) throw invalidArgument(`${field} must match [a-zA-Z0-9_-]{1,63}.`);
  return id;
};

const matched = (name: string, form: RegExp): true => {
  if (!form.test(name)) throw invalidArgument(`Resource name "${name}" is not of the form that the method needs.`);
  return true;
};

const present = <T>(value: T | undefined, kind: string, name: string): T => {
  if (value === undefined) throw notFound(kind, name);
  return value;
};
