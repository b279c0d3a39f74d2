import { invalidMember, limitExceeded, unsupported, validation } from "../failure.ts";
import type { Input } from "../input.ts";
import { checkPolicy, defaultPolicy } from "../policy.ts";
import { keyName, keyToManage, keyToUse, refuseStates } from "../resolve.ts";
import { ALGORITHM_FIELDS, algorithmsOf, KEY_SPECS, KEY_USAGES, type KeySpec, type KeyUsage } from "../specs.ts";
import { addKey, currentMaterial, type Key, keyState, type KmsState } from "../state.ts";
import { pageOf } from "../paging.ts";
import { type Answer, type Operations, seconds } from "./operation.ts";
import { readTags } from "./tags.ts";

export const keyOperations: Operations = {
  CreateKey: (kms, input) => {
    const spec = input.choice("KeySpec", KEY_SPECS) ?? input.choice("CustomerMasterKeySpec", KEY_SPECS);
    const made = {
      ...readSpecAndUsage(spec ?? "SYMMETRIC_DEFAULT", input),
      origin: readOrigin(input),
      multiRegion: input.flag("MultiRegion"),
      description: input.text("Description", { max: 8192 }) ?? "",
      policy: input.text("Policy", { min: 1, max: 131_072 }) ?? defaultPolicy(kms),
      tags: readTags(input),
    };
    checkPolicy(kms, made.policy, { bypassLockout: input.flag("BypassPolicyLockoutSafetyCheck") });
    if (kms.keys.size >= kms.keyLimit) throw limitExceeded("You have exceeded the number of KMS keys.");
    return { KeyMetadata: describe(kms, addKey(kms, made)) };
  },

  DescribeKey: (kms, input) => ({ KeyMetadata: describe(kms, keyToUse(kms, keyName(input), "kms:DescribeKey")) }),

  ListKeys: (kms, input) => {
    const seen = [...kms.keys.values()].filter((key) => key.visibleFromMs <= kms.now());
    const { items, tail } = pageOf(seen, input, { fallback: 100, max: 1000, idOf: (key) => key.id });
    return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: key.arn })), ...tail };
  },

  UpdateKeyDescription: (kms, input) => {
    const key = keyToManage(kms, input, "kms:UpdateKeyDescription");
    refuseStates(kms, key, ["PendingDeletion"]);
    key.description = input.text("Description", { max: 8192 }) ?? "";
    return {};
  },
};

const readSpecAndUsage = (spec: KeySpec, input: Input): { readonly spec: KeySpec; readonly usage: KeyUsage } => {
  const named = input.choice("KeyUsage", KEY_USAGES);
  if (named === undefined && spec !== "SYMMETRIC_DEFAULT") {
    throw validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
  }
  const usage = named ?? "ENCRYPT_DECRYPT";
  if (algorithmsOf(spec, usage).length === 0) {
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  return { spec, usage };
};

const readOrigin = (input: Input): "AWS_KMS" | "EXTERNAL" => {
  const origin = input.text("Origin") ?? "AWS_KMS";
  if (origin === "AWS_KMS" || origin === "EXTERNAL") return origin;
  if (origin === "AWS_CLOUDHSM" || origin === "EXTERNAL_KEY_STORE")
    throw unsupported("custom key stores are not faked");
  const all = "[EXTERNAL, AWS_CLOUDHSM, AWS_KMS, EXTERNAL_KEY_STORE]";
  throw invalidMember("origin", `Member must satisfy enum value set: ${all}`, origin);
};

/** A key's whole metadata. */
const describe = (kms: KmsState, key: Key): Answer => {
  const state = keyState(key, kms.now());
  return {
    AWSAccountId: kms.account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: seconds(key.createdMs),
    Enabled: state === "Enabled",
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: state,
    DeletionDate: state === "PendingDeletion" && key.deletionMs !== undefined ? seconds(key.deletionMs) : undefined,
    Origin: key.origin,
    KeyManager: "CUSTOMER",
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    [ALGORITHM_FIELDS[key.usage]]: algorithmsOf(key.spec, key.usage),
    ...describeImport(key),
    ...describeRegions(kms, key),
    CurrentKeyMaterialId: key.spec === "SYMMETRIC_DEFAULT" ? currentMaterial(key)?.id : undefined,
  };
};

const describeImport = (key: Key): Answer => {
  const imported = key.materials.flatMap((each) => (each.key === undefined || !each.imported ? [] : [each.imported]));
  if (imported.length === 0) return {};
  const dates = imported.flatMap(({ expiresMs }) => (expiresMs === undefined ? [] : [expiresMs]));
  if (dates.length === 0) return { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  return { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: seconds(Math.min(...dates)) };
};

const describeRegions = (kms: KmsState, key: Key): Answer => {
  if (!key.multiRegion) return { MultiRegion: false };
  const PrimaryKey = { Arn: key.arn, Region: kms.region };
  return {
    MultiRegion: true,
    MultiRegionConfiguration: { MultiRegionKeyType: "PRIMARY", PrimaryKey, ReplicaKeys: [] },
  };
};
