import { randomBytes } from "node:crypto";
import { badParameter } from "./failure.ts";
import { optionalNumber, recordOf } from "./input.ts";
import { newVersionName } from "./manage.ts";
import { regenerate } from "./material.ts";
import type { Operation } from "./operation.ts";
import { bundleOf, kidOf, seconds } from "./render.ts";
import { addVersion, liveKey, liveVersion, type Settings } from "./state.ts";

/** A new version with new material, enabled, without dates; key_ops and tags as before. */
const rotate: Operation = async (vault, { name }) => {
  const [key, latest] = liveVersion(vault, name);
  if (vault.kind === "managed-hsm" && key.rotationPolicy === undefined) {
    throw badParameter("The key has no rotation policy.");
  }
  const { keyOps, tags } = latest.settings.seen(vault.now());
  const settings: Settings = { attributes: { enabled: true }, keyOps, tags };
  const material = await regenerate(latest.material);
  const made = { version: newVersionName(), kty: latest.kty, material, settings };
  return bundleOf(vault, key.name, addVersion(vault, key.name, made), settings);
};

const getPolicy: Operation = (vault, { name }) => {
  const key = liveKey(vault, name);
  return (
    key.rotationPolicy ?? {
      id: `${kidOf(vault, key.name)}/rotationpolicy`,
      lifetimeActions: [{ trigger: { timeBeforeExpiry: "P30D" }, action: { type: "Notify" } }],
      attributes: {},
    }
  );
};

/** Kept and answered; it rotates nothing by itself. */
const setPolicy: Operation = (vault, { name, body }) => {
  const key = liveKey(vault, name);
  const now = seconds(vault.now());
  const actions = body["lifetimeActions"] ?? [];
  if (!Array.isArray(actions)) throw badParameter("Property lifetimeActions has invalid value");
  key.rotationPolicy = {
    id: `${kidOf(vault, key.name)}/rotationpolicy`,
    lifetimeActions: actions,
    attributes: { ...recordOf(body, "attributes"), created: now, updated: now },
  };
  return key.rotationPolicy;
};

const random: Operation = (vault, { body }) => {
  const count = optionalNumber(body, "count") ?? 0;
  if (vault.kind !== "managed-hsm") throw badParameter("Random bytes are of Managed HSM only");
  if (count < 1 || count > 128) throw badParameter("Property count has invalid value");
  return { value: randomBytes(count).toString("base64url") };
};

export const ROTATION: Readonly<Record<string, Operation>> = {
  RotateKey: rotate,
  GetKeyRotationPolicy: getPolicy,
  UpdateKeyRotationPolicy: setPolicy,
  GetRandomBytes: random,
};
