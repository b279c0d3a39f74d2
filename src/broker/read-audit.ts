import { may } from "#core/access.ts";
import type { AuditQuery, StoredAuditEvent } from "#core/audit.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/** A place in the trail where the next page goes on: a sequence per process. */
export type AuditPlace = Readonly<Record<string, number>>;

/** Events of the trail, newest first. Without the right to read all, those of the caller's own namespace. */
export async function readAudit(
  parts: BrokerParts,
  caller: Caller,
  query: Omit<AuditQuery, "namespace">,
  page: { readonly limit: number; readonly before?: AuditPlace },
): Promise<readonly StoredAuditEvent[]> {
  requirePermission(caller, "audit.read");
  const scope = may(caller.principal, "audit.read-all") ? {} : { namespace: caller.principal.client.namespace };
  return await parts.audit.query({ ...query, ...scope }, page);
}
