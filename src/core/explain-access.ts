import { contextAllowed, keyVisible, mayOperate, type Principal } from "./access.ts";
import { NO_CONTEXT, type Context } from "./context.ts";
import type { ErrorCode } from "./errors.ts";
import { gate } from "./gate.ts";
import { KEY_OPERATIONS, type KeyOperation } from "./purposes.ts";
import type { ClientRecord, KeyRecord, VersionRecord } from "./records.ts";

/** What decides whether a client may; in the order in which a request meets it. `granted`: nothing stands against it. */
export type AccessRule =
  | "client-expired"
  | "no-credential"
  | "keys"
  | "role"
  | "allow"
  | "context-equals"
  | "key-state"
  | "purpose"
  | "granted";

export type AccessAnswer = {
  readonly allowed: boolean;
  readonly decidedBy: AccessRule;
  /** What the client would be told; null where it may. */
  readonly code: ErrorCode | null;
  readonly detail: string;
};

export type AccessQuestion = {
  readonly client: ClientRecord;
  /** Whether one of its credentials is in force. */
  readonly hasCredential: boolean;
  readonly key: KeyRecord;
  /** The version that the operation would use. */
  readonly version: VersionRecord | undefined;
  readonly operation: KeyOperation;
  /** Undefined: any that the client is bound to. */
  readonly context: Context | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
};

/** Why a client may run an operation on a key, or may not: the first rule that stands against it. */
export function explainAccess(question: AccessQuestion): AccessAnswer {
  const { client, key, operation } = question;
  for (const check of CHECKS) {
    const answer = check(question);
    if (answer !== undefined) return { allowed: false, ...answer };
  }
  const bound = Object.entries(client.contextEquals).map(([name, value]) => `${name}=${value}`);
  const where = bound.length === 0 ? "" : `, where its context has ${bound.join(", ")}`;
  const by = client.allow.includes("*") ? "*" : operation;
  const glob = client.keys.find((one) => keyVisible(principalOf({ ...client, keys: [one] }), key)) ?? "";
  const detail = `its keys have ${glob}, and its allow has ${by}${where}`;
  return { allowed: true, decidedBy: "granted", code: null, detail };
}

type Refusal = Omit<AccessAnswer, "allowed">;

const CHECKS: readonly ((question: AccessQuestion) => Refusal | undefined)[] = [
  ({ client: { expireTime }, now }) =>
    expireTime === null || now < expireTime
      ? undefined
      : refusal("client-expired", "UNAUTHENTICATED", `it has expired: ${new Date(expireTime).toISOString()}`),
  ({ hasCredential }) =>
    hasCredential ? undefined : refusal("no-credential", "UNAUTHENTICATED", "it has no credential in force"),
  ({ client, key }) =>
    keyVisible(principalOf(client), key)
      ? undefined
      : // who may read keys by its role sees that it is there
        refusal(
          "keys",
          client.role === "user" ? "KEY_NOT_FOUND" : "PERMISSION_DENIED",
          client.namespace === key.namespace
            ? `its keys (${client.keys.join(", ")}) do not name ${key.name}`
            : `it belongs to the namespace ${client.namespace}`,
        ),
  ({ client }) =>
    client.role === "auditor"
      ? refusal("role", "PERMISSION_DENIED", "an auditor uses no key, whatever its allow says")
      : undefined,
  ({ client, key, operation }) =>
    mayOperate(principalOf(client), key, operation)
      ? undefined
      : refusal("allow", "PERMISSION_DENIED", `its allow (${list(client.allow)}) does not have ${operation}`),
  ({ client, context }) =>
    context === undefined || contextAllowed(principalOf(client), context)
      ? undefined
      : refusal("context-equals", "PERMISSION_DENIED", `the context lacks ${missing(client, context)}`),
  ({ key, version, operation, now }) => {
    const verdict = gate({ key, version, operation, now });
    return verdict.allowed ? undefined : refusal("key-state", verdict.code, verdict.detail);
  },
  ({ key, operation }) => {
    const { purpose } = KEY_OPERATIONS[operation];
    if (key.purpose === purpose) return undefined;
    return refusal("purpose", "PURPOSE_MISMATCH", `wanted a key of purpose ${purpose}, got ${key.purpose}`);
  },
];

function refusal(decidedBy: AccessRule, code: ErrorCode, detail: string): Refusal {
  return { decidedBy, code, detail };
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "empty" : items.join(", ");
}

function missing(client: ClientRecord, context: Context = NO_CONTEXT): string {
  const pairs = context.kind === "map" ? context.pairs : new Map<string, string>();
  const lacking = Object.entries(client.contextEquals).filter(([name, value]) => pairs.get(name) !== value);
  return lacking.map(([name, value]) => `${name}=${value}`).join(", ");
}

/** The rules of access look at the client alone. */
function principalOf(client: ClientRecord): Principal {
  return { client, credentialId: "crd_none" };
}
