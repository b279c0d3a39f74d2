/** The bodies of operations (api.md § 7). */
import { z } from "zod";
import { NO_CONTEXT } from "#core/context.ts";
import { defaulted, optional } from "./optional.ts";
import { bytes, ciphertext, keyReference, providerName } from "./primitives.ts";
import { context } from "./string-maps.ts";

const format = defaulted(z.enum(["claviger", "native"]), "claviger").describe(
  "`native` is a provider's own bytes, for keys of native and replicated custody.",
);
const contextField = context.optional().transform((value) => value ?? NO_CONTEXT);
const exampleContext = { tenant: "acme" };
const exampleCiphertext = "clv1.Q0xWAQEBohARp2p9G6DCxix0UnVbAAAAAQ…";

export const encryptItem = z
  .strictObject({
    plaintext: bytes.describe("At most `maxPlaintextBytes` of the key; may be empty."),
    context: contextField,
    format,
  })
  .meta({ id: "EncryptRequest", override: { examples: [{ plaintext: "aGVsbG8=", context: exampleContext }] } });

export const decryptItem = z
  .strictObject({
    ciphertext,
    context: contextField,
    format,
    upgrade: defaulted(z.boolean(), false).describe(
      "Also answer a fresh ciphertext under the primary version; wants `encrypt`.",
    ),
  })
  .meta({ id: "DecryptRequest", override: { examples: [{ ciphertext: exampleCiphertext, context: exampleContext }] } });

export const reencryptItem = z
  .strictObject({
    ciphertext,
    context: contextField,
    format,
    sourceKey: optional(keyReference).describe("Whose ciphertext it is; the one that it names unless told."),
    newContext: context.optional().describe("What the new ciphertext is bound to; `context` unless told."),
  })
  .meta({
    id: "ReencryptRequest",
    override: { examples: [{ ciphertext: exampleCiphertext, context: exampleContext }] },
  });

export const dataKeyItem = z
  .strictObject({
    bytes: defaulted(z.int().min(1).max(1024), 32).describe("How long the data key is."),
    context: contextField,
    withPlaintext: defaulted(z.boolean(), true).describe("False: the ciphertext alone, for whoever opens it later."),
  })
  .meta({ id: "GenerateDataKeyRequest", override: { examples: [{ bytes: 32, context: exampleContext }] } });

export const randomBody = z
  .strictObject({
    bytes: z.int().min(1).max(1024),
    provider: optional(providerName).describe("Whose generator; the gateway's unless told."),
  })
  .meta({ id: "RandomRequest", override: { examples: [{ bytes: 32 }] } });
