import { accessDenied, malformedPolicy } from "./failure.ts";
import { isRecord } from "./input.ts";
import type { Key, KmsState } from "./state.ts";

/** The policy of a key that was created without one. */
export const defaultPolicy = ({ account }: Pick<KmsState, "account">): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });

/**
 * Refuses an action that a Deny statement for everybody covers. Conditions are not evaluated: a statement that has one
 * denies nothing. What no statement allows is not refused either, since IAM policies, of which there are none here, may
 * allow it.
 */
export const authorize = (kms: KmsState, key: Key, action: string): void => {
  const statements = parseStatements(key.policy.seen(kms.now()));
  if (!statements.some((each) => each.effect === "Deny" && covers(kms, each, action))) return;
  throw accessDenied(
    `User: arn:aws:iam::${kms.account}:root is not authorized to perform: ${action} on resource: ${key.arn} with an explicit deny in a resource-based policy`,
  );
};

/** Refuses what is no policy and, unless told not to, a policy under which nobody could change it again. */
export const checkPolicy = (
  kms: KmsState,
  text: string,
  { bypassLockout }: { readonly bypassLockout: boolean },
): void => {
  const statements = parseStatements(text);
  if (bypassLockout) return;
  const about = statements.filter((each) => covers(kms, each, "kms:PutKeyPolicy") || hasOtherPrincipal(each));
  const allowed = about.some(({ effect }) => effect === "Allow");
  const denied = statements.some((each) => each.effect === "Deny" && covers(kms, each, "kms:PutKeyPolicy"));
  if (denied || !allowed) {
    throw malformedPolicy("The new key policy will not allow you to update the key policy in the future.");
  }
};

type Statement = {
  readonly effect: string;
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly conditional: boolean;
};

const parseStatements = (text: string): readonly Statement[] => {
  const policy = parseJson(text);
  const found = isRecord(policy) ? policy["Statement"] : undefined;
  const statements: unknown[] = Array.isArray(found) ? found : [found];
  return statements.map((each) => {
    if (!isRecord(each)) throw malformedPolicy("");
    const { Effect, Principal, Action } = each;
    if (Effect !== "Allow" && Effect !== "Deny") throw malformedPolicy("");
    const principals = strings(isRecord(Principal) ? Principal["AWS"] : Principal);
    return { effect: Effect, principals, actions: strings(Action), conditional: each["Condition"] !== undefined };
  });
};

const covers = (kms: KmsState, statement: Statement, action: string): boolean =>
  !statement.conditional &&
  statement.principals.some((name) => everybody(kms).includes(name)) &&
  statement.actions.some((pattern) => matches(pattern, action));

const everybody = ({ account }: KmsState): readonly string[] => ["*", account, `arn:aws:iam::${account}:root`];

/** Somebody is named whom we do not know: the caller may be meant. */
const hasOtherPrincipal = ({ principals, actions }: Statement): boolean =>
  principals.some((name) => name.startsWith("arn:")) && actions.some((pattern) => matches(pattern, "kms:PutKeyPolicy"));

/** IAM's patterns: `*` any run, `?` any one character, case ignored. */
const matches = (pattern: string, action: string): boolean => {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(action);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw malformedPolicy("");
  }
};

const strings = (value: unknown): readonly string[] => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((each) => typeof each === "string")) throw malformedPolicy("");
  return list;
};
