/** The bodies of requests. A field that is absent takes its default; `null` means the same, unless it says that it clears. */
import { z } from "zod";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { NAMESPACE_NAME, PROVIDER_NAME, RESERVED_NAMES } from "#core/names.ts";
import { KEY_OPERATIONS, type KeyOperation, PURPOSES } from "#core/purposes.ts";
import { ROLES } from "#core/records.ts";
import { STATE_REASONS } from "#core/states.ts";
import { NO_CONTEXT } from "#core/context.ts";
import {
  attributeChanges,
  attributes,
  bytes,
  characters,
  context,
  keyAlias,
  keyName,
  labelChanges,
  labels,
  time,
} from "./primitives.ts";

/** Absent and `null` are one. */
function optional<S extends z.ZodType>(schema: S): z.ZodType<z.output<S> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

function defaulted<S extends z.ZodType>(schema: S, value: z.output<S>): z.ZodType<z.output<S>> {
  return schema.nullish().transform((given) => given ?? value);
}

/** Absent stays absent; `null` clears. */
function clearable<S extends z.ZodType>(schema: S): z.ZodOptional<z.ZodNullable<S>> {
  return schema.nullable().optional();
}

const providerName = z.string().regex(PROVIDER_NAME);
const distinct = (list: readonly string[]): boolean => new Set(list).size === list.length;
const noRepeats = { error: "wanted no repeats", params: { code: "duplicate" } };

const aliases = z.array(keyAlias).max(16).refine(distinct, noRepeats);
const contacts = z.array(characters(1, 255)).max(16);
const holders = z.array(providerName).min(1).max(16).refine(distinct, noRepeats);
const rotationDays = z.int().min(1).max(3650);

const portable = z.strictObject({
  kind: z.literal("portable"),
  holders: optional(holders),
  minimum: optional(z.int().min(1).max(16)),
  threshold: optional(z.int().min(1).max(16)),
  dedicated: optional(z.boolean()),
});
const native = z.strictObject({ kind: z.literal("native"), provider: optional(providerName) });
const replicated = z.strictObject({
  kind: z.literal("replicated"),
  holders: optional(holders),
  minimum: optional(z.int().min(1).max(16)),
});
const perProvider = z.strictObject({
  kind: z.literal("per-provider"),
  holders: optional(holders),
  minimum: optional(z.int().min(1).max(16)),
});
export const custodyRequest = z.discriminatedUnion("kind", [portable, native, replicated, perProvider]);

export const createKeyBody = z
  .strictObject({
    name: keyName,
    aliases: defaulted(aliases, []),
    labels: defaulted(labels, {}),
    description: defaulted(characters(0, 1000), ""),
    owner: defaulted(characters(0, 255), ""),
    contacts: defaulted(contacts, []),
    dataClass: defaulted(characters(0, 255), ""),
    attributes: defaulted(attributes, {}),
    purpose: defaulted(z.enum(PURPOSES), "encrypt"),
    algorithm: optional(z.enum(ALGORITHM_NAMES)),
    custody: optional(custodyRequest),
    exportability: optional(z.strictObject({ extractable: optional(z.boolean()), sensitive: optional(z.boolean()) })),
    activate: optional(z.boolean()),
    activateTime: optional(time),
    protectStopTime: optional(time),
    deactivateTime: optional(time),
    rotation: optional(z.strictObject({ everyDays: z.union([rotationDays, z.null()]).optional() })),
    onState: optional(z.enum(["stop", "continue"])),
  })
  .meta({ id: "CreateKeyRequest" });

export const updateKeyBody = z
  .strictObject({
    aliases: clearable(aliases),
    labels: clearable(labelChanges),
    attributes: clearable(attributeChanges),
    description: clearable(characters(0, 1000)),
    owner: clearable(characters(0, 255)),
    contacts: clearable(contacts),
    dataClass: clearable(characters(0, 255)),
    activateTime: clearable(time),
    protectStopTime: clearable(time),
    deactivateTime: clearable(time),
    rotation: clearable(z.strictObject({ everyDays: clearable(rotationDays) })),
  })
  .meta({ id: "UpdateKeyRequest" });

export const moveAliasBody = z
  .strictObject({ from: z.string().max(300), to: z.string().max(300) })
  .meta({ id: "MoveAliasRequest" });

const format = defaulted(z.enum(["claviger", "native"]), "claviger");
const contextField = context.optional().transform((value) => value ?? NO_CONTEXT) as unknown as z.ZodType<
  z.output<typeof context>
>;
const ciphertext = z.string().max(2_000_000);

