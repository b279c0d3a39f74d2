import { z } from "zod";
import { type AuditPlace, readAudit } from "#broker/read-audit.ts";
import type { StoredAuditEvent } from "#core/audit.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { listAnswer, listQuery, readCursor, writeCursor } from "../list.ts";
import { callerOf, type RestParts } from "../rest-parts.ts";
import { iso, isoTime, time } from "../schema/primitives.ts";

const attempt = z.object({
  provider: z.string(),
  operation: z.string(),
  outcome: z.string(),
  requestId: z.string().nullable(),
  latencyMs: z.number(),
});
const auditAnswer = z
  .object({
    sequence: z.int(),
    process: z.string(),
    time: iso,
    requestId: z.string(),
    client: z.string(),
    credential: z.string().nullable(),
    namespace: z.string(),
    door: z.string(),
    operation: z.string(),
    key: z.string().nullable(),
    keyVersion: z.int().nullable(),
    provider: z.string().nullable(),
    attempts: z.array(attempt),
    outcome: z.string(),
    latencyMs: z.number(),
    items: z.array(z.tuple([z.string(), z.int()])).nullable(),
    detail: z.record(z.string(), z.string()),
  })
  .meta({ id: "AuditEvent" });

const text = z.string().max(300).optional();
const auditQuery = z.strictObject({
  ...listQuery,
  key: text,
  client: text,
  operation: text,
  outcome: text,
  requestId: text,
  since: time.optional(),
  until: time.optional(),
});

/** Below which sequence the next page begins, by process. */
const auditPlace: z.ZodType<AuditPlace> = z.record(z.string(), z.int().min(0));

/** The trail, newest first (api.md § 10). */
export function auditRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "ops",
      maxBodyBytes: 1_048_576,
      changes: false,
      method: "GET",
      body: undefined,
      path: "/v1/audit",
      operation: "audit.list",
      summary: "Events of the audit trail, newest first",
      query: auditQuery,
      answers: { 200: listAnswer(auditAnswer) },
      handle: async ({ query, facts }, principal) => {
        const { limit, cursor, ...filters } = query;
        const before = cursor === undefined ? undefined : readCursor(cursor, filters, auditPlace);
        const wanted = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
        const events = await readAudit(parts.broker, callerOf(parts, facts, principal), wanted, {
          limit: limit + 1,
          ...(before === undefined ? {} : { before }),
        });
        const items = events.slice(0, limit);
        const nextCursor = events.length > limit ? writeCursor(placeAfter(items, before), filters) : null;
        return { status: 200, body: { items: items.map(toAuditJson), nextCursor } };
      },
    }),
  ];
}

/** Where the next page begins: below the lowest sequence that was shown of each process. */
function placeAfter(items: readonly StoredAuditEvent[], before: AuditPlace = {}): AuditPlace {
  const place: Record<string, number> = { ...before };
  for (const { process, sequence } of items) place[process] = Math.min(sequence, place[process] ?? sequence);
  return place;
}

function toAuditJson(event: StoredAuditEvent): z.input<typeof auditAnswer> {
  const { sequence, process, requestId, client, credential, namespace, door, operation, key, keyVersion, provider } =
    event;
  return {
    sequence,
    process,
    time: isoTime(event.time),
    requestId,
    client,
    credential,
    namespace,
    door,
    operation,
    key,
    keyVersion,
    provider,
    attempts: [...event.attempts],
    outcome: event.outcome,
    latencyMs: event.latencyMs,
    items: event.items === undefined ? null : event.items.map(([outcome, count]) => [outcome, count]),
    detail: event.detail ?? {},
  };
}
