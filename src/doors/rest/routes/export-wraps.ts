import { z } from "zod";
import { exportWraps } from "#broker/export-wraps.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { emptyBody } from "../schema/verb-requests.ts";

const exportAnswer = z
  .object({
    keyId: z.string(),
    lines: z.array(z.string()).meta({
      description:
        "Lines of the journal (docs/format.md § 9): written to a file, one a line, `claviger open` reads them.",
    }),
  })
  .meta({ id: "ExportedWraps" });

/** What opens a portable key without a gateway (api.md § 6). */
export function exportWrapsRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "POST",
      changes: false,
      path: "/v1/keys/:key/export-wraps",
      operation: "keys.export-wraps",
      summary: "The wraps and seals of a portable key, to open its ciphertexts without a gateway",
      body: emptyBody,
      answers: { 200: exportAnswer },
      handle: async ({ params, facts }, principal) => {
        const { key, lines } = await exportWraps(parts.broker, callerOf(parts, facts, principal), param(params, "key"));
        return { status: 200, body: { keyId: key.id, lines } };
      },
    }),
  ];
}
