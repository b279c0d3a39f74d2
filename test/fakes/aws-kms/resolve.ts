import { AwsFailure, incorrectKey, invalidArn, invalidKeyUsage, invalidState, notFound } from "./failure.ts";
import { type Input, required } from "./input.ts";
import { authorize } from "./policy.ts";
import { algorithmsOf, type KeyUsage } from "./specs.ts";
import { type Alias, aliasArn, type Key, keyArn, type KmsState, keyState } from "./state.ts";

/** The key that a control operation names: by id or key ARN, not by an alias. Asks the key's policy for `action`. */
export const keyToManage = (kms: KmsState, input: Input, action: string): Key => {
  const name = required(input.text("KeyId", { min: 1, max: 2048 }), "KeyId");
  if (isAliasName(name)) throw notFound(`Invalid keyId '${name}'`);
  return allowed(kms, findKey(kms, name, { arnFault: invalidArn }), action);
};

/** The key that a cryptographic operation, DescribeKey or GetPublicKey names: aliases and their ARNs too. */
export const keyToUse = (kms: KmsState, name: string, action: string): Key =>
  allowed(kms, findKey(kms, name, { arnFault: notFound }), action);

export const keyName = (input: Input, member = "KeyId"): string =>
  required(input.text(member, { min: 1, max: 2048 }), member);

const allowed = (kms: KmsState, key: Key, action: string): Key => {
  authorize(kms, key, action);
  return key;
};

const findKey = (
  kms: KmsState,
  name: string,
  { arnFault }: { readonly arnFault: (text: string) => AwsFailure },
): Key => {
  const local = name.startsWith("arn:") ? localName(kms, name, arnFault) : name;
  if (local.startsWith("alias/")) return findByAlias(kms, local);
  if (!/^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(local)) {
    throw notFound(`Invalid keyId '${local}'`);
  }
  return visibleKey(kms, local);
};

const visibleKey = (kms: KmsState, id: string): Key => {
  const key = kms.keys.get(id);
  if (key === undefined || kms.now() < key.visibleFromMs) throw notFound(`Key '${keyArn(kms, id)}' does not exist`);
  return key;
};

const localName = (kms: KmsState, arn: string, fault: (text: string) => AwsFailure): string => {
  const [, , service, region, account, resource = "", ...rest] = arn.split(":");
  const local = resource.startsWith("key/") ? resource.slice("key/".length) : resource;
  if (service !== "kms" || local === "" || rest.length > 0) throw fault(`Invalid arn ${arn}`);
  if (region !== kms.region) throw notFound(`Invalid arn ${region}`);
  if (account !== kms.account) throw notFound(`${arn} does not exist`);
  return local;
};

const findByAlias = (kms: KmsState, name: string): Key => {
  const id = findAlias(kms, name)?.target.seen(kms.now());
  if (id === undefined) throw notFound(`Alias ${aliasArn(kms, name)} is not found.`);
  return visibleKey(kms, id);
};

/** An alias as reads see it; undefined also for one that was made just now. */
export const findAlias = (kms: KmsState, name: string): Alias | undefined => {
  const alias = kms.aliases.get(name);
  return alias?.target.seen(kms.now()) === undefined ? undefined : alias;
};

const isAliasName = (name: string): boolean => name.startsWith("alias/") || /^arn:.*:alias\//.test(name);

/** Refuses every state but Enabled, in AWS's words. Table "Key states of AWS KMS keys", developer guide. */
export const requireEnabled = (kms: KmsState, key: Key): void => {
  const state = keyState(key, kms.now());
  if (state === "Disabled") throw new AwsFailure("DisabledException", `${key.arn} is disabled.`);
  if (state !== "Enabled") throw invalidState(`${key.arn} is ${STATE_WORDS[state]}.`);
};

/** Refuses the given states; what management calls mind is mostly PendingDeletion. */
export const refuseStates = (kms: KmsState, key: Key, refused: readonly (keyof typeof STATE_WORDS)[]): void => {
  const state = refused.find((each) => each === keyState(key, kms.now()));
  if (state !== undefined) throw invalidState(`${key.arn} is ${STATE_WORDS[state]}.`);
};

const STATE_WORDS = {
  PendingDeletion: "pending deletion",
  PendingReplicaDeletion: "pending replica deletion",
  PendingImport: "pending import",
  Creating: "creating",
  Updating: "updating",
  Unavailable: "unavailable",
} as const;

/** Refuses an operation that is not of the key's usage, and an algorithm that is not of its spec. */
export const requireUsage = (
  key: Key,
  {
    usage,
    algorithm,
    operation,
  }: { readonly usage: KeyUsage; readonly algorithm?: string; readonly operation: string },
): void => {
  if (key.usage !== usage) {
    throw invalidKeyUsage(`${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`);
  }
  if (algorithm !== undefined && !algorithmsOf(key.spec, usage).includes(algorithm)) {
    throw invalidKeyUsage(`Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`);
  }
};

/** Refuses a ciphertext of another key than the one that the caller named. */
export const requireSameKey = (key: Key, keyId: string): void => {
  if (key.id !== keyId) throw incorrectKey();
};
