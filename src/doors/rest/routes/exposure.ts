import { keyExposure } from "#broker/exposure.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { exposureAnswer, toExposureJson } from "../exposure-json.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";

/** Who can do what with a key (api.md § 8). */
export function exposureRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/keys/:key/exposure",
      operation: "keys.exposure",
      summary: "Who can possess, use, compel, observe, deny and destroy a key, and what may be said of it",
      answers: { 200: exposureAnswer },
      handle: async ({ params, facts }, principal) => ({
        status: 200,
        body: toExposureJson(await keyExposure(parts.broker, callerOf(parts, facts, principal), param(params, "key"))),
      }),
    }),
  ];
}
