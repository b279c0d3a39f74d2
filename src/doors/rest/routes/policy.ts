import { z } from "zod";
import { explain, type Explanation } from "#broker/explain.ts";
import { requirePermission } from "#broker/require.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { toCustody } from "../key-requests.ts";
import { callerOf, type RestParts } from "../rest-parts.ts";
import { explainBody } from "../schema/ops-requests.ts";

const attemptAnswer = z.object({
  provider: z.string(),
  binding: z.string().nullable(),
  timeoutMs: z.int(),
  hedgeAfterMs: z.null(),
});
const explainAnswer = z
  .object({
    operation: z.string(),
    keyId: z.string().nullable(),
    keyVersion: z.int().nullable(),
    route: z.string().nullable(),
    policyHash: z.string(),
    gateway: z.string(),
    outcome: z.enum(["allowed", "refused"]),
    code: z.string().nullable(),
    runsIn: z.enum(["gateway", "provider"]),
    cached: z.boolean(),
    deadlineMs: z.int(),
    lastResort: z.boolean(),
    needed: z.int(),
    parallel: z.int(),
    attempts: z.array(attemptAnswer),
    refused: z.array(z.object({ provider: z.string(), because: z.string(), detail: z.string() })),
  })
  .meta({ id: "Explanation" });
const problemAnswer = z.object({ line: z.int(), column: z.int(), message: z.string() });
const OPS = { plane: "ops", maxBodyBytes: 1_048_576, query: undefined, changes: false } as const;

/** The policy as it runs: shown, validated, explained; never written (api.md § 10). */
export function policyRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...OPS,
      method: "GET",
      body: undefined,
      path: "/v1/policy",
      operation: "policy.show",
      summary: "The routes and providers that this gateway runs",
      answers: {
        200: z.object({
          policyHash: z.string(),
          gateway: z.string(),
          routes: z.array(z.unknown()),
          providers: z.array(z.unknown()),
        }),
      },
      handle: async ({ facts }, principal) => {
        requirePermission(callerOf(parts, facts, principal), "policy.read");
        const { routes, providers, hash } = broker.policy();
        return await Promise.resolve({
          status: 200,
          body: { policyHash: hash, gateway: broker.settings.gateway, routes, providers },
        });
      },
    }),
    authenticatedRoute({
      ...OPS,
      method: "POST",
      consumes: "application/yaml",
      body: z.string(),
      path: "/v1/policy/validate",
      operation: "policy.validate",
      summary: "What a configuration has wrong",
      answers: { 200: z.object({ valid: z.boolean(), problems: z.array(problemAnswer) }) },
      handle: async ({ body, facts }, principal) => {
        requirePermission(callerOf(parts, facts, principal), "policy.validate");
        const problems = await parts.validatePolicy(body);
        return { status: 200, body: { valid: problems.length === 0, problems } };
      },
    }),
    authenticatedRoute({
      ...OPS,
      method: "POST",
      body: explainBody,
      path: "/v1/policy/explain",
      operation: "policy.explain",
      summary: "What would happen, and why; nothing is called",
      answers: { 200: explainAnswer },
      handle: async ({ body, facts }, principal) => {
        const { operation, key, create, assume } = body;
        const explanation = await explain(broker, callerOf(parts, facts, principal), {
          operation,
          key,
          create: create === undefined ? undefined : { ...create, custody: toCustody(create.custody) },
          assume: assume ?? { down: [], drained: [], throttled: [] },
        });
        return { status: 200, body: toExplanationJson(explanation) };
      },
    }),
  ];
}

function toExplanationJson({ attempts, refused, ...rest }: Explanation): z.input<typeof explainAnswer> {
  return {
    ...rest,
    attempts: attempts.map(({ provider, binding, timeoutMs }) => ({
      provider,
      binding: binding ?? null,
      timeoutMs,
      hedgeAfterMs: null,
    })),
    refused: [...refused],
  };
}
