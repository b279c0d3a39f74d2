import { KmsError } from "#core/errors.ts";
import { type ClientId, createId } from "#core/ids.ts";
import type { KeyOperation } from "#core/purposes.ts";
import type { ClientRecord, CredentialRecord, Role } from "#core/records.ts";
import type { Secret } from "#core/secret.ts";
import { awaitApplied } from "./applied.ts";
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

/** A secret that is shown once: what the door made of fresh randomness, and what is kept of it. */
export type NewSecret = { readonly secret: Secret<string>; readonly digest: string; readonly hint: string };
export type NewCredential = { readonly credential: CredentialRecord; readonly secret: Secret<string> | undefined };

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

/** Adds an API key to a client. The secret is in the answer once, and never in a repeated one. */
export async function createCredential(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  input: { readonly expireTime: number | null; readonly made: NewSecret },
): Promise<Changed<NewCredential>> {
  requirePermission(caller, "clients.write");
  const client = await resolveClient(parts, caller, reference);
  return await once<NewCredential>(parts, caller, {
    again: (resource) => ({
      credential: findCredential(parts, client, resource.split("/").at(-1) ?? ""),
      secret: undefined,
    }),
    run: async (keep) => {
      const told = { operation: "clients.credentials.create", detail: { client: client.id } };
      return await audited(parts, caller, told, async () => {
        const record = credentialRecord(parts, client, input);
        if (caller.dryRun) return { value: { credential: record, secret: undefined }, status: 200 };
        await parts.store.change(() => {
          const idempotency = keep(201, `/v1/clients/${client.id}/credentials/${record.id}`);
          return {
            mutations: [{ table: "credentials", id: record.id, record, ifRevision: 0 }],
            result: undefined,
            ...(idempotency === undefined ? {} : { idempotency }),
          };
        });
        return { value: { credential: record, secret: input.made.secret }, status: 201 };
      });
    },
  });
}

/** Revokes a credential; answers when every live process has applied it, or after two seconds. */
export async function revokeCredential(
  parts: BrokerParts,
  caller: Caller,
  { client: reference, credential: id }: { readonly client: string; readonly credential: string },
): Promise<Changed<CredentialRecord>> {
  requirePermission(caller, "clients.write");
  const client = await resolveClient(parts, caller, reference);
  const current = await resolveCredential(parts, client, id);
  return await once<CredentialRecord>(parts, caller, {
    again: () => findCredential(parts, client, id),
    run: async (keep) => {
      const told = { operation: "clients.credentials.revoke", detail: { client: client.id, credential: current.id } };
      const value = await audited(parts, caller, told, async () => {
        const revoked: CredentialRecord = { ...current, state: "revoked" };
        if (caller.dryRun || current.state === "revoked") return revoked;
        await parts.store.change((catalog) => {
          const idempotency = keep(200, `/v1/clients/${client.id}/credentials/${revoked.id}`);
          const ifRevision = catalog.revisionOf("credentials", revoked.id);
          return {
            mutations: [{ table: "credentials", id: revoked.id, record: revoked, ifRevision }],
            result: undefined,
            ...(idempotency === undefined ? {} : { idempotency }),
          };
        });
        await awaitApplied(parts);
        return revoked;
      });
      return { value, status: 200 };
    },
  });
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

function credentialRecord(
  parts: BrokerParts,
  client: ClientRecord,
  { expireTime, made }: { readonly expireTime: number | null; readonly made: NewSecret },
): CredentialRecord {
  return {
    id: createId("crd", parts.sources),
    client: client.id,
    kind: "api-key",
    hint: made.hint,
    digest: made.digest,
    state: "active",
    expireTime,
    createTime: parts.sources.clock.now(),
  };
}

function viewClient(parts: BrokerParts, id: ClientId): ClientView {
  const client = parts.catalog.client(id);
  if (client === undefined) throw clientNotFound();
  return { client, credentials: parts.catalog.credentials(id) };
}

/** What is not in memory is looked for in the feed once: another gateway may just have made it. */
async function resolveClient(parts: BrokerParts, caller: Caller, reference: string): Promise<ClientRecord> {
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

async function resolveCredential(parts: BrokerParts, client: ClientRecord, id: string): Promise<CredentialRecord> {
  if (!parts.catalog.credentials(client.id).some((credential) => credential.id === id)) await parts.store.refresh();
  return findCredential(parts, client, id);
}

function findCredential(parts: BrokerParts, client: ClientRecord, id: string): CredentialRecord {
  const found = parts.catalog.credentials(client.id).find((credential) => credential.id === id);
  if (found === undefined) throw new KmsError("NOT_FOUND", "no such credential of this client");
  return found;
}

function requireFreeName(clients: readonly ClientRecord[], name: string): void {
  if (clients.some((client) => client.name === name)) {
    throw new KmsError("NAME_TAKEN", `name: ${name} is taken`, { metadata: { name } });
  }
}

function clientNotFound(): KmsError {
  return new KmsError("NOT_FOUND", "no such client in this namespace");
}
