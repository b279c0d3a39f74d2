import { z } from "zod";
import { getJwks, getPublicKey } from "#broker/public-key.ts";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { base64 } from "../schema/primitives.ts";

const READ = { method: "GET", plane: "data", changes: false, maxBodyBytes: 0, body: undefined } as const;
const jwk = z.record(z.string(), z.unknown());

const publicKeyAnswer = z
  .object({
    keyVersion: z.int(),
    kid: z.string().describe("base64url of the SHA-256 of the SPKI."),
    provider: z.string(),
    algorithm: z.enum(ALGORITHM_NAMES as readonly [string, ...string[]]),
    publicKey: base64.describe("SPKI in DER."),
    pem: z.string(),
    jwk: jwk.nullable().describe("RFC 7517; null for keys that JOSE has no form for."),
  })
  .meta({ id: "PublicKey" });
const jwksAnswer = z.object({ keys: z.array(jwk) }).meta({ id: "Jwks" });

/** The public halves of keys (api.md § 6). */
export function publicKeyRoutes(parts: RestParts): readonly Route[] {
  const { broker } = parts;
  return [
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key/public-key",
      operation: "keys.public-key",
      summary: "The public key of a version",
      description: "Of the primary version unless `version` or `@N` names another. Answered in every state of the key.",
      query: z.strictObject({ version: z.coerce.number().int().min(1).max(4_294_967_295).optional() }),
      answers: { 200: publicKeyAnswer },
      handle: async ({ params, query, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const { publicKey, ...rest } = await getPublicKey(broker, caller, param(params, "key"), query.version);
        return { status: 200, body: { ...rest, publicKey: publicKey.toString("base64") } };
      },
    }),
    authenticatedRoute({
      ...READ,
      path: "/v1/keys/:key/jwks.json",
      operation: "keys.jwks",
      summary: "The public keys whose signatures may be trusted",
      description: "A JWK Set (RFC 7517), newest first. `include=all` adds versions that are to be trusted no more.",
      query: z.strictObject({ include: z.literal("all").optional() }),
      answers: { 200: jwksAnswer },
      handle: async ({ params, query, facts }, principal) => {
        const caller = callerOf(parts, facts, principal);
        const keys = await getJwks(broker, caller, param(params, "key"), { all: query.include === "all" });
        return { status: 200, body: { keys } };
      },
    }),
  ];
}
