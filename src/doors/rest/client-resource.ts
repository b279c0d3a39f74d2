/** Clients and credentials as answers tell them (api.md § 9). */
import { z } from "zod";
import type { ClientView } from "#broker/clients.ts";
import { isInForce } from "#broker/credentials.ts";
import { type CredentialRecord, ROLES } from "#core/records.ts";
import type { RestParts } from "./rest-parts.ts";
import { iso, isoTime, isoTimeOrNull } from "./schema/primitives.ts";

export const credentialAnswer = z
  .object({
    id: z.string(),
    kind: z.enum(["api-key", "mtls", "oidc", "aws"]),
    hint: z.string(),
    subject: z.string().nullable().meta({ description: "What its certificate says; null for other kinds." }),
    person: z
      .string()
      .meta({ description: "Who acts with it: the certificate's holder, or whoever made the API key." }),
    state: z.enum(["active", "revoked", "expired"]),
    createTime: iso,
    expireTime: iso.nullable(),
    lastUseTime: iso.nullable().meta({ description: "By the hour." }),
  })
  .meta({ id: "Credential" });

export const newCredentialAnswer = credentialAnswer
  .extend({ secret: z.string().optional().meta({ description: "Shown once." }) })
  .meta({ id: "NewCredential" });

export const clientAnswer = z
  .object({
    id: z.string(),
    name: z.string(),
    namespace: z.string(),
    person: z.string().meta({ description: "The holder of its certificate; where it has none, whoever made it." }),
    role: z.enum(ROLES),
    keys: z.array(z.string()),
    allow: z.array(z.string()),
    contextEquals: z.record(z.string(), z.string()),
    expireTime: iso.nullable(),
    credentials: z.array(credentialAnswer),
    createTime: iso,
  })
  .meta({ id: "Client" });

export const accessAnswer = z
  .object({
    clientId: z.string(),
    client: z.string(),
    keyId: z.string(),
    keyName: z.string(),
    operation: z.string(),
    allowed: z.boolean(),
    decidedBy: z.enum([
      "client-expired",
      "no-credential",
      "keys",
      "role",
      "allow",
      "context-equals",
      "key-state",
      "purpose",
      "granted",
    ]),
    code: z.string().nullable().meta({ description: "What the client would be told; null where it may." }),
    detail: z.string(),
  })
  .meta({ id: "AccessExplanation" });

export function toClientJson(parts: RestParts, { client, credentials }: ClientView): z.input<typeof clientAnswer> {
  const { id, name, namespace, role, keys, allow, contextEquals } = client;
  const now = parts.sources.clock.now();
  const enrolled = credentials.findLast((credential) => credential.kind === "mtls" && isInForce(credential, now));
  return {
    id,
    name,
    namespace,
    person: enrolled?.person ?? client.person,
    role,
    keys: [...keys],
    allow: [...allow],
    contextEquals,
    expireTime: isoTimeOrNull(client.expireTime),
    credentials: credentials.map((credential) => toCredentialJson(parts, credential)),
    createTime: isoTime(client.createTime),
  };
}

export function toCredentialJson(
  { sources, broker }: RestParts,
  credential: CredentialRecord,
): z.input<typeof credentialAnswer> {
  const { id, kind, hint, subject, person, state, expireTime, createTime } = credential;
  return {
    id,
    kind,
    hint,
    subject,
    person,
    state: state === "active" && !isInForce(credential, sources.clock.now()) ? "expired" : state,
    createTime: isoTime(createTime),
    expireTime: isoTimeOrNull(expireTime),
    lastUseTime: isoTimeOrNull(broker.store.lastUse(id) ?? null),
  };
}
