import type { Catalog, Mutation } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { createId } from "#core/ids.ts";
import type { ClientRecord, CredentialRecord } from "#core/records.ts";
import type { Secret } from "#core/secret.ts";
import { awaitApplied } from "./applied.ts";
import { audited } from "./audited.ts";
import type { Caller, Changed } from "./caller.ts";
import { resolveClient } from "./clients.ts";
import { once } from "./once.ts";
import type { BrokerParts } from "./parts.ts";
import { requirePermission } from "./require.ts";

/** A secret that is shown once: what the door made of fresh randomness, and what is kept of it. */
export type NewSecret = { readonly secret: Secret<string>; readonly digest: string; readonly hint: string };
export type NewCredential = { readonly credential: CredentialRecord; readonly secret: Secret<string> | undefined };

export type CredentialRequest = {
  readonly expireTime: number | null;
  /** How long the client's credentials of the same kind go on beside this one; undefined: until they end by themselves. */
  readonly overlapMs: number | undefined;
  readonly proof:
    | { readonly kind: "api-key"; readonly made: NewSecret }
    /** `subject` is canonical. */
    | { readonly kind: "mtls"; readonly subject: string };
};

/**
 * Gives a client a credential: an API key, whose secret is in the answer once and never in a repeated one, or the subject of a certificate.
 *
 * Who enrols a certificate makes its holder known as a person: with dual control that one counts apart from whoever enrolled it. So the authorities
 * of the bundle say who is whom, and one that gives a person two subjects gives two persons.
 *
 * @throws {KmsError} `NAME_TAKEN` while another credential in force has the subject
 */
export async function createCredential(
  parts: BrokerParts,
  caller: Caller,
  reference: string,
  request: CredentialRequest,
): Promise<Changed<NewCredential>> {
  requirePermission(caller, "clients.write");
  const client = await resolveClient(parts, caller, reference);
  const { kind } = request.proof;
  return await once<NewCredential>(parts, caller, {
    again: (resource) => ({
      credential: findCredential(parts, client, resource.split("/").at(-1) ?? ""),
      secret: undefined,
    }),
    run: async (keep) => {
      const subject = request.proof.kind === "mtls" ? { subject: request.proof.subject } : {};
      const told = { operation: "clients.credentials.create", detail: { client: client.id, kind, ...subject } };
      return await audited(parts, caller, told, async () => {
        const record = credentialRecord(parts, caller, { client, request });
        if (caller.dryRun) {
          requireFreeSubject(parts.catalog, record, record.createTime);
          return { value: { credential: record, secret: undefined }, status: 200 };
        }
        const ended = await parts.store.change((catalog) => {
          requireFreeSubject(catalog, record, record.createTime);
          const endings = endOthers(catalog, record, request.overlapMs);
          const idempotency = keep(201, `/v1/clients/${client.id}/credentials/${record.id}`);
          return {
            mutations: [{ table: "credentials", id: record.id, record, ifRevision: 0 }, ...endings],
            result: endings.length > 0,
            ...(idempotency === undefined ? {} : { idempotency }),
          };
        });
        if (ended) await awaitApplied(parts);
        const secret = request.proof.kind === "api-key" ? request.proof.made.secret : undefined;
        return { value: { credential: record, secret }, status: 201 };
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

/** Whether a credential counts at a time, its client aside. */
export function isInForce({ state, expireTime }: CredentialRecord, now: number): boolean {
  return state === "active" && (expireTime === null || now < expireTime);
}

function credentialRecord(
  { sources }: BrokerParts,
  caller: Caller,
  { client, request: { proof, expireTime } }: { readonly client: ClientRecord; readonly request: CredentialRequest },
): CredentialRecord {
  const own = { id: createId("crd", sources), client: client.id, createTime: sources.clock.now() } as const;
  const common = { ...own, state: "active", expireTime } as const;
  if (proof.kind === "mtls") {
    const { subject } = proof;
    return { ...common, kind: "mtls", person: subject, hint: subject, digest: null, subject };
  }
  const { hint, digest } = proof.made;
  return { ...common, kind: "api-key", person: caller.principal.client.person, hint, digest, subject: null };
}

/** A certificate is of one client: its subject is free again when the credential that has it is revoked or has expired. */
function requireFreeSubject(catalog: Catalog, { subject }: CredentialRecord, now: number): void {
  if (subject === null || !catalog.credentialsBySubject(subject).some((other) => isInForce(other, now))) return;
  throw new KmsError("NAME_TAKEN", `subject: ${subject} belongs to another credential`, {
    metadata: { subject },
    errors: [{ pointer: "/subject", code: "conflict", detail: "wanted a subject that no credential in force has" }],
  });
}

/** The client's others of the same kind, with the end that the overlap sets; who ends before stays as it is. */
function endOthers(catalog: Catalog, fresh: CredentialRecord, overlapMs: number | undefined): readonly Mutation[] {
  if (overlapMs === undefined) return [];
  const expireTime = fresh.createTime + overlapMs;
  return catalog
    .credentials(fresh.client)
    .filter((other) => other.kind === fresh.kind && isInForce(other, fresh.createTime))
    .filter((other) => other.expireTime === null || other.expireTime > expireTime)
    .map((other) => ({
      table: "credentials",
      id: other.id,
      record: { ...other, expireTime },
      ifRevision: catalog.revisionOf("credentials", other.id),
    }));
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
