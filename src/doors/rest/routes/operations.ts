import { z } from "zod";
import type { Decrypted, Encrypted } from "#broker/ciphering.ts";
import { decrypt, decryptBatch, decryptByHeader } from "#broker/decrypt.ts";
import { encrypt, encryptBatch } from "#broker/encrypt.ts";
import { type DataKey, generateDataKey, generateDataKeyBatch } from "#broker/generate-data-key.ts";
import type { Served } from "#broker/operate.ts";
import { randomBytes } from "#broker/random.ts";
import { reencrypt, reencryptBatch, type Reencrypted } from "#broker/reencrypt.ts";
import type { Caller } from "#broker/caller.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { ciphertextJson, ciphertextText, readBytes, requireReadable } from "../ciphertext-form.ts";
import { operationBody } from "../operation-body.ts";
import { callerOf, type RestParts } from "../rest-parts.ts";
import { base64 } from "../schema/primitives.ts";
import { answers, batchable, DATA, run, served, type Use } from "./operation-run.ts";
import { dataKeyItem, decryptItem, encryptItem, randomBody, reencryptItem } from "../schema/operation-requests.ts";

const encryptAnswer = z.object({ ciphertext: z.string(), ...served }).meta({ id: "EncryptAnswer" });
const upgraded = z.object({ ciphertext: z.string(), keyVersion: z.int() });
const decryptAnswer = z
  .object({
    plaintext: base64,
    stale: z.boolean().describe("Not under the primary version any more."),
    upgraded: upgraded.optional().describe("Where `upgrade` was asked for."),
    ...served,
  })
  .meta({ id: "DecryptAnswer" });
const reencryptAnswer = z
  .object({
    ciphertext: z.string(),
    sourceKeyId: z.string(),
    sourceKeyVersion: z.int(),
    changed: z.boolean().describe("False: it was under the primary version already."),
    ...served,
  })
  .meta({ id: "ReencryptAnswer" });
const dataKeyAnswer = z
  .object({ ciphertext: z.string(), plaintext: base64.optional(), ...served })
  .meta({ id: "GenerateDataKeyAnswer" });
const randomAnswer = z.object({ bytes: base64, provider: z.string(), attempts: z.int() }).meta({ id: "RandomAnswer" });

/** The operations on keys (api.md § 7). */
export function operationRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...DATA,
      path: "/v1/keys/:key/encrypt",
      operation: "encrypt",
      summary: "Encrypt under the primary version",
      description: "Runs in the gateway for portable keys. The context is bound to the ciphertext, and is not in it.",
      body: operationBody(encryptItem),
      bodyDoc: batchable("Encrypt", encryptItem),
      answers: answers("Encrypt", encryptAnswer),
      handle: async ({ params, body, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const use: Use<z.output<typeof encryptItem>, Encrypted & Served> = {
          check: () => undefined,
          single: async (key, item) => await encrypt(broker, caller, key, item),
          batch: async (key, items) => await encryptBatch(broker, caller, key, items),
          toJson: ciphertextJson,
        };
        return await run(body, params, use);
      },
    }),
    authenticatedRoute({
      ...DATA,
      path: "/v1/keys/:key/decrypt",
      operation: "decrypt",
      summary: "Open a ciphertext of this key",
      description: "Everything that can be wrong with a ciphertext is the one error `CIPHERTEXT_INVALID`.",
      body: operationBody(decryptItem),
      bodyDoc: batchable("Decrypt", decryptItem),
      answers: answers("Decrypt", decryptAnswer),
      handle: async ({ params, body, facts }, principal) =>
        await run(body, params, decryptUse(parts, callerOf(parts, facts, principal))),
    }),
    authenticatedRoute({
      ...DATA,
      path: "/v1/decrypt",
      operation: "decrypt",
      operationId: "decryptByHeader",
      summary: "Open a ciphertext under the key that it names",
      description:
        "The key id in a ciphertext is public: one that is unknown, or not to be seen by the caller, is `KEY_NOT_FOUND`.",
      body: decryptItem,
      answers: { 200: decryptAnswer },
      handle: async ({ body, facts }, principal) => {
        requireReadable("ciphertext", body.ciphertext, body.format);
        const value = await decryptByHeader(broker, callerOf(parts, facts, principal), {
          ...body,
          ciphertext: readBytes(body.ciphertext, body.format),
        });
        return { status: 200, body: decryptedJson(value) };
      },
    }),
    authenticatedRoute({
      ...DATA,
      path: "/v1/keys/:key/reencrypt",
      operation: "reencrypt",
      summary: "Move a ciphertext under this key",
      description:
        "The plaintext never leaves the gateway. Wants `reencrypt-from` on the source and `reencrypt-to` on this key, not `decrypt`.",
      body: operationBody(reencryptItem),
      bodyDoc: batchable("Reencrypt", reencryptItem),
      answers: answers("Reencrypt", reencryptAnswer),
      handle: async ({ params, body, facts }, principal) =>
        await run(body, params, reencryptUse(parts, callerOf(parts, facts, principal))),
    }),
    authenticatedRoute({
      ...DATA,
      path: "/v1/keys/:key/generate-data-key",
      operation: "generate-data-key",
      summary: "Make a data key and its ciphertext",
      description: "Encrypt with the plaintext, keep the ciphertext beside the data, forget the plaintext.",
      body: operationBody(dataKeyItem),
      bodyDoc: batchable("GenerateDataKey", dataKeyItem),
      answers: answers("GenerateDataKey", dataKeyAnswer),
      handle: async ({ params, body, facts }, principal) =>
        await run(body, params, dataKeyUse(parts, callerOf(parts, facts, principal))),
    }),
    authenticatedRoute({
      ...DATA,
      path: "/v1/random",
      operation: "random",
      summary: "Random bytes",
      body: randomBody,
      answers: { 200: randomAnswer },
      handle: async ({ body, facts }, principal) => {
        const { bytes, provider, attempts } = await randomBytes(broker, callerOf(parts, facts, principal), {
          length: body.bytes,
          provider: body.provider,
        });
        return { status: 200, body: { bytes: bytes.toString("base64"), provider, attempts } };
      },
    }),
  ];
}