export const encryptItem = z
  .strictObject({ plaintext: bytes, context: contextField, format })
  .meta({ id: "EncryptRequest" });
export const decryptItem = z
  .strictObject({ ciphertext, context: contextField, format, upgrade: defaulted(z.boolean(), false) })
  .meta({ id: "DecryptRequest" });
export const reencryptItem = z
  .strictObject({
    ciphertext,
    context: contextField,
    format,
    sourceKey: optional(z.string().max(300)),
    newContext: context.optional(),
  })
  .meta({ id: "ReencryptRequest" });
export const dataKeyItem = z
  .strictObject({
    bytes: defaulted(z.int().min(1).max(1024), 32),
    context: contextField,
    withPlaintext: defaulted(z.boolean(), true),
  })
  .meta({ id: "GenerateDataKeyRequest" });
export const randomBody = z
  .strictObject({ bytes: z.int().min(1).max(1024), provider: optional(providerName) })
  .meta({ id: "RandomRequest" });

const told = { detail: optional(characters(0, 1000)), ticket: optional(characters(0, 128)) };
const freeReason = characters(1, 200);
export const activateBody = z.strictObject(told).meta({ id: "ActivateRequest" });
export const suspendBody = z
  .strictObject({ reason: z.enum(STATE_REASONS.suspended), processing: optional(z.enum(["allow", "deny"])), ...told })
  .meta({ id: "SuspendRequest" });
export const resumeBody = z.strictObject({ reason: freeReason, ...told }).meta({ id: "ResumeRequest" });
export const deactivateBody = z
  .strictObject({ reason: z.enum(["revoked", "superseded"]), ...told })
  .meta({ id: "DeactivateRequest" });
export const compromiseBody = z
  .strictObject({ reason: freeReason, occurrenceTime: optional(time), ...told })
  .meta({ id: "CompromiseRequest" });
export const rotateBody = z
  .strictObject({
    reason: optional(freeReason),
    prepublishSeconds: defaulted(z.int().min(0).max(31_536_000), 0),
    ...told,
  })
  .meta({ id: "RotateRequest" });

export const drainBody = z.strictObject({ reason: characters(1, 1000) }).meta({ id: "DrainRequest" });
export const restoreBody = z
  .strictObject({ share: defaulted(z.number().gt(0).max(1), 1) })
  .meta({ id: "RestoreRequest" });
export const emptyBody = z.strictObject({});

const assumed = defaulted(z.array(providerName).max(16), []);
export const explainBody = z
  .strictObject({
    operation: z.union([
      z.literal("create-key"),
      z.enum(Object.keys(KEY_OPERATIONS) as [KeyOperation, ...KeyOperation[]]),
    ]),
    key: optional(z.string().max(300)),
    create: optional(
      z.strictObject({
        labels: defaulted(labels, {}),
        purpose: defaulted(z.enum(PURPOSES), "encrypt"),
        algorithm: optional(z.enum(ALGORITHM_NAMES)),
        custody: optional(custodyRequest),
        name: optional(keyName),
      }),
    ),
    assume: optional(z.strictObject({ down: assumed, drained: assumed, throttled: assumed })),
  })
  .meta({ id: "ExplainRequest" });

const clientName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u);
const glob = z.string().min(1).max(255);
const allowed = z.union([z.literal("*"), z.enum(Object.keys(KEY_OPERATIONS) as [KeyOperation, ...KeyOperation[]])]);
export const createClientBody = z
  .strictObject({
    name: clientName,
    role: defaulted(z.enum(ROLES), "user"),
    keys: defaulted(z.array(glob).max(100), ["*"]),
    allow: defaulted(z.array(allowed).max(20).refine(distinct, noRepeats), []),
    contextEquals: defaulted(labels, {}),
    expireTime: optional(time),
  })
  .meta({ id: "CreateClientRequest" });
export const createCredentialBody = z
  .strictObject({ kind: z.literal("api-key"), expireTime: optional(time) })
  .meta({ id: "CreateCredentialRequest" });

export const createNamespaceBody = z
  .strictObject({
    name: z
      .string()
      .regex(NAMESPACE_NAME)
      .refine((name) => !RESERVED_NAMES.includes(name), {
        error: "wanted a name that is not reserved",
        params: { code: "conflict" },
      }),
    dualControl: defaulted(z.boolean(), true),
    approvers: defaulted(z.int().min(1).max(10), 1),
    activation: defaulted(z.enum(["automatic", "manual"]), "automatic"),
  })
  .meta({ id: "CreateNamespaceRequest" });
