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

const message = bytes.optional().describe("What is signed, up to 524,288 bytes; or `digest`.");
const digest = bytes.optional().describe("The digest of the message, by the hash of the key's algorithm.");
const encoding = defaulted(z.enum(["der", "raw"]), "der").describe(
  "How an ECDSA signature is written: DER (RFC 3279), or r and s side by side.",
);

export const signItem = z
  .strictObject({ message, digest, encoding })
  .meta({ id: "SignRequest", override: { examples: [{ message: "aGVsbG8=" }] } });

export const verifyItem = z
  .strictObject({
    message,
    digest,
    signature: bytes,
    kid: optional(z.string().max(128)).describe("The public key that it should be of; any version's unless told."),
    encoding,
    verifyIn: defaulted(z.enum(["gateway", "provider"]), "gateway").describe(
      "Where it is checked: on the public key that the gateway keeps, or in the provider.",
    ),
  })
  .meta({ id: "VerifyRequest", override: { examples: [{ message: "aGVsbG8=", signature: "MEUCIQDJ" }] } });

export const macItem = z
  .strictObject({ message: bytes.describe("Up to 524,288 bytes, or what the provider of the key takes.") })
  .meta({ id: "MacRequest", override: { examples: [{ message: "aGVsbG8=" }] } });

export const verifyMacItem = z
  .strictObject({ message: bytes, mac: bytes })
  .meta({ id: "VerifyMacRequest", override: { examples: [{ message: "aGVsbG8=", mac: "3q2+7w==" }] } });

export const wrapItem = z
  .strictObject({ material: bytes.describe("The key that is wrapped, 1 byte and more."), format })
  .meta({ id: "WrapRequest", override: { examples: [{ material: "AAECAwQFBgcICQoLDA0ODw==" }] } });

export const unwrapItem = z
  .strictObject({ wrapped: ciphertext, format })
  .meta({ id: "UnwrapRequest", override: { examples: [{ wrapped: exampleCiphertext }] } });

export const agreeItem = z
  .strictObject({ peerPublicKey: bytes.describe("SPKI in DER, on the curve of the key.") })
  .meta({ id: "AgreeRequest", override: { examples: [{ peerPublicKey: "MFkwEwYHKoZIzj0CAQYI" }] } });

export const encapsulateItem = z.strictObject({}).meta({ id: "EncapsulateRequest", override: { examples: [{}] } });

export const decapsulateItem = z
  .strictObject({ ciphertext: bytes.describe("The bytes of FIPS 203.") })
  .meta({ id: "DecapsulateRequest", override: { examples: [{ ciphertext: "q83vASNFZ4k=" }] } });
