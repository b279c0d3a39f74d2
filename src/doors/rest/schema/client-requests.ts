/** The bodies that make clients, credentials and namespaces (api.md § 9). */
import { z } from "zod";
import { NAMESPACE_NAME, RESERVED_NAMES } from "#core/names.ts";
import { ROLES } from "#core/records.ts";
import { KEY_OPERATION_NAMES } from "./ops-requests.ts";
import { defaulted, distinct, optional } from "./optional.ts";
import { time } from "./primitives.ts";
import { contextPairs } from "./string-maps.ts";

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

export const createCredentialBody = z
  .strictObject({ kind: z.literal("api-key"), expireTime: optional(time) })
  .meta({ id: "CreateCredentialRequest", override: { examples: [{ kind: "api-key" }] } });

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
