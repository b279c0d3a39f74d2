import { z } from "zod";
import { changeRecipients } from "#broker/change-recipients.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { keyAnswer, toKeyJson } from "../key-resource.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { defaulted, distinct, optional } from "../schema/optional.ts";
import { providerName } from "../schema/primitives.ts";

const recipientsBody = z
  .strictObject({
    add: defaulted(distinct(providerName, 16), []).describe("Providers that shall hold a wrap too."),
    drop: defaulted(distinct(providerName, 16), []).describe("Providers that shall hold none any more."),
    minimum: optional(z.int().min(1).max(16)).describe(
      "How many failure domains must hold it; as before unless told, or as many as are left.",
    ),
  })
  .meta({ id: "RecipientsRequest", override: { examples: [{ add: ["azure-eu"], drop: ["hsm-a"] }] } });

/** Who holds the wraps of a portable key (api.md § 8). */
export function recipientRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "POST",
      changes: true,
      path: "/v1/keys/:key/recipients",
      operation: "keys.recipients",
      summary: "Add recipients to a portable key, and drop others",
      description:
        "Its seals are made anew under the new recipients. Whoever is dropped can still open what was wrapped before: rotate the key and re-encrypt.",
      body: recipientsBody,
      answers: { 200: keyAnswer },
      handle: async ({ params, body, facts }, principal) => {
        const changed = await changeRecipients(
          parts.broker,
          callerOf(parts, facts, principal),
          param(params, "key"),
          body,
        );
        return changedReply({ ...changed, value: toKeyJson(changed.value) });
      },
    }),
  ];
}
