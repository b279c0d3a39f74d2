import { z } from "zod";
import {
  drainProvider,
  getProvider,
  listProviders,
  probeProvider,
  type ProviderView,
  restoreProvider,
} from "#broker/providers.ts";
import type { BreakerSnapshot } from "#core/health.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { listAnswer } from "../list.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { iso, isoTime, isoTimeOrNull } from "../schema/primitives.ts";
import { drainBody, restoreBody } from "../schema/ops-requests.ts";
import { emptyBody } from "../schema/verb-requests.ts";

const breakerAnswer = z
  .object({
    state: z.enum(["closed", "open", "half-open"]),
    sinceTime: iso.nullable(),
    nextProbeTime: iso.nullable(),
    calls: z.int(),
    failures: z.int(),
    p50Ms: z.int().nullable(),
    p99Ms: z.int().nullable(),
    inFlight: z.int(),
    queued: z.int(),
  })
  .meta({ id: "Breaker" });
const failureAnswer = z.object({
  class: z.string(),
  operation: z.string(),
  time: iso,
  providerRequestId: z.string().nullable(),
  detail: z.string(),
});
const providerAnswer = z
  .object({
    name: z.string(),
    kind: z.string(),
    jurisdiction: z.string().nullable(),
    protection: z.enum(["software", "hsm", "external"]),
    failureDomain: z.string(),
    status: z.enum(["misconfigured", "drained", "down", "degraded", "up"]),
    statusReason: z.string().nullable(),
    drained: z.object({ by: z.string(), reason: z.string(), time: iso }).nullable(),
    drill: z.null(),
    keysServedOnlyHere: z.int(),
    missingWraps: z.int(),
    lastSuccessTime: iso.nullable(),
    lastFailure: failureAnswer.nullable(),
    gateways: z.array(
      z.object({ gateway: z.string(), reportTime: iso, data: breakerAnswer, control: breakerAnswer, quota: z.null() }),
    ),
  })
  .meta({ id: "Provider" });

const OPS = { plane: "ops", maxBodyBytes: 1_048_576, query: undefined } as const;

/** Providers: health, drain, restore, probe (api.md § 10). */
export function providerRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...OPS,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/providers",
      operation: "providers.list",
      summary: "The configured providers and their health",
      answers: { 200: listAnswer(providerAnswer) },
      handle: async ({ facts }, principal) => {
        const views = await listProviders(broker, callerOf(parts, facts, principal));
        return { status: 200, body: { items: views.map(toProviderJson), nextCursor: null } };
      },
    }),
    authenticatedRoute({
      ...OPS,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/providers/:provider",
      operation: "providers.get",
      summary: "One provider",
      answers: { 200: providerAnswer },
      handle: async ({ params, facts }, principal) => ({
        status: 200,
        body: toProviderJson(await getProvider(broker, callerOf(parts, facts, principal), param(params, "provider"))),
      }),
    }),
    ...verbs(parts),
  ];
}

function verbs(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  const CHANGE = { ...OPS, method: "POST", changes: true, answers: { 200: providerAnswer } } as const;
  return [
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/providers/:provider/drain",
      operation: "providers.drain",
      summary: "Take a provider out of every plan",
      body: drainBody,
      handle: async ({ params, body, facts }, principal) => {
        const changed = await drainProvider(
          broker,
          callerOf(parts, facts, principal),
          param(params, "provider"),
          body.reason,
        );
        return changedReply({ ...changed, value: toProviderJson(changed.value) });
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/providers/:provider/restore",
      operation: "providers.restore",
      summary: "Give a drained provider its traffic back, or a share of it",
      body: restoreBody,
      handle: async ({ params, body, facts }, principal) => {
        const changed = await restoreProvider(
          broker,
          callerOf(parts, facts, principal),
          param(params, "provider"),
          body.share,
        );
        return changedReply({ ...changed, value: toProviderJson(changed.value) });
      },
    }),
    authenticatedRoute({
      ...CHANGE,
      path: "/v1/providers/:provider/probe",
      operation: "providers.probe",
      summary: "Ask a provider's canary key now, and try its quarantined wraps again",
      body: emptyBody,
      handle: async ({ params, facts }, principal) => {
        const changed = await probeProvider(broker, callerOf(parts, facts, principal), param(params, "provider"));
        return changedReply({ ...changed, value: toProviderJson(changed.value) });
      },
    }),
  ];
}

function toProviderJson(view: ProviderView): z.input<typeof providerAnswer> {
  const { member, status, statusReason, drain, keysServedOnlyHere, missingWraps, lastFailure } = view;
  return {
    name: member.name,
    kind: member.kind,
    jurisdiction: member.facts.jurisdiction,
    protection: member.facts.protection,
    failureDomain: member.facts.failureDomain,
    status,
    statusReason,
    drained: drain?.drained === true ? { by: drain.by, reason: drain.reason, time: isoTime(drain.time) } : null,
    drill: null,
    keysServedOnlyHere,
    missingWraps,
    lastSuccessTime: isoTimeOrNull(view.lastSuccessTime),
    lastFailure:
      lastFailure === null
        ? null
        : {
            class: lastFailure.fault.failure,
            operation: lastFailure.operation,
            time: isoTime(lastFailure.time),
            providerRequestId: lastFailure.fault.requestId ?? null,
            detail: lastFailure.fault.detail,
          },
    gateways: view.gateways.map(({ gateway, reportTime, data, control }) => ({
      gateway,
      reportTime: isoTime(reportTime),
      data: toBreakerJson(data),
      control: toBreakerJson(control),
      quota: null,
    })),
  };
}

function toBreakerJson(breaker: BreakerSnapshot): z.input<typeof breakerAnswer> {
  const { state, calls, failures, inFlight } = breaker;
  return {
    state,
    sinceTime: isoTimeOrNull(breaker.sinceTime),
    nextProbeTime: isoTimeOrNull(breaker.nextProbeTime),
    calls,
    failures,
    inFlight,
    p50Ms: rounded(breaker.p50Ms),
    p99Ms: rounded(breaker.p99Ms),
    queued: 0,
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}
