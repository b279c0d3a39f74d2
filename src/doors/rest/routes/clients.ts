import { z } from "zod";
import { createClient, getClient, listClients } from "#broker/clients.ts";
import { createCredential, revokeCredential } from "#broker/credentials.ts";
import { explainClientAccess } from "#broker/explain-access.ts";
import { createNamespace, listNamespaces } from "#broker/namespaces.ts";
import type { NamespaceRecord } from "#core/records.ts";
import { unsafeRevealSecret } from "#core/secret.ts";
import { createApiKey } from "#http/api-key.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import {
  accessAnswer,
  clientAnswer,
  credentialAnswer,
  newCredentialAnswer,
  toClientJson,
  toCredentialJson,
} from "../client-resource.ts";
import { listAnswer } from "../list.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { iso, isoTime } from "../schema/primitives.ts";
import {
  accessExplainBody,
  createClientBody,
  createCredentialBody,
  createNamespaceBody,
} from "../schema/client-requests.ts";
import { emptyBody } from "../schema/verb-requests.ts";

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
  return [
    ...clientResource(parts),
    ...credentialResource(parts),
    accessExplanation(parts),
    ...namespaceResource(parts),
  ];
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
      summary: "Give a client a credential; the secret of an API key is shown once",
      body: createCredentialBody,
      answers: { 201: newCredentialAnswer },
      handle: async ({ params, body, facts }, principal) => {
        const { overlapSeconds, expireTime = null } = body;
        const input = {
          expireTime,
          overlapMs: overlapSeconds === undefined ? undefined : overlapSeconds * 1000,
          proof:
            body.kind === "mtls"
              ? { kind: body.kind, subject: body.subject }
              : { kind: body.kind, made: createApiKey(parts.sources.random) },
        };
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

function accessExplanation(parts: RestParts): Route {
  return authenticatedRoute({
    ...CHANGE,
    changes: false,
    path: "/v1/keys/:key/access-explain",
    operation: "keys.access-explain",
    summary: "Say whether a client may run an operation on a key, and which rule decides",
    body: accessExplainBody,
    answers: { 200: accessAnswer },
    handle: async ({ params, body, facts }, principal) => {
      const question = { ...body, key: param(params, "key") };
      const { client, key, ...answer } = await explainClientAccess(
        parts.broker,
        callerOf(parts, facts, principal),
        question,
      );
      const { operation } = body;
      const names = { clientId: client.id, client: client.name, keyId: key.id, keyName: key.name };
      return { status: 200, body: { ...names, operation, ...answer } };
    },
  });
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

function toNamespaceJson({
  name,
  dualControl,
  approvers,
  activation,
  createTime,
}: NamespaceRecord): z.input<typeof namespaceAnswer> {
  return { name, dualControl, approvers, activation, createTime: isoTime(createTime) };
}
