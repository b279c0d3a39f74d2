import { AwsFailure, invalidState, limitExceeded, unsupported } from "../failure.ts";
import { generateMaterial } from "../material.ts";
import { pageOf } from "../paging.ts";
import { keyToManage, refuseStates, requireEnabled } from "../resolve.ts";
import { DAY_MS, type Key, keyState, type KmsState, makeCurrent } from "../state.ts";
import { type Answer, type Operations, seconds } from "./operation.ts";

const MAX_ON_DEMAND_ROTATIONS = 25;
const CONFLICT_WINDOW_MS = 20 * 60_000;

export const rotationOperations: Operations = {
  EnableKeyRotation: (kms, input) => {
    const key = keyToManage(kms, input, "kms:EnableKeyRotation");
    const periodDays = input.whole("RotationPeriodInDays", { min: 90, max: 2560 }) ?? 365;
    requireRotatable(key);
    requireMaterialOfAws(key);
    requireEnabled(kms, key);
    key.rotation = { periodDays, nextMs: kms.now() + periodDays * DAY_MS };
    return {};
  },

  DisableKeyRotation: (kms, input) => {
    const key = keyToManage(kms, input, "kms:DisableKeyRotation");
    requireRotatable(key);
    requireMaterialOfAws(key);
    requireEnabled(kms, key);
    delete key.rotation;
    return {};
  },

  GetKeyRotationStatus: (kms, input) => {
    const key = keyToManage(kms, input, "kms:GetKeyRotationStatus");
    requireRotatable(key);
    const on = key.rotation !== undefined && keyState(key, kms.now()) !== "PendingDeletion" ? key.rotation : undefined;
    return {
      KeyId: key.arn,
      KeyRotationEnabled: on !== undefined,
      RotationPeriodInDays: on?.periodDays,
      NextRotationDate: on === undefined ? undefined : seconds(on.nextMs),
    };
  },

  RotateKeyOnDemand: (kms, input) => {
    const key = keyToManage(kms, input, "kms:RotateKeyOnDemand");
    requireRotatable(key);
    requireEnabled(kms, key);
    checkOnDemand(kms, key);
    const pending = key.materials.find(({ state }) => state === "PENDING_ROTATION");
    if (key.origin === "EXTERNAL" && pending?.key === undefined) {
      throw invalidState(`No available key material pending rotation for the key: ${key.arn}.`);
    }
    makeCurrent(key, pending ?? generateMaterial(key.spec), { atMs: kms.now(), type: "ON_DEMAND" });
    key.onDemandRotations += 1;
    return { KeyId: key.id };
  },

  ListKeyRotations: (kms, input) => {
    const key = keyToManage(kms, input, "kms:ListKeyRotations");
    const all = input.choice("IncludeKeyMaterial", ["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"]) === "ALL_KEY_MATERIAL";
    requireRotatable(key);
    refuseStates(kms, key, ["PendingDeletion"]);
    const rotations = key.materials.filter((material) => all || material.rotation !== undefined);
    const { items, tail } = pageOf(rotations, input, { fallback: 100, max: 1000, idOf: (material) => material.id });
    return { Rotations: items.map((material) => listed(key, material)), ...tail };
  },
};

const listed = (key: Key, { id, state, rotation, imported, key: held }: Key["materials"][number]): Answer => ({
  KeyId: key.id,
  KeyMaterialId: id,
  KeyMaterialState: state,
  KeyMaterialDescription: imported?.description,
  ImportState: imported === undefined ? undefined : held === undefined ? "PENDING_IMPORT" : "IMPORTED",
  ExpirationModel:
    imported === undefined
      ? undefined
      : imported.expiresMs === undefined
        ? "KEY_MATERIAL_DOES_NOT_EXPIRE"
        : "KEY_MATERIAL_EXPIRES",
  ValidTo: imported?.expiresMs === undefined ? undefined : seconds(imported.expiresMs),
  RotationDate: rotation === undefined ? undefined : seconds(rotation.atMs),
  RotationType: rotation?.type,
});

const checkOnDemand = (kms: KmsState, key: Key): void => {
  if (key.onDemandRotations >= MAX_ON_DEMAND_ROTATIONS) {
    throw limitExceeded(
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${key.arn}`,
    );
  }
  if (key.rotation !== undefined && key.rotation.nextMs - kms.now() <= CONFLICT_WINDOW_MS) {
    throw new AwsFailure("ConflictException", `An automatic rotation of ${key.arn} is about to begin.`);
  }
};

const requireRotatable = (key: Key): void => {
  if (key.spec !== "SYMMETRIC_DEFAULT")
    throw unsupported(`${key.arn} key spec is ${key.spec} which is not valid for this operation.`);
};

const requireMaterialOfAws = (key: Key): void => {
  if (key.origin !== "AWS_KMS")
    throw unsupported(`${key.arn} origin is ${key.origin} which is not valid for this operation.`);
};
