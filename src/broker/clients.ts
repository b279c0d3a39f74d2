import { KmsError } from "#core/errors.ts";
import { type ClientId, createId } from "#core/ids.ts";
import type { KeyOperation } from "#core/purposes.ts";
import type { ClientRecord, CredentialRecord, Role } from "#core/records.ts";
import { audited } from "./audited.ts";
import { namespaceOf } from "./branch.ts";
import type { Caller, Changed } from "./caller.ts";
import { once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/** A client and what people may know of its credentials. */
export type ClientView = { readonly client: ClientRecord; readonly credentials: readonly CredentialRecord[] };

export type ClientRequest = {
  readonly name: string;
  readonly role: Role;
  readonly keys: readonly string[];
  readonly allow: readonly (KeyOperation | "*")[];
  readonly contextEquals: Readonly<Record<string, string>>;
  readonly expireTime: number | null;
};

export async function createClient(
  parts: BrokerParts,
  caller: Caller,
  request: ClientRequest,
): Promise<Changed<ClientView>> {
  requirePermission(caller, "clients.write");
  namespaceOf(parts.catalog, caller.namespace);
  return await once(parts, caller, {
    again: (resource) => viewClient(parts, resource.slice("/v1/clients/".length) as ClientId),
    run: async (keep) => {
      const told = { operation: "clients.create", detail: { name: request.name, role: request.role } };
      return await audited(parts, caller, told, async () => {
        const record = clientRecord(parts, caller, request);
        if (caller.dryRun) return { value: { client: record, credentials: [] }, status: 200 };
        await parts.store.change((catalog) => {
          requireFreeName([...catalog.clients(caller.namespace)], request.name);
          const idempotency = keep(201, `/v1/clients/${record.id}`);
          return {
            mutations: [{ table: "clients", id: record.id, record, ifRevision: 0 }],
            result: undefined,
            ...(idempotency === undefined ? {} : { idempotency }),
          };
        });
        return { value: viewClient(parts, record.id), status: 201 };
      });
    },
  });
}

export function listClients(parts: BrokerParts, caller: Caller): readonly ClientView[] {
  requirePermission(caller, "clients.read");
  return [...parts.catalog.clients(caller.namespace)].map((client) => viewClient(parts, client.id));
}

/** By id or name. */
export async function getClient(parts: BrokerParts, caller: Caller, reference: string): Promise<ClientView> {
  requirePermission(caller, "clients.read");
  return viewClient(parts, (await resolveClient(parts, caller, reference)).id);
}

function clientRecord(parts: BrokerParts, caller: Caller, request: ClientRequest): ClientRecord {
  return {
    id: createId("cli", parts.sources),
    ...request,
    namespace: caller.namespace,
    person: caller.principal.client.person,
    createTime: parts.sources.clock.now(),
  };
}

function viewClient(parts: BrokerParts, id: ClientId): ClientView {
  const client = parts.catalog.client(id);
  if (client === undefined) throw clientNotFound();
  return { client, credentials: parts.catalog.credentials(id) };
}

/** By id or name. What is not in memory is looked for in the feed once: another gateway may just have made it. */
export async function resolveClient(parts: BrokerParts, caller: Caller, reference: string): Promise<ClientRecord> {
  const known = findClient(parts, caller, reference);
  if (known !== undefined) return known;
  await parts.store.refresh();
  const found = findClient(parts, caller, reference);
  if (found === undefined) throw clientNotFound();
  return found;
}

function findClient(parts: BrokerParts, caller: Caller, reference: string): ClientRecord | undefined {
  for (const client of parts.catalog.clients(caller.namespace)) {
    if (client.id === reference || client.name === reference) return client;
  }
  return undefined;
}

function requireFreeName(clients: readonly ClientRecord[], name: string): void {
  if (clients.some((client) => client.name === name)) {
    throw new KmsError("NAME_TAKEN", `name: ${name} is taken`, { metadata: { name } });
  }
}

function clientNotFound(): KmsError {
  return new KmsError("NOT_FOUND", "no such client in this namespace");
}
