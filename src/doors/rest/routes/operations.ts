import { z } from "zod";
import { KmsError } from "#core/errors.ts";
import { looksLikeCiphertext, readCiphertext, writeCiphertext } from "#broker/ciphertext-text.ts";
import { decrypt, decryptBatch, decryptByHeader, type Decrypted } from "#broker/decrypt.ts";
import { encrypt, encryptBatch, type Encrypted } from "#broker/encrypt.ts";
import { type DataKey, generateDataKey, generateDataKeyBatch } from "#broker/generate-data-key.ts";
import type { ItemOutcome, Served } from "#broker/operate.ts";
import { randomBytes } from "#broker/random.ts";
import { reencrypt, reencryptBatch, type Reencrypted } from "#broker/reencrypt.ts";
import type { Caller } from "#broker/caller.ts";
import { toItemProblem } from "#http/problem.ts";
import { authenticatedRoute, type Params, type Reply, type Route } from "#http/route.ts";
import { type OperationBody, operationBody } from "../operation-body.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { base64 } from "../schema/primitives.ts";
import { itemErrorAnswer } from "../schema/problem.ts";
import { dataKeyItem, decryptItem, encryptItem, randomBody, reencryptItem } from "../schema/operation-requests.ts";

const DATA = { method: "POST", plane: "data", changes: false, maxBodyBytes: 1_048_576, query: undefined } as const;

const served = {
  keyId: z.string(),
  keyVersion: z.int(),
  provider: z.string().describe("`gateway`, or the provider that did it."),
  attempts: z.int().describe("Provider calls made for it; 0 is none."),
};

/** An answer, or those of a batch in the order of its items. */
function answers(name: string, single: z.ZodType): Readonly<Record<number, z.ZodType>> {
  const batch = z
    .object({
      items: z.array(z.union([single, itemErrorAnswer])).describe("In the order of the request."),
      failed: z.int(),
    })
    .meta({ id: `${name}BatchAnswer` });
  return { 200: z.union([single, batch]), 207: batch };
}

function batchable(name: string, single: z.ZodType): z.ZodType {
  const batch = z.strictObject({ items: z.array(single).min(1).max(1000) }).meta({ id: `${name}BatchRequest` });
  return z.union([single, batch]);
}

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
          toJson: (value) => ({ ...value, ciphertext: writeCiphertext(value.ciphertext) }),
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
        requireDecryptable(body);
        const value = await decryptByHeader(broker, callerOf(parts, facts, principal), {
          ...body,
          ciphertext: readCiphertext(body.ciphertext),
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

type Use<I, V> = {
  /** What no use case can judge: values of this door. @throws {KmsError} */
  readonly check: (item: I) => void;
  readonly single: (key: string, item: I) => Promise<V>;
  readonly batch: (key: string, items: readonly I[]) => Promise<readonly ItemOutcome<V>[]>;
  readonly toJson: (value: V) => unknown;
};

async function run<I, V>(body: OperationBody<I>, params: Params, use: Use<I, V>): Promise<Reply> {
  const key = param(params, "key");
  if (body.kind === "single") {
    use.check(body.item);
    return { status: 200, body: use.toJson(await use.single(key, body.item)) };
  }
  const checked = body.items.map((item) => (item.ok ? checkItem(item.item, use) : item));
  const good = checked.flatMap((item) => (item.ok ? [item.item] : []));
  const outcomes = (await use.batch(key, good)).values();
  const items = checked.map((item) => {
    const outcome = item.ok ? outcomes.next().value : item;
    if (outcome === undefined) return { error: toItemProblem(new KmsError("INTERNAL", "something went wrong inside")) };
    return outcome.ok && "value" in outcome
      ? use.toJson(outcome.value)
      : { error: toItemProblem((outcome as { error: KmsError }).error) };
  });
  const failed = items.filter((item) => typeof item === "object" && item !== null && "error" in item).length;
  return { status: failed === 0 ? 200 : 207, body: { items, failed } };
}

type Checked<I> = { readonly ok: true; readonly item: I } | { readonly ok: false; readonly error: KmsError };

function checkItem<I, V>(item: I, use: Use<I, V>): Checked<I> {
  try {
    use.check(item);
    return { ok: true, item };
  } catch (error) {
    if (error instanceof KmsError) return { ok: false, error };
    throw error;
  }
}

function decryptUse(parts: RestParts, caller: Caller): Use<z.output<typeof decryptItem>, Decrypted & Served> {
  const { broker } = parts;
  return {
    check: requireDecryptable,
    single: async (key, item) =>
      await decrypt(broker, caller, key, { ...item, ciphertext: readCiphertext(item.ciphertext) }),
    batch: async (key, items) =>
      await decryptBatch(
        broker,
        caller,
        key,
        items.map((item) => ({ ...item, ciphertext: readCiphertext(item.ciphertext) })),
      ),
    toJson: decryptedJson,
  };
}

function decryptedJson({ plaintext, upgraded: fresh, ...rest }: Decrypted & Served): unknown {
  const json = { plaintext: plaintext.toString("base64"), ...rest };
  plaintext.fill(0);
  return fresh === undefined
    ? json
    : { ...json, upgraded: { ...fresh, ciphertext: writeCiphertext(fresh.ciphertext) } };
}

function reencryptUse(parts: RestParts, caller: Caller): Use<z.output<typeof reencryptItem>, Reencrypted & Served> {
  const { broker } = parts;
  return {
    check: requireDecryptable,
    single: async (key, item) => await reencrypt(broker, caller, key, toReencryptItem(item)),
    batch: async (key, items) => await reencryptBatch(broker, caller, key, items.map(toReencryptItem)),
    toJson: (value) => ({ ...value, ciphertext: writeCiphertext(value.ciphertext) }),
  };
}

function toReencryptItem(item: z.output<typeof reencryptItem>): Parameters<typeof reencrypt>[3] {
  return {
    ciphertext: readCiphertext(item.ciphertext),
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
    toJson: ({ plaintext, ciphertext, ...rest }) => {
      const json = { ciphertext: writeCiphertext(ciphertext), ...rest };
      if (plaintext === undefined) return json;
      const text = plaintext.toString("base64");
      plaintext.fill(0);
      return { ...json, plaintext: text };
    },
  };
}

function requireDecryptable({
  ciphertext,
  format,
}: {
  readonly ciphertext: string;
  readonly format: "claviger" | "native";
}): void {
  if (format === "native" || looksLikeCiphertext(ciphertext)) return;
  throw new KmsError("INVALID_ARGUMENT", "ciphertext: wanted a text that begins with clv1.", {
    errors: [{ pointer: "/ciphertext", code: "format", detail: "wanted a text that begins with clv1." }],
  });
}
