import { z } from "zod";
import { exposureAt } from "#broker/exposure.ts";
import { createKey } from "#broker/create-key.ts";
import { cancelDestroyKey, destroyKey, destructionPlanHash } from "#broker/destroy-key.ts";
import { activateKey, archiveKey, compromiseKey, deactivateKey, resumeKey, suspendKey } from "#broker/change-state.ts";
import type { Changed } from "#broker/caller.ts";
import type { KeyView } from "#broker/key-view.ts";
import { moveAlias } from "#broker/move-alias.ts";
import { operationOf } from "#broker/operations.ts";
import { getHistory, getKey, type KeyFilter, listKeys } from "#broker/read-keys.ts";
import { rotateKey } from "#broker/rotate-key.ts";
import { updateKey } from "#broker/update-key.ts";
import { KmsError } from "#core/errors.ts";
import { LABEL_KEY } from "#core/names.ts";
import { PURPOSES } from "#core/purposes.ts";
import { STATES } from "#core/states.ts";
import { authenticatedRoute, type Reply, type Route } from "#http/route.ts";
import { historyAnswer, keyAnswer, toHistoryJson, toKeyJson } from "../key-resource.ts";
import { defined } from "../defined.ts";
import { exposureAnswer, toExposureJson } from "../exposure-json.ts";
import { listAnswer, listQuery, readCursor, writeCursor } from "../list.ts";
import { toKeyPatch, toKeyRequest } from "../key-requests.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { CREATE_KEY_FIELDS, createKeyBody, moveAliasBody, updateKeyBody } from "../schema/key-requests.ts";
import { operationAnswer, toOperationJson } from "./running-operations.ts";
import {
  activateBody,
  archiveBody,
  cancelDestroyBody,
  compromiseBody,
  deactivateBody,
  destroyBody,
  resumeBody,
  rotateBody,
  suspendBody,
} from "../schema/verb-requests.ts";

const CONTROL = { plane: "control", maxBodyBytes: 1_048_576, query: undefined } as const;
const CHANGE = { ...CONTROL, method: "POST", changes: true, answers: { 200: keyAnswer } } as const;
const READ = { ...CONTROL, method: "GET", changes: false, body: undefined } as const;

const keysQuery = z
  .object({
    ...listQuery,
    state: z.enum(STATES).optional(),
    purpose: z.enum(PURPOSES).optional(),
    custody: z.enum(["portable", "native", "replicated", "per-provider"]).optional(),
    provider: z.string().max(63).optional(),
    servedOnlyBy: z.string().max(63).optional(),
  })
  .catchall(z.string().max(255))
  .superRefine((query, context) => {
    for (const name of Object.keys(query)) {
      if (!KNOWN.has(name) && !(name.startsWith("label.") && LABEL_KEY.test(name.slice(6)))) {
        context.addIssue({
          code: "custom",
          path: [name],
          message: "there is no such parameter",
          params: { code: "unknown-field" },
        });
      }
    }
  });
const KNOWN = new Set(["limit", "cursor", "state", "purpose", "custody", "provider", "servedOnlyBy"]);

/** Keys and their lifecycle (api.md §§ 5, 6, 8). */
export function keyRoutes(parts: RestParts): readonly Route[] {
  return [...resourceRoutes(parts), ...verbRoutes(parts), ...readRoutes(parts)];
}

function resourceRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys",
      operation: "keys.create",
      summary: "Create a key",
      description:
        "Places it by the route that fits, wraps its branch key under the holders, and answers when it can be used. A key that cannot be made leaves nothing behind.",
      body: createKeyBody,
      answers: {
        200: keyAnswer
          .extend({ exposure: exposureAnswer })
          .meta({ id: "KeyPlan", description: "Of a dry run: the key as it would be, and its exposure." }),
        201: keyAnswer,
        202: operationAnswer,
      },
      handle: async ({ body, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const changed = await createKey(broker, caller, toKeyRequest(body));
        if (caller.dryRun) {
          const reply = keyReply(changed);
          const exposure = toExposureJson(exposureAt(broker, changed.value.key));
          return { ...reply, body: { ...toKeyJson(changed.value), exposure } };
        }
        if (changed.status === 202) {
          const operation = operationOf(changed.value.key);
          const headers = { Location: `/v1/operations/${operation.id}` };
          return changedReply({ ...changed, value: toOperationJson(operation) }, headers);
        }
        return keyReply(changed, changed.status === 201 ? { Location: `/v1/keys/${changed.value.key.id}` } : {});
      },
    }),
    authenticatedRoute({
      ...CONTROL,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/keys",
      operation: "keys.list",
      summary: "List keys",
      description: "In the order of their creation. `nextCursor: null` is the only sign of the end.",
      query: keysQuery,
      answers: { 200: listAnswer(keyAnswer) },
      handle: async ({ query, facts }, principal) => {
        const { limit, cursor, ...filters } = query;
        const caller = callerOf(parts, facts, principal);
        const after = cursor === undefined ? undefined : readCursor(cursor, filters, z.string());
        const page = listKeys(broker, caller, {
          filter: toFilter(filters),
          limit,
          ...(after === undefined ? {} : { after }),
        });
        const nextCursor = page.next === undefined ? null : writeCursor(page.next, filters);
        return await Promise.resolve({ status: 200, body: { items: page.items.map(toKeyJson), nextCursor } });
      },
    }),
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key",
      operation: "keys.get",
      summary: "Read a key",
      answers: { 200: keyAnswer },
      handle: async ({ params, facts }, principal) =>
        keyReply({
          value: await getKey(broker, callerOf(parts, facts, principal), param(params, "key")),
          status: 200,
          replayed: false,
        }),
    }),
    authenticatedRoute({
      ...CHANGE,
      method: "PATCH",
      path: "/v1/keys/:key",
      operation: "keys.update",
      summary: "Change a key's labels, aliases, dates and words",
      body: updateKeyRequest,
      bodyDoc: updateKeyBody,
      handle: async ({ params, body, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const key = param(params, "key");
        await requireFree(body.fixed, async () => await updateKey(broker, { ...caller, dryRun: true }, key, {}));
        return keyReply(await updateKey(broker, caller, key, toKeyPatch(body.patch)));
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/aliases/:alias/move",
      operation: "aliases.move",
      summary: "Move an alias from one key to another",
      body: moveAliasBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(
          await moveAlias(broker, callerOf(parts, facts, principal), { alias: param(params, "alias"), ...body }),
        ),
    }),
  ];
}

