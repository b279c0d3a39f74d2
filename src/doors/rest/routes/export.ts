import { z } from "zod";
import { exportKey } from "#broker/export-key.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { optional } from "../schema/optional.ts";
import { base64, bytes } from "../schema/primitives.ts";

const exportBody = z
  .strictObject({
    wrappingKey: bytes.describe("SPKI DER of an RSA key of 2048 to 4096 bits, whose private half unwraps."),
    version: optional(z.int().min(1)).describe("The primary one unless told."),
    reason: optional(z.string().max(200)),
  })
  .meta({ id: "ExportRequest" });

const exportAnswer = z
  .object({
    keyId: z.string(),
    keyVersion: z.int(),
    provider: z.string(),
    wrappingAlgorithm: z.literal("RSA-AES-KWP-SHA256"),
    wrapped: base64.describe(
      "RSA-OAEP (SHA-256, MGF1 with SHA-256) of an AES-256 key, then AES-256-KWP (RFC 5649) under it of the key's raw bytes or PKCS#8 DER: PKCS #11's CKM_RSA_AES_KEY_WRAP.",
    ),
    wrappingKeySha256: z.string().describe("Of the SPKI, in hexadecimal: what history and trail name it by."),
  })
  .meta({ id: "ExportedKey" });

/** Keys that leave, wrapped (api.md § 8). */
export function exportRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "POST",
      changes: false,
      path: "/v1/keys/:key/export",
      operation: "keys.export",
      summary: "Give a native key away, wrapped, if it was made extractable",
      description:
        "The provider wraps it; the gateway never has it. Each export stands in the key's history, and in its exposure from then on.",
      body: exportBody,
      answers: { 200: exportAnswer },
      handle: async ({ params, body, facts }, principal) => {
        const { version, reason, wrappingKey } = body;
        const input = { wrappingKey, version, reason };
        const given = await exportKey(parts.broker, callerOf(parts, facts, principal), param(params, "key"), input);
        return {
          status: 200,
          body: {
            keyId: given.key.id,
            keyVersion: given.keyVersion,
            provider: given.provider,
            wrappingAlgorithm: "RSA-AES-KWP-SHA256",
            wrapped: given.wrapped.toString("base64"),
            wrappingKeySha256: given.fingerprint,
          },
        };
      },
    }),
  ];
}
