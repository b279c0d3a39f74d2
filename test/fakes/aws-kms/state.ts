import { type KeyObject, randomUUID } from "node:crypto";
import { Eventual } from "./eventual.ts";
import { generateKey, generateMaterial, type Material, once } from "./material.ts";
import type { KeySpec, KeyUsage } from "./specs.ts";

export type Origin = "AWS_KMS" | "EXTERNAL";
/** What calls and dates make of a key. `PendingImport` is not among them: it follows from missing material. */
export type LifeState = "Enabled" | "Disabled" | "PendingDeletion";
export type KeyState = LifeState | "PendingImport" | "Creating" | "Updating" | "Unavailable" | "PendingReplicaDeletion";

export type Key = {
  readonly id: string;
  readonly arn: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly origin: Origin;
  readonly multiRegion: boolean;
  readonly createdMs: number;
  /** When reads begin to find it. */
  readonly visibleFromMs: number;
  readonly life: Eventual<LifeState>;
  readonly policy: Eventual<string>;
  readonly tags: Map<string, string>;
  readonly materials: Material[];
  description: string;
  deletionMs?: number;
  rotation?: { readonly periodDays: number; nextMs: number };
  onDemandRotations: number;
  /** A state that a test gave it, such as Unavailable, which no call of ours leads to. */
  forcedState?: KeyState;
};

export type Alias = {
  readonly name: string;
  readonly createdMs: number;
  updatedMs: number;
  /** Undefined while a deleted one is still seen, and for those that AWS owns. */
  readonly target: Eventual<string | undefined>;
};

/** What an in-memory Region of one account holds, and the switches that tests turn. */
export type KmsState = {
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
  readonly keys: Map<string, Key>;
  readonly aliases: Map<string, Alias>;
  /** Private halves of the keys that GetParametersForImport gave out, by import token. */
  readonly imports: Map<string, ImportOffer>;
  /** The pair under which imports are wrapped. AWS makes one for each request; here one per size serves all. */
  readonly wrappingKey: (spec: WrappingSpec) => Promise<KeyObject>;
  propagationMs: number;
  keyLimit: number;
};

export type WrappingSpec = "RSA_2048" | "RSA_3072" | "RSA_4096";

export type ImportOffer = {
  readonly keyId: string;
  readonly algorithm: string;
  readonly expiresMs: number;
  readonly unwrapWith: KeyObject;
};

export const DAY_MS = 86_400_000;

export const createKmsState = (options: {
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
  readonly propagationMs: number;
}): KmsState => {
  const pairs = {
    RSA_2048: once(() => generateKey("RSA_2048")),
    RSA_3072: once(() => generateKey("RSA_3072")),
    RSA_4096: once(() => generateKey("RSA_4096")),
  };
  return {
    ...options,
    keys: new Map(),
    aliases: new Map(),
    imports: new Map(),
    wrappingKey: (spec) => pairs[spec](),
    keyLimit: 100_000,
  };
};

export type NewKey = Pick<Key, "spec" | "usage" | "origin" | "multiRegion" | "description"> & {
  readonly policy: string;
  readonly tags: ReadonlyMap<string, string>;
};

/** Adds a key: Enabled with material of its own, or PendingImport if its origin is EXTERNAL. */
export const addKey = (kms: KmsState, { policy, tags, ...made }: NewKey): Key => {
  const uuid = randomUUID();
  const id = made.multiRegion ? `mrk-${uuid.replaceAll("-", "")}` : uuid;
  const nowMs = kms.now();
  const key: Key = {
    ...made,
    id,
    arn: keyArn(kms, id),
    createdMs: nowMs,
    visibleFromMs: nowMs + kms.propagationMs,
    life: new Eventual("Enabled"),
    policy: new Eventual(policy),
    tags: new Map(tags),
    materials: made.origin === "AWS_KMS" ? [generateMaterial(made.spec)] : [],
    onDemandRotations: 0,
  };
  kms.keys.set(id, key);
  return key;
};

/** The state as reads see it now. */
export const keyState = (key: Key, nowMs: number): KeyState => {
  if (key.forcedState !== undefined) return key.forcedState;
  const life = key.life.seen(nowMs);
  return life !== "PendingDeletion" && lacksMaterial(key) ? "PendingImport" : life;
};

/** Of an imported key: nothing was imported, or some material that it once used is gone. */
const lacksMaterial = (key: Key): boolean => {
  const used = key.materials.filter((material) => material.state !== "PENDING_ROTATION");
  return used.length === 0 || used.some((material) => material.key === undefined);
};

export const changeLife = (kms: KmsState, key: Key, life: LifeState): void =>
  key.life.set(life, { nowMs: kms.now(), delayMs: kms.propagationMs });

/** Does what dates have made due: deletions, automatic rotations, expiry of imported material. */
export const applyDates = (kms: KmsState): void => {
  const nowMs = kms.now();
  for (const key of kms.keys.values()) {
    if (key.deletionMs !== undefined && key.deletionMs <= nowMs) deleteKey(kms, key);
    for (const material of key.materials) {
      if (material.imported?.expiresMs !== undefined && material.imported.expiresMs <= nowMs) material.key = undefined;
    }
    while (key.rotation !== undefined && key.rotation.nextMs <= nowMs) rotateByDate(key, key.rotation);
  }
};

const deleteKey = (kms: KmsState, key: Key): void => {
  kms.keys.delete(key.id);
  for (const alias of kms.aliases.values()) {
    if (alias.target.seen(Infinity) === key.id) kms.aliases.delete(alias.name);
  }
};

const rotateByDate = (key: Key, rotation: { readonly periodDays: number; nextMs: number }): void => {
  const atMs = rotation.nextMs;
  rotation.nextMs += rotation.periodDays * DAY_MS;
  // A disabled key is not rotated: developer guide, "How key rotation works".
  if (keyState(key, atMs) === "Enabled") {
    makeCurrent(key, generateMaterial(key.spec), { atMs, type: "AUTOMATIC" });
  }
};

/** Puts a material in use: the one before it goes on decrypting. */
export const makeCurrent = (
  key: Key,
  material: Material,
  rotation: { readonly atMs: number; readonly type: "AUTOMATIC" | "ON_DEMAND" },
): void => {
  for (const former of key.materials) if (former.state === "CURRENT") former.state = "NON_CURRENT";
  material.state = "CURRENT";
  material.rotation = rotation;
  if (!key.materials.includes(material)) key.materials.push(material);
};

export const currentMaterial = (key: Key): Material | undefined =>
  key.materials.find((material) => material.state === "CURRENT");

export const keyArn = ({ region, account }: Pick<KmsState, "region" | "account">, id: string): string =>
  `arn:aws:kms:${region}:${account}:key/${id}`;

export const aliasArn = ({ region, account }: Pick<KmsState, "region" | "account">, name: string): string =>
  `arn:aws:kms:${region}:${account}:${name}`;
