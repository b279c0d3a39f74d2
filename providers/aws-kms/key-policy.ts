import { ProviderError } from "#core/failures.ts";

/** Our statement's name in a key policy. Sids are unique within one. */
const SID = "ClavigerProcessOnly";

/**
 * Refuses everybody, the account's root too, what makes new protected data; what opens or checks stays. An explicit Deny is
 * above every Allow, IAM policy and grant (IAM user guide, policy evaluation logic). `kms:PutKeyPolicy` is not among it.
 */
const STATEMENT = {
  Sid: SID,
  Effect: "Deny",
  Principal: { AWS: "*" },
  Action: [
    "kms:Encrypt",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey*", // WithoutPlaintext, Pair and PairWithoutPlaintext too
    "kms:Sign",
    "kms:GenerateMac",
    "kms:Encapsulate",
  ],
  Resource: "*",
} as const;

type Policy = { readonly [member: string]: unknown; readonly Statement: readonly unknown[] };

/** The policy with our statement at its end, once; the statements of others stay as they are. */
export function restrictedPolicy(text: string): string {
  const policy = parsePolicy(text);
  return JSON.stringify({ ...policy, Statement: [...policy.Statement.filter((each) => !isOurs(each)), STATEMENT] });
}

/** The policy without our statement. */
export function liftedPolicy(text: string): string {
  const policy = parsePolicy(text);
  return JSON.stringify({ ...policy, Statement: policy.Statement.filter((each) => !isOurs(each)) });
}

export function isRestrictedPolicy(text: string): boolean {
  return parsePolicy(text).Statement.some(isOurs);
}

/** One statement may stand without its list (IAM policy grammar). */
function parsePolicy(text: string): Policy {
  const policy = parseJson(text);
  if (!isRecord(policy)) throw unreadable();
  const { Statement } = policy;
  if (Array.isArray(Statement)) return { ...policy, Statement };
  if (!isRecord(Statement)) throw unreadable();
  return { ...policy, Statement: [Statement] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable();
  }
}

function isOurs(statement: unknown): boolean {
  return isRecord(statement) && statement["Sid"] === SID;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The service keeps no policy that it does not read itself: this is somebody else's answer. */
function unreadable(): ProviderError {
  return new ProviderError({ failure: "OUTAGE", detail: "an answer without a key policy" });
}
