import { z } from "zod";
import { getOperation, type Operation } from "#broker/operations.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { iso, isoTime } from "../schema/primitives.ts";

export const operationAnswer = z
  .object({
    id: z.string(),
    kind: z.enum(["create-key"]),
    state: z.enum(["running", "done", "failed"]),
    progress: z.object({ done: z.int(), total: z.int().nullable() }),
    error: z.object({ code: z.string(), detail: z.string() }).nullable(),
    result: z.object({ keyId: z.string(), location: z.string() }).nullable(),
    createTime: iso,
    updateTime: iso,
  })
  .meta({ id: "Operation" });

/** Work that goes on after its request was answered (api.md § 5). */
export function runningOperationRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/operations/:operation",
      operation: "operations.get",
      summary: "How far the work is that a request has begun",
      answers: { 200: operationAnswer },
      handle: async ({ params, facts }, principal) => ({
        status: 200,
        body: toOperationJson(
          await getOperation(parts.broker, callerOf(parts, facts, principal), param(params, "operation")),
        ),
      }),
    }),
  ];
}

export function toOperationJson({
  id,
  kind,
  state,
  key,
  createTime,
  updateTime,
}: Operation): z.input<typeof operationAnswer> {
  return {
    id,
    kind,
    state,
    progress: { done: state === "done" ? 1 : 0, total: 1 },
    error: state === "failed" ? { code: "NO_PROVIDER", detail: "the provider did not make the key" } : null,
    result: state === "done" ? { keyId: key.id, location: `/v1/keys/${key.id}` } : null,
    createTime: isoTime(createTime),
    updateTime: isoTime(updateTime),
  };
}
