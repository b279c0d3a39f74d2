/** The bodies that create and change keys (api.md § 5). */
import { z } from "zod";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { PURPOSES } from "#core/purposes.ts";
import { custodyRequest } from "./custody-request.ts";
import { clearable, defaulted, distinct, optional } from "./optional.ts";
import { characters, keyAlias, keyName, keyReference, time } from "./primitives.ts";
import { labelChanges, labels } from "./string-maps.ts";

const aliases = distinct(keyAlias, 16);
const contacts = z.array(characters(1, 255)).max(16);
const rotation = z.strictObject({
  everyDays: clearable(z.int().min(1).max(3650)),
  maxMessages: clearable(
    z
      .int()
      .min(1)
      .max(2 ** 32),
  ).describe("Raw AES-GCM keys: after so many messages under one version, looked at once a minute (SP 800-38D § 8.3)."),
  maxBytes: clearable(z.int().min(1)).describe("Raw AES-GCM keys: after so many bytes of plaintext under one version."),
});

export const purpose = defaulted(z.enum(PURPOSES), "encrypt");
export const algorithm = optional(z.enum(ALGORITHM_NAMES)).describe("The default of purpose and custody unless told.");

const createKeyFields = z.strictObject({
  name: keyName,
  aliases: defaulted(aliases, []),
  labels: defaulted(labels, {}).describe("Routes may place by them."),
  description: defaulted(characters(0, 1000), ""),
  owner: defaulted(characters(0, 255), ""),
  contacts: defaulted(contacts, []),
  dataClass: defaulted(characters(0, 255), ""),
  attributes: defaulted(labels, {}),
  purpose,
  algorithm,
  custody: optional(custodyRequest),
  exportability: optional(z.strictObject({ extractable: optional(z.boolean()), sensitive: optional(z.boolean()) })),
  activate: optional(z.boolean()).describe("False: it stays `generated`. The namespace's unless told."),
  activateTime: optional(time),
  protectStopTime: optional(time).describe("From then on it protects nothing new."),
  deactivateTime: optional(time),
  rotation: optional(rotation).describe("When it gets a new version: every 365 days unless told, `null` for never."),
  material: defaulted(z.enum(["generate", "import"]), "generate").describe(
    "`import`: made without material, which comes by `import`; for keys that a provider holds.",
  ),
  onState: optional(z.enum(["stop", "continue"])).describe(
    "What a provider's state does to the key; the route's unless told.",
  ),
  reuseName: defaulted(z.boolean(), false).describe("Takes names that destroyed keys have; those go by their ids."),
});

/** What POST takes of a key. */
export const CREATE_KEY_FIELDS = Object.keys(createKeyFields.shape);

export const createKeyBody = createKeyFields
  .superRefine(({ name, aliases: list }, context) => {
    const at = list.indexOf(name);
    if (at < 0) return;
    context.addIssue({
      code: "custom",
      path: ["aliases", at],
      message: "is the key's own name",
      params: { code: "duplicate" },
    });
  })
  .meta({ id: "CreateKeyRequest", override: { examples: [{ name: "orders", labels: { team: "payments" } }] } });

export const updateKeyBody = z
  .strictObject({
    aliases: clearable(aliases).describe("Replaces the list."),
    labels: clearable(labelChanges),
    attributes: clearable(labelChanges),
    description: clearable(characters(0, 1000)),
    owner: clearable(characters(0, 255)),
    contacts: clearable(contacts),
    dataClass: clearable(characters(0, 255)),
    activateTime: clearable(time),
    protectStopTime: clearable(time),
    deactivateTime: clearable(time),
    rotation: clearable(rotation),
  })
  .meta({
    id: "UpdateKeyRequest",
    description: "Absent stays, `null` clears.",
    override: { examples: [{ description: "Card numbers of orders", labels: { team: null } }] },
  });

export const moveAliasBody = z
  .strictObject({ from: keyReference.describe("Who has it."), to: keyReference.describe("Who gets it.") })
  .meta({ id: "MoveAliasRequest", override: { examples: [{ from: "orders-2025", to: "orders-2026" }] } });
