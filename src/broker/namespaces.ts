import { KmsError } from "#core/errors.ts";
import { createUuid } from "#core/ids.ts";
import type { NamespaceRecord } from "#core/records.ts";
import { audited } from "./audited.ts";
import { namespaceOf } from "./branch.ts";
import type { Caller, Changed } from "./caller.ts";
import { once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/** The namespace of the gateway's own keys; no caller names it. */
export const SYSTEM_NAMESPACE = "system";

export type NamespaceRequest = {
  readonly name: string;
  readonly dualControl: boolean;
  readonly approvers: number;
  readonly activation: "automatic" | "manual";
};

export function listNamespaces(parts: BrokerParts, caller: Caller): readonly NamespaceRecord[] {
  requirePermission(caller, "namespaces.read");
  return [...parts.catalog.namespaces()].filter(({ name }) => name !== SYSTEM_NAMESPACE);
}

export async function createNamespace(
  parts: BrokerParts,
  caller: Caller,
  request: NamespaceRequest,
): Promise<Changed<NamespaceRecord>> {
  requirePermission(caller, "namespaces.write");
  return await once(parts, caller, {
    again: (resource) => namespaceOf(parts.catalog, resource.slice("/v1/namespaces/".length)),
    run: async (keep) => {
      const told = { operation: "namespaces.create", detail: { name: request.name } };
      const value = await audited(parts, caller, told, async () => {
        const record: NamespaceRecord = {
          id: createUuid(parts.sources),
          ...request,
          createTime: parts.sources.clock.now(),
        };
        if (parts.catalog.namespace(request.name) !== undefined) throw taken(request.name);
        if (caller.dryRun) return record;
        return await parts.store.change((catalog) => {
          if (catalog.namespace(request.name) !== undefined) throw taken(request.name);
          const idempotency = keep(201, `/v1/namespaces/${request.name}`);
          return {
            mutations: [{ table: "namespaces", id: record.name, record, ifRevision: 0 }],
            result: record,
            ...(idempotency === undefined ? {} : { idempotency }),
          };
        });
      });
      return { value, status: caller.dryRun ? 200 : 201 };
    },
  });
}

function taken(name: string): KmsError {
  return new KmsError("NAME_TAKEN", `name: ${name} is taken`, { metadata: { name } });
}
