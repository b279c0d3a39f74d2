import { z } from "zod";
import { getCapabilities } from "#broker/provider-capabilities.ts";
import { ALGORITHM_NAMES, ALGORITHMS } from "#core/algorithms.ts";
import type { Capabilities } from "#core/provider.ts";
import { PURPOSES } from "#core/purposes.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";

const capabilitiesAnswer = z
  .object({
    provider: z.string(),
    protection: z.enum(["software", "hsm", "external"]),
    entity: z.array(z.string()).meta({ description: "Jurisdictions of the company behind it" }),
    recipientAlgorithm: z.enum(ALGORITHM_NAMES),
    destructionDays: z
      .object({ min: z.int(), max: z.int() })
      .nullable()
      .meta({ description: "Its own window before a destruction; null: destruction is at once" }),
    processOnly: z.boolean(),
    propagationMs: z.int(),
    quotas: z.array(
      z.object({
        name: z.string(),
        perSecond: z.number(),
        operations: z.array(z.string()),
        algorithms: z.array(z.string()).nullable().meta({ description: "Beginnings of names; null: all" }),
      }),
    ),
    operations: z.array(
      z.object({
        operation: z.string(),
        algorithm: z.enum(ALGORITHM_NAMES),
        purpose: z.enum(PURPOSES),
        minInputBytes: z.int(),
        maxInputBytes: z.int(),
        context: z.enum(["map", "bytes", "none"]),
        digests: z.boolean(),
      }),
    ),
  })
  .meta({ id: "ProviderCapabilities" });

/** What a provider offers, as data: the table by which wishes are refused before anything is called. */
export function capabilityRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "ops",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/providers/:provider/capabilities",
      operation: "providers.capabilities",
      summary: "What a provider offers: operations, algorithms, limits, quotas",
      answers: { 200: capabilitiesAnswer },
      handle: async ({ params, facts }, principal) => {
        const name = param(params, "provider");
        const body = toJson(name, getCapabilities(parts.broker, callerOf(parts, facts, principal), name));
        return await Promise.resolve({ status: 200, body });
      },
    }),
  ];
}

function toJson(provider: string, capabilities: Capabilities): z.input<typeof capabilitiesAnswer> {
  const { protection, entity, recipientAlgorithm, destructionDays, processOnly, propagationMs } = capabilities;
  return {
    provider,
    protection,
    entity: [...entity],
    recipientAlgorithm,
    destructionDays,
    processOnly,
    propagationMs,
    quotas: (capabilities.quotas ?? []).map(({ name, perSecond, operations, algorithms }) => ({
      name,
      perSecond,
      operations: [...operations],
      algorithms: algorithms === undefined ? null : [...algorithms],
    })),
    operations: capabilities.rows.map(({ operation, algorithm, minInputBytes, maxInputBytes, context, digests }) => ({
      operation,
      algorithm,
      purpose: ALGORITHMS[algorithm].purpose,
      minInputBytes: minInputBytes ?? 0,
      maxInputBytes,
      context,
      digests: digests ?? false,
    })),
  };
}
