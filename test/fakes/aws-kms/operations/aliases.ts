import { AwsFailure, notFound, validation } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { Eventual } from "../eventual.ts";
import { pageOf } from "../paging.ts";
import { findAlias, keyName, keyToManage, keyToUse, refuseStates } from "../resolve.ts";
import { type Alias, aliasArn, type Key, type KmsState } from "../state.ts";
import { type Answer, type Operations, seconds } from "./operation.ts";

/** Aliases that every account has; those of services that were never used have no key yet. */
const AWS_OWNED = ["alias/aws/ebs", "alias/aws/s3"];

export const aliasOperations: Operations = {
  CreateAlias: (kms, input) => {
    const name = readAliasName(input);
    const key = target(kms, input, "kms:CreateAlias");
    refuseStates(kms, key, ["PendingDeletion"]);
    if (latestTarget(kms.aliases.get(name)) !== undefined) {
      throw new AwsFailure("AlreadyExistsException", `An alias with the name ${aliasArn(kms, name)} already exists`);
    }
    const nowMs = kms.now();
    const alias = kms.aliases.get(name) ?? {
      name,
      createdMs: nowMs,
      updatedMs: nowMs,
      target: new Eventual(undefined),
    };
    kms.aliases.set(name, point(kms, alias, key.id));
    return {};
  },

  UpdateAlias: (kms, input) => {
    const name = readAliasName(input);
    const alias = findAlias(kms, name);
    if (alias === undefined) throw notFound(`Alias ${aliasArn(kms, name)} is not found.`);
    const key = target(kms, input, "kms:UpdateAlias");
    refuseStates(kms, key, ["PendingDeletion"]);
    const former = kms.keys.get(latestTarget(alias) ?? "");
    if (former !== undefined && (former.usage !== key.usage || kindOf(former) !== kindOf(key))) {
      throw validation("Aliases cannot be updated to a key of another type or usage");
    }
    point(kms, alias, key.id);
    return {};
  },

  DeleteAlias: (kms, input) => {
    const name = readAliasName(input);
    const alias = findAlias(kms, name);
    if (alias === undefined) throw notFound(`Alias ${aliasArn(kms, name)} is not found.`);
    point(kms, alias, undefined);
    return {};
  },

  ListAliases: (kms, input) => {
    const only = input.has("KeyId") ? keyToManage(kms, input, "kms:ListAliases") : undefined;
    const nowMs = kms.now();
    const own = [...kms.aliases.values()].flatMap((alias): Answer[] => {
      const id = alias.target.seen(nowMs);
      if (id === undefined || (only !== undefined && only.id !== id)) return [];
      const dates = { CreationDate: seconds(alias.createdMs), LastUpdatedDate: seconds(alias.updatedMs) };
      return [{ AliasName: alias.name, AliasArn: aliasArn(kms, alias.name), TargetKeyId: id, ...dates }];
    });
    const owned = AWS_OWNED.map((name) => ({ AliasName: name, AliasArn: aliasArn(kms, name) }));
    const all = only === undefined ? [...owned, ...own] : own;
    const idOf = (entry: Answer): string => String(entry["AliasName"]);
    const { items, tail } = pageOf(all, input, { fallback: 50, max: 100, idOf });
    return { Aliases: items, ...tail };
  },
};

const readAliasName = (input: Input): string => {
  const name = required(input.text("AliasName", { min: 1, max: 256 }), "AliasName");
  if (!name.startsWith("alias/")) {
    throw validation(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name))
    throw new AwsFailure("InvalidAliasNameException", `Invalid alias ${name}`);
  if (name.startsWith("alias/aws/")) throw new AwsFailure("NotAuthorizedException", "");
  return name;
};

const target = (kms: KmsState, input: Input, action: string): Key => {
  const name = keyName(input, "TargetKeyId");
  if (name.startsWith("alias/") || name.includes(":alias/"))
    throw validation("Aliases must refer to keys. Not aliases");
  return keyToUse(kms, name, action);
};

const latestTarget = (alias: Alias | undefined): string | undefined => alias?.target.seen(Infinity);

const point = (kms: KmsState, alias: Alias, keyId: string | undefined): Alias => {
  alias.target.set(keyId, { nowMs: kms.now(), delayMs: kms.propagationMs });
  alias.updatedMs = kms.now();
  return alias;
};

/** Both must be symmetric, both asymmetric, or both HMAC: UpdateAlias in the API reference. */
const kindOf = ({ spec }: Key): string => {
  if (spec === "SYMMETRIC_DEFAULT") return "symmetric";
  return spec.startsWith("HMAC_") ? "hmac" : "asymmetric";
};
