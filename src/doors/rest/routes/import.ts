import { z } from "zod";
import { importKey, importParameters } from "#broker/import-key.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { keyAnswer, toKeyJson } from "../key-resource.ts";
import { changedReply } from "../reply.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { optional } from "../schema/optional.ts";
import { base64, bytes, iso, isoTime } from "../schema/primitives.ts";
import { emptyBody } from "../schema/verb-requests.ts";

const parametersAnswer = z
  .object({
    keyId: z.string(),
    wrappingAlgorithm: z.literal("RSA-AES-KWP-SHA256"),
    publicKey: base64.describe("SPKI, RSA-4096."),
    token: z.string(),
    expireTime: iso,
  })
  .meta({ id: "ImportParameters" });

const importBody = z
  .strictObject({
    token: z.string().max(4000).describe("Of import-parameters."),
    wrapped: bytes.describe(
      "RSA-OAEP (SHA-256, MGF1 with SHA-256) of an AES-256 key, then AES-256-KWP (RFC 5649) of the material under it: PKCS #11's CKM_RSA_AES_KEY_WRAP.",
    ),
    activate: optional(z.boolean()).describe("For the first import; what the key was made with unless told."),
  })
  .meta({ id: "ImportRequest" });

const CONTROL = { plane: "control", maxBodyBytes: 1_048_576, query: undefined, method: "POST" } as const;

/** Material that comes from outside (api.md § 8). */
export function importRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...CONTROL,
      changes: false,
      path: "/v1/keys/:key/import-parameters",
      operation: "keys.import-parameters",
      summary: "The key under which material is wrapped for an import, and the token that goes with it",
      description:
        "Both are good for a day. The material is raw bytes for symmetric keys and PKCS#8 DER for private ones. The gateway unwraps it, hands it to the provider and forgets it.",
      body: emptyBody,
      answers: { 200: parametersAnswer },
      handle: async ({ params, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const { keyId, publicKey, token, expireTime } = await importParameters(broker, caller, param(params, "key"));
        return {
          status: 200,
          body: {
            keyId,
            wrappingAlgorithm: "RSA-AES-KWP-SHA256",
            publicKey: publicKey.toString("base64"),
            token,
            expireTime: isoTime(expireTime),
          },
        };
      },
    }),
    authenticatedRoute({
      ...CONTROL,
      changes: true,
      path: "/v1/keys/:key/import",
      operation: "keys.import",
      summary: "Give a key that awaits material its first version, or an imported one its next",
      body: importBody,
      answers: { 200: keyAnswer },
      handle: async ({ params, body, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const changed = await importKey(broker, caller, param(params, "key"), { ...body, activate: body.activate });
        return changedReply({ ...changed, value: toKeyJson(changed.value) });
      },
    }),
  ];
}
