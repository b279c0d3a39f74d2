import { z } from "zod";
import { type KeyStatus, keyStatus } from "#broker/key-status.ts";
import { STATES } from "#core/states.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { callerOf, param, type RestParts } from "../rest-parts.ts";
import { base64, iso, isoTime, isoTimeOrNull } from "../schema/primitives.ts";

const statement = z.object({
  keyId: z.string(),
  name: z.string(),
  namespace: z.string(),
  state: z.enum(STATES),
  stateReason: z.string().nullable(),
  processing: z.enum(["allow", "deny"]).nullable(),
  held: z.boolean().describe("Nothing is done with it until a person decides."),
  compromiseOccurrenceTime: iso.nullable(),
  destroyTime: iso.nullable(),
  versions: z.array(
    z.object({
      version: z.int(),
      state: z.enum(STATES),
      stateReason: z.string().nullable(),
      role: z.enum(["primary", "secondary", "pending"]),
      kids: z.array(z.string()),
    }),
  ),
  gateway: z.string(),
  producedTime: iso,
  nextUpdateTime: iso.describe("Until then it may be relied upon."),
});

const statusAnswer = statement
  .extend({
    jws: z.string().describe("All other members but `signer`, signed: RFC 7515 compact, EdDSA."),
    signer: z.object({
      keyId: z.string(),
      publicKey: base64.describe("SPKI; also in the audit folder, as <keyId>.pem."),
    }),
  })
  .meta({ id: "KeyStatus" });

/** What relying parties ask of a key (api.md § 8). */
export function keyStatusRoutes(parts: RestParts): readonly Route[] {
  return [
    authenticatedRoute({
      plane: "control",
      maxBodyBytes: 1_048_576,
      query: undefined,
      method: "GET",
      changes: false,
      body: undefined,
      path: "/v1/keys/:key/status",
      operation: "keys.status",
      summary: "The state of a key and its versions, as a signed statement",
      answers: { 200: statusAnswer },
      handle: async ({ params, facts }, principal) => {
        const { broker } = parts;
        const status = toStatement(
          parts,
          await keyStatus(broker, callerOf(parts, facts, principal), param(params, "key")),
        );
        const { keyId, publicKey } = broker.statements;
        const jws = broker.statements.sign("claviger-key-status+jws", status);
        return { status: 200, body: { ...status, jws, signer: { keyId, publicKey: publicKey.toString("base64") } } };
      },
    }),
  ];
}

function toStatement({ broker }: RestParts, { key, versions, ...times }: KeyStatus): z.input<typeof statement> {
  return {
    keyId: key.id,
    name: key.name,
    namespace: key.namespace,
    state: key.state,
    stateReason: key.stateReason,
    processing: key.processing,
    held: key.hold !== null,
    compromiseOccurrenceTime: isoTimeOrNull(key.compromiseOccurrenceTime),
    destroyTime: isoTimeOrNull(key.destroyTime),
    versions: versions.map(({ version, role, publicKeys }) => ({
      version: version.version,
      state: version.state,
      stateReason: version.stateReason,
      role,
      kids: publicKeys.map(({ kid }) => kid),
    })),
    gateway: broker.settings.gateway,
    producedTime: isoTime(times.producedTime),
    nextUpdateTime: isoTime(times.nextUpdateTime),
  };
}