/** What POST takes and PATCH does not: told as immutable, and not as unknown. */
const IMMUTABLE = CREATE_KEY_FIELDS.filter((name) => !Object.hasOwn(updateKeyBody.shape, name));

const updateKeyRequest = updateKeyBody
  .extend(Object.fromEntries(IMMUTABLE.map((name) => [name, z.unknown().optional()])))
  .transform((body) => ({
    patch: body as z.output<typeof updateKeyBody>,
    fixed: IMMUTABLE.filter((name) => Object.hasOwn(body, name)),
  }));

/** Refuses a change of what cannot change, once it is known that the caller may change the key at all. */
async function requireFree(fixed: readonly string[], mayChange: () => Promise<unknown>): Promise<void> {
  if (fixed.length === 0) return;
  await mayChange();
  throw new KmsError("IMMUTABLE_FIELD", `${fixed.join(", ")}: cannot be changed`, {
    metadata: { fields: fixed.join(", ") },
    errors: fixed.map((name) => ({ pointer: `/${name}`, code: "conflict", detail: "cannot be changed" })),
  });
}

function verbRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/activate",
      operation: "keys.activate",
      summary: "Activate a generated key",
      description: "A key that is active already is answered as it is.",
      body: activateBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await activateKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/suspend",
      operation: "keys.suspend",
      summary: "Suspend a key",
      description:
        "It protects nothing new; `processing` says whether it still opens what exists. Suspending it again changes the reason.",
      body: suspendBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await suspendKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/resume",
      operation: "keys.resume",
      summary: "Resume a suspended key",
      body: resumeBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await resumeKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/deactivate",
      operation: "keys.deactivate",
      summary: "Deactivate a key: it opens and protects no more",
      body: deactivateBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await deactivateKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/compromise",
      operation: "keys.compromise",
      summary: "Mark a key as compromised, for good",
      description: "It protects nothing new from then on, and is never active again.",
      body: compromiseBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await compromiseKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/archive",
      operation: "keys.archive",
      summary: "Archive a key: it is kept, and opens nothing",
      body: archiveBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await archiveKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/destroy",
      operation: "keys.destroy",
      summary: "Begin the destruction of a deactivated key",
      description:
        "Nothing can be done with it during the window but to cancel. A dry run answers `planHash` too, which names the key as it is now.",
      body: destroyBody,
      answers: { 200: keyAnswer.extend({ planHash: z.string().optional() }).meta({ id: "KeyDestruction" }) },
      handle: async ({ params, body, facts }, principal) => {
        const { confirmName, windowDays, ...told } = body;
        const input = { confirmName, windowDays, ...defined(told) };
        const caller = callerOf(parts, facts, principal);
        const changed = await destroyKey(broker, caller, param(params, "key"), input);
        if (!caller.dryRun) return keyReply(changed);
        const { key } = await getKey(broker, caller, param(params, "key"));
        const reply = keyReply(changed);
        return { ...reply, body: { ...toKeyJson(changed.value), planHash: destructionPlanHash(key) } };
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/cancel-destroy",
      operation: "keys.cancel-destroy",
      summary: "End a destruction within its window",
      body: cancelDestroyBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(
          await cancelDestroyKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body)),
        ),
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/keys/:key/rotate",
      operation: "keys.rotate",
      summary: "Give a key a new version",
      description: "Older versions still open what they protected.",
      body: rotateBody,
      handle: async ({ params, body, facts }, principal) =>
        keyReply(await rotateKey(broker, callerOf(parts, facts, principal), param(params, "key"), defined(body))),
    }),
  ];
}

function readRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key/history",
      operation: "keys.history",
      summary: "What became of a key, oldest first",
      answers: { 200: listAnswer(historyAnswer) },
      handle: async ({ params, facts }, principal) => {
        const history = await getHistory(broker, callerOf(parts, facts, principal), param(params, "key"));
        return { status: 200, body: { items: history.map(toHistoryJson), nextCursor: null } };
      },
    }),
  ];
}

function keyReply(changed: Changed<KeyView>, headers: Readonly<Record<string, string>> = {}): Reply {
  return changedReply(
    { ...changed, value: toKeyJson(changed.value) },
    { ETag: `"${changed.value.key.generation}"`, ...headers },
  );
}

function toFilter(filters: Readonly<Record<string, string | undefined>>): KeyFilter {
  const labels = new Map<string, string>();
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(filters)) {
    if (value === undefined) continue;
    if (name.startsWith("label.")) labels.set(name.slice(6), value);
    else plain[name] = value;
  }
  return { ...plain, ...(labels.size === 0 ? {} : { labels }) };
}
