import type { Context } from "./context.ts";
import type { KeyOperation } from "./purposes.ts";
import type { ClientRecord, CredentialRecord, KeyRecord, Role } from "./records.ts";

/** Who asks, once the credential is known to be good. */
export type Principal = { readonly client: ClientRecord; readonly credentialId: CredentialRecord["id"] };

/** What a role may do besides operations on keys, which only a client's `allow` gives. Reading one's own keys needs none of them. */
export const PERMISSIONS = [
  /** Every key; whoever lacks it still sees what its globs name ({@link keyVisible}). */
  "keys.read",
  "keys.create",
  /** Labels, aliases, dates, description, recipients. */
  "keys.change",
  "keys.suspend",
  "keys.rotate",
  /** Activate, resume, deactivate, compromise, archive, destroy, cancel. */
  "keys.lifecycle",
  "exposure.read",
  "clients.read",
  "clients.write",
  "namespaces.read",
  "namespaces.write",
  "providers.read",
  /** Drain, restore, probe. */
  "providers.operate",
  "policy.read",
  "policy.validate",
  "policy.explain",
  "drift.read",
  "drift.resolve",
  "inventory.read",
  "reconcile",
  "drills.read",
  "drills.operate",
  "migrations.read",
  "migrations.operate",
  "approvals.read",
  "approvals.decide",
  "findings.read",
  "metrics.read",
  /** The trail of one's own namespace. */
  "audit.read",
  /** The trail of every namespace. */
  "audit.read-all",
  "backup.create",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const READS = [
  "keys.read",
  "exposure.read",
  "clients.read",
  "namespaces.read",
  "providers.read",
  "policy.read",
  "drift.read",
  "inventory.read",
  "drills.read",
  "migrations.read",
  "approvals.read",
  "findings.read",
  "metrics.read",
  "audit.read",
] as const satisfies readonly Permission[];

const OPERATES = [
  "keys.suspend",
  "keys.rotate",
  "providers.operate",
  "policy.validate",
  "policy.explain",
  "drift.resolve",
  "reconcile",
  "drills.operate",
] as const satisfies readonly Permission[];

/** The fixed roles (api.md § 9). What is not listed is denied. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  user: [],
  operator: [...READS, ...OPERATES],
  admin: PERMISSIONS,
  auditor: [...READS, "audit.read-all"],
};

/** Whether the principal's role has the permission. */
export function may(principal: Principal, permission: Permission): boolean {
  return ROLE_PERMISSIONS[principal.client.role].includes(permission);
}

/** Whether the principal's own `keys` name the key: same namespace, and a glob on the name (not on aliases). */
export function keyVisible({ client }: Principal, key: Pick<KeyRecord, "namespace" | "name">): boolean {
  return client.namespace === key.namespace && client.keys.some((glob) => globMatches(glob, key.name));
}

/**
 * Whether the principal may run the operation on the key with this context: {@link mayOperate}, and every pair of its `contextEquals` is in
 * the context.
 *
 * @public
 */
export function mayUse(
  principal: Principal,
  key: Pick<KeyRecord, "namespace" | "name">,
  operation: KeyOperation,
  context: Context,
): boolean {
  return mayOperate(principal, key, operation) && contextAllowed(principal, context);
}

/** Whether the principal's `allow` lists the operation and its globs name the key. Auditors use no key, ever. */
export function mayOperate(
  principal: Principal,
  key: Pick<KeyRecord, "namespace" | "name">,
  operation: KeyOperation,
): boolean {
  const { client } = principal;
  if (client.role === "auditor" || !keyVisible(principal, key)) return false;
  return client.allow.includes("*") || client.allow.includes(operation);
}

/** Whether every pair that the principal is bound to stands in the context. */
export function contextAllowed({ client }: Principal, context: Context): boolean {
  return Object.entries(client.contextEquals).every(
    ([name, value]) => context.kind === "map" && context.pairs.get(name) === value,
  );
}

/**
 * Matches a glob of `*` (any characters) and `?` (one), everything else for itself. Only the last `*` is ever tried again, so that
 * no glob costs more than its length times that of the text.
 */
function globMatches(glob: string, text: string): boolean {
  let g = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    if (glob[g] === "*") {
      star = g++;
      resume = t;
    } else if (glob[g] === "?" || glob[g] === text[t]) {
      g++;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
