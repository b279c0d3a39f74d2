import { z } from "zod";
import { getInventory, type InventoryView, listInventory } from "#broker/inventory.ts";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import type { InventoryId } from "#core/inventory.ts";
import { OBSERVED_CLASSES } from "#core/states.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { listAnswer, listQuery, readCursor, writeCursor } from "../list.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { iso, isoTime, isoTimeOrNull } from "../schema/primitives.ts";

const inventoryAnswer = z
  .object({
    id: z.string(),
    provider: z.string(),
    nativeRef: z.string(),
    algorithm: z.enum(ALGORITHM_NAMES).nullable(),
    state: z.enum(OBSERVED_CLASSES),
    nativeState: z.string().meta({ description: "The service's own word" }),
    ours: z.boolean().meta({ description: "Made by a gateway" }),
    use: z.enum(["key", "recipient", "canary", "none"]),
    keyId: z.string().nullable(),
    keyName: z.string().nullable(),
    namespace: z.string().nullable(),
    keyVersion: z.int().nullable(),
    createTime: iso.nullable(),
    destroyTime: iso.nullable(),
    lastSeenTime: iso,
  })
  .meta({ id: "InventoryEntry" });

const inventoryQuery = z.strictObject({
  ...listQuery,
  provider: z.string().max(63).optional(),
  ours: z.enum(["true", "false"]).optional(),
});

const place = z.string().regex(/^inv_[0-9a-f-]{36}$/u) as unknown as z.ZodType<InventoryId>;

const OPS = { plane: "ops", maxBodyBytes: 1_048_576, method: "GET", changes: false, body: undefined } as const;

/** What the providers hold, ours and others' (api.md § 10). */
export function inventoryRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...OPS,
      path: "/v1/inventory",
      operation: "inventory.list",
      summary: "The keys that the providers hold, ours and others', as they were last seen",
      query: inventoryQuery,
      answers: { 200: listAnswer(inventoryAnswer) },
      handle: async ({ query, facts }, principal) => {
        const { limit, cursor, provider, ours } = query;
        const filters = { provider, ours };
        const after = cursor === undefined ? undefined : readCursor(cursor, filters, place);
        const wanted = {
          ...(provider === undefined ? {} : { provider }),
          ...(ours === undefined ? {} : { ours: ours === "true" }),
        };
        const found = await listInventory(broker, callerOf(parts, facts, principal), wanted, {
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        });
        const items = found.slice(0, limit);
        const nextCursor = found.length > limit ? writeCursor(items.at(-1)?.id, filters) : null;
        return { status: 200, body: { items: items.map(toJson), nextCursor } };
      },
    }),
    authenticatedRoute({
      ...OPS,
      path: "/v1/inventory/:entry",
      operation: "inventory.get",
      summary: "One key that a provider holds",
      query: undefined,
      answers: { 200: inventoryAnswer },
      handle: async ({ params, facts }, principal) => ({
        status: 200,
        body: toJson(await getInventory(broker, callerOf(parts, facts, principal), param(params, "entry"))),
      }),
    }),
  ];
}

function toJson(view: InventoryView): z.input<typeof inventoryAnswer> {
  const { id, provider, nativeRef, algorithm, observed, nativeState, marker, use, key, keyVersion } = view;
  return {
    id,
    provider,
    nativeRef,
    algorithm,
    state: observed,
    nativeState,
    ours: marker !== null,
    use,
    keyId: key?.id ?? null,
    keyName: key?.name ?? null,
    namespace: key?.namespace ?? null,
    keyVersion,
    createTime: isoTimeOrNull(view.createTime),
    destroyTime: isoTimeOrNull(view.destroyTime),
    lastSeenTime: isoTime(view.lastSeenTime),
  };
}
