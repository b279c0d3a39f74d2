/** The bodies that make clients, credentials and namespaces (api.md § 9). */
import { z } from "zod";
import { NAMESPACE_NAME, RESERVED_NAMES } from "#core/names.ts";
import { ROLES } from "#core/records.ts";
import { canonicalSubject } from "#core/subject-name.ts";
import { KEY_OPERATION_NAMES } from "./ops-requests.ts";
import { defaulted, distinct, optional } from "./optional.ts";
import { time } from "./primitives.ts";
import { context, contextPairs } from "./string-maps.ts";

const glob = z.string().min(1).max(255);

export const createClientBody = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u),
    role: defaulted(z.enum(ROLES), "user"),
    keys: defaulted(z.array(glob).max(100), ["*"]).describe("Names of keys, as globs."),
    allow: defaulted(distinct(z.enum(["*", ...KEY_OPERATION_NAMES]), 20), []).describe(
      "Operations on those keys; a client without any can do nothing with them.",
    ),
    contextEquals: defaulted(contextPairs, {}).describe("Pairs that every context of its must have."),
    expireTime: optional(time),
  })
  .meta({
    id: "CreateClientRequest",
    override: { examples: [{ name: "checkout", keys: ["orders*"], allow: ["encrypt", "decrypt"] }] },
  });

const YEAR_SECONDS = 31_536_000;
const credentialEnd = {
  expireTime: optional(time),
  overlapSeconds: optional(z.int().min(0).max(YEAR_SECONDS)).describe(
    "Ends the client's other credentials of this kind that long after this one is made; absent: they go on.",
  ),
};
const subject = z
  .string()
  .transform((text, refinement): string => {
    const canonical = canonicalSubject(text);
    if (canonical !== undefined) return canonical;
    refinement.addIssue({
      code: "custom",
      message: "wanted a name of RFC 4514 such as CN=checkout,O=Example, or a spiffe:// id",
      params: { code: "format" },
    });
    return z.NEVER;
  })
  .meta({ override: { type: "string", minLength: 1, maxLength: 2048 } })
  .describe("What the certificate says: its first `spiffe://` name, or else its subject as RFC 4514 writes it.");

export const createCredentialBody = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("api-key"), ...credentialEnd }),
    z.strictObject({ kind: z.literal("mtls"), subject, ...credentialEnd }),
  ])
  .meta({
    id: "CreateCredentialRequest",
    override: { examples: [{ kind: "api-key" }, { kind: "mtls", subject: "spiffe://example.org/checkout" }] },
  });

export const accessExplainBody = z
  .strictObject({
    client: z.string().min(1).max(128).describe("Id or name of a client."),
    operation: z.enum(KEY_OPERATION_NAMES),
    context: optional(context).describe("Absent: any that the client is bound to."),
  })
  .meta({ id: "AccessExplainRequest", override: { examples: [{ client: "checkout", operation: "encrypt" }] } });

export const createNamespaceBody = z
  .strictObject({
    name: z
      .string()
      .regex(NAMESPACE_NAME)
      .refine((name) => !RESERVED_NAMES.includes(name), {
        error: "wanted a name that is not reserved",
        params: { code: "conflict" },
      }),
    dualControl: defaulted(z.boolean(), true).describe("Whether what is dangerous needs another person."),
    approvers: defaulted(z.int().min(1).max(10), 1),
    activation: defaulted(z.enum(["automatic", "manual"]), "automatic"),
  })
  .meta({ id: "CreateNamespaceRequest", override: { examples: [{ name: "payments" }] } });
