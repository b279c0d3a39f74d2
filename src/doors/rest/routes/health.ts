import { z } from "zod";
import { KmsError } from "#core/errors.ts";
import { may } from "#core/access.ts";
import { authenticatedRoute, publicRoute, type Route } from "#http/route.ts";
import type { RestParts } from "../rest-parts.ts";

const OPS = {
  plane: "ops",
  method: "GET",
  changes: false,
  maxBodyBytes: 0,
  query: undefined,
  body: undefined,
} as const;

/** Whether the process runs, whether it can serve, and its numbers (api.md § 10). */
export function healthRoutes(parts: RestParts): readonly Route[] {
  return [
    publicRoute({
      ...OPS,
      path: "/healthz",
      operation: "healthz",
      summary: "200 while the process runs",
      answers: { 200: z.object({ status: z.literal("ok"), version: z.string() }) },
      handle: async () => await Promise.resolve({ status: 200, body: { status: "ok", version: parts.version } }),
    }),
    publicRoute({
      ...OPS,
      path: "/readyz",
      operation: "readyz",
      summary: "200 while the gateway can serve",
      answers: {
        200: z.object({ ready: z.literal(true) }),
        503: z.object({ ready: z.literal(false), because: z.array(z.string()) }),
      },
      handle: async () => {
        const because = parts.readiness();
        const body = because.length === 0 ? { ready: true } : { ready: false, because };
        return await Promise.resolve({ status: because.length === 0 ? 200 : 503, body });
      },
    }),
    metricsRoute(parts),
  ];
}

function metricsRoute(parts: RestParts): Route {
  const route = {
    ...OPS,
    path: "/metrics",
    produces: "text/plain",
    operation: "metrics",
    summary: "Metrics in Prometheus' text form",
    answers: { 200: undefined },
  };
  const write = async (): Promise<{ status: number; body: string; headers: Record<string, string> }> => {
    const { text, contentType } = await parts.metrics();
    return { status: 200, body: text, headers: { "Content-Type": contentType } };
  };
  if (parts.metricsOpen) return publicRoute({ ...route, handle: write });
  return authenticatedRoute({
    ...route,
    handle: async (_input, principal) => {
      if (!may(principal, "metrics.read")) throw new KmsError("PERMISSION_DENIED", "the caller may not read metrics");
      return await write();
    },
  });
}
