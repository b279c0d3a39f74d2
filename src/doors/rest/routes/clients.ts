import { z } from "zod";
import {
  type ClientView,
  createClient,
  createCredential,
  getClient,
  listClients,
  revokeCredential,
} from "#broker/clients.ts";
import { createNamespace, listNamespaces } from "#broker/namespaces.ts";
import { type CredentialRecord, type NamespaceRecord, ROLES } from "#core/records.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { createApiKey } from "#http/api-key.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { listAnswer } from "../list.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { iso, isoTime, isoTimeOrNull } from "../schema/primitives.ts";
import { createClientBody, createCredentialBody, createNamespaceBody } from "../schema/client-requests.ts";
import { emptyBody } from "../schema/verb-requests.ts";

const credentialAnswer = z
  .object({
    id: z.string(),
    kind: z.enum(["api-key", "mtls", "oidc", "aws"]),
    hint: z.string(),
    state: z.enum(["active", "revoked", "expired"]),
    createTime: iso,
    expireTime: iso.nullable(),
    lastUseTime: iso.nullable(),
  })
  .meta({ id: "Credential" });
const newCredentialAnswer = credentialAnswer
  .extend({ secret: z.string().optional().meta({ description: "Shown once." }) })
  .meta({ id: "NewCredential" });
const clientAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    namespace: z.string(),
    person: z.string(),
    role: z.enum(ROLES),
    keys: z.array(z.string()),
    allow: z.array(z.string()),
    contextEquals: z.record(z.string(), z.string()),
    expireTime: iso.nullable(),
    credentials: z.array(credentialAnswer),
    createTime: iso,
  })
  .meta({ id: "Client" });
const namespaceAnswer = z
  .object({
    name: z.string(),
    dualControl: z.boolean(),
    approvers: z.int(),
    activation: z.enum(["automatic", "manual"]),
    createTime: iso,
  })
  .meta({ id: "Namespace" });

const CONTROL = { plane: "control", maxBodyBytes: 1_048_576, query: undefined } as const;
const CHANGE = { ...CONTROL, method: "POST", changes: true } as const;
const READ = { ...CONTROL, method: "GET", changes: false, body: undefined } as const;

/** Clients, their credentials, and namespaces (api.md § 9). */
export function clientRoutes(parts: RestParts): readonly Route[] {
  return [...clientResource(parts), ...credentialResource(parts), ...namespaceResource(parts)];
}

function clientResource(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/clients",
      operation: "clients.create",
      summary: "Create a client",
      body: createClientBody,
      answers: { 201: clientAnswer },
      handle: async ({ body, facts }, principal) => {
        const request = { ...body, expireTime: body.expireTime ?? null };
        const changed = await createClient(broker, callerOf(parts, facts, principal), request);
        const headers = changed.status === 201 ? { Location: `/v1/clients/${changed.value.client.id}` } : {};
        return changedReply({ ...changed, value: toClientJson(parts, changed.value) }, headers);
      },
    }),
    authenticatedRoute({
      ...READ,
      path: "/v1/clients",
      operation: "clients.list",
      summary: "List clients",
      answers: { 200: listAnswer(clientAnswer) },
      handle: async ({ facts }, principal) => {
        const items = listClients(broker, callerOf(parts, facts, principal)).map((view) => toClientJson(parts, view));
        return await Promise.resolve({ status: 200, body: { items, nextCursor: null } });
      },
    }),
    authenticatedRoute({
      ...READ,
      path: "/v1/clients/:client",
      operation: "clients.get",
      summary: "Read a client, by id or name",
      answers: { 200: clientAnswer },
      handle: async ({ params, facts }, principal) => ({
        status: 200,
        body: toClientJson(parts, await getClient(broker, callerOf(parts, facts, principal), param(params, "client"))),
      }),
    }),
  ];
}

function credentialResource(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/clients/:client/credentials",
      operation: "clients.credentials.create",
      summary: "Give a client a credential; the secret is shown once",
      body: createCredentialBody,
      answers: { 201: newCredentialAnswer },
      handle: async ({ params, body, facts }, principal) => {
        const input = { expireTime: body.expireTime ?? null, made: createApiKey(parts.sources.random) };
        const changed = await createCredential(
          broker,
          callerOf(parts, facts, principal),
          param(params, "client"),
          input,
        );
        const { credential, secret } = changed.value;
        const json = toCredentialJson(parts, credential);
        return changedReply({
          ...changed,
          value: secret === undefined ? json : { ...json, secret: unsafeRevealSecret(secret) },
        });
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/clients/:client/credentials/:credential/revoke",
      operation: "clients.credentials.revoke",
      summary: "Revoke a credential",
      body: emptyBody,
      answers: { 200: credentialAnswer },
      handle: async ({ params, facts }, principal) => {
        const names = { client: param(params, "client"), credential: param(params, "credential") };
        const changed = await revokeCredential(broker, callerOf(parts, facts, principal), names);
        return changedReply({ ...changed, value: toCredentialJson(parts, changed.value) });
      },
    }),
  ];
}

function namespaceResource(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...READ,
      path: "/v1/namespaces",
      operation: "namespaces.list",
      summary: "List namespaces",
      answers: { 200: listAnswer(namespaceAnswer) },
      handle: async ({ facts }, principal) => {
        const items = listNamespaces(broker, callerOf(parts, facts, principal)).map(toNamespaceJson);
        return await Promise.resolve({ status: 200, body: { items, nextCursor: null } });
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/namespaces",
      operation: "namespaces.create",
      summary: "Create a namespace",
      body: createNamespaceBody,
      answers: { 201: namespaceAnswer },
      handle: async ({ body, facts }, principal) => {
        const changed = await createNamespace(broker, callerOf(parts, facts, principal), body);
        return changedReply({ ...changed, value: toNamespaceJson(changed.value) });
      },
    }),
  ];
}

function toClientJson(parts: RestParts, { client, credentials }: ClientView): z.input<typeof clientAnswer> {
  const { id, name, namespace, person, role, keys, allow, contextEquals } = client;
  return {
    id,
    name,
    namespace,
    person,
    role,
    keys: [...keys],
    allow: [...allow],
    contextEquals,
    expireTime: isoTimeOrNull(client.expireTime),
    credentials: credentials.map((credential) => toCredentialJson(parts, credential)),
    createTime: isoTime(client.createTime),
  };
}

function toCredentialJson({ sources }: RestParts, credential: CredentialRecord): z.input<typeof credentialAnswer> {
  const { id, kind, hint, state, expireTime, createTime } = credential;
  const expired = expireTime !== null && sources.clock.now() >= expireTime;
  return {
    id,
    kind,
    hint,
    state: state === "active" && expired ? "expired" : state,
    createTime: isoTime(createTime),
    expireTime: isoTimeOrNull(expireTime),
    lastUseTime: null,
  };
}

function toNamespaceJson({
  name,
  dualControl,
  approvers,
  activation,
  createTime,
}: NamespaceRecord): z.input<typeof namespaceAnswer> {
  return { name, dualControl, approvers, activation, createTime: isoTime(createTime) };
}