function decryptUse(parts: RestParts, caller: Caller): Use<z.output<typeof decryptItem>, Decrypted & Served> {
  const { broker } = parts;
  return {
    check: ({ ciphertext, format }) => requireReadable("ciphertext", ciphertext, format),
    single: async (key, item) =>
      await decrypt(broker, caller, key, {
        ...item,
        ciphertext: readBytes(item.ciphertext, item.format),
      }),
    batch: async (key, items) =>
      await decryptBatch(
        broker,
        caller,
        key,
        items.map((item) => ({ ...item, ciphertext: readBytes(item.ciphertext, item.format) })),
      ),
    toJson: decryptedJson,
  };
}

function decryptedJson({ plaintext, upgraded: fresh, ...rest }: Decrypted & Served): unknown {
  const json = { plaintext: plaintext.toString("base64"), ...rest };
  plaintext.fill(0);
  return fresh === undefined
    ? json
    : { ...json, upgraded: { ciphertext: ciphertextText(fresh), keyVersion: fresh.keyVersion } };
}

function reencryptUse(parts: RestParts, caller: Caller): Use<z.output<typeof reencryptItem>, Reencrypted & Served> {
  const { broker } = parts;
  return {
    check: ({ ciphertext, format }) => requireReadable("ciphertext", ciphertext, format),
    single: async (key, item) => await reencrypt(broker, caller, key, toReencryptItem(item)),
    batch: async (key, items) => await reencryptBatch(broker, caller, key, items.map(toReencryptItem)),
    toJson: ciphertextJson,
  };
}

function toReencryptItem(item: z.output<typeof reencryptItem>): Parameters<typeof reencrypt>[3] {
  return {
    ciphertext: readBytes(item.ciphertext, item.format),
    context: item.context,
    format: item.format,
    sourceKey: item.sourceKey,
    newContext: item.newContext ?? item.context,
  };
}

function dataKeyUse(parts: RestParts, caller: Caller): Use<z.output<typeof dataKeyItem>, DataKey & Served> {
  const { broker } = parts;
  return {
    check: () => undefined,
    single: async (key, item) => await generateDataKey(broker, caller, key, item),
    batch: async (key, items) => await generateDataKeyBatch(broker, caller, key, items),
    toJson: ({ plaintext, ...encrypted }) => {
      const json = ciphertextJson(encrypted);
      if (plaintext === undefined) return json;
      const text = plaintext.toString("base64");
      plaintext.fill(0);
      return { ...json, plaintext: text };
    },
  };
}
