import { z } from "zod";
import { ENTITY_KINDS, type KeyExposure, RELATIONS, STANDINGS } from "#broker/exposure.ts";
import { iso, isoTime, isoTimeOrNull } from "./schema/primitives.ts";

export const exposureAnswer = z
  .object({
    keyId: z.string(),
    computedTime: iso,
    entities: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(ENTITY_KINDS),
        name: z.string(),
        jurisdictions: z.array(z.string()).describe("As far as they are stated."),
      }),
    ),
    relations: z.array(
      z.object({
        entity: z.string(),
        relation: z.enum(RELATIONS),
        standing: z.enum(STANDINGS),
        because: z.string(),
        since: iso,
        until: iso.nullable(),
      }),
    ),
    minimalSets: z.array(z.array(z.string())).describe("The smallest sets of entities that are able to decrypt."),
    jurisdictions: z.array(
      z.object({ jurisdiction: z.string(), canDecrypt: z.boolean(), through: z.array(z.string()) }),
    ),
    mayBeSaid: z.array(z.string()),
    mayNotBeSaid: z.array(z.string()),
  })
  .meta({ id: "Exposure" });

export function toExposureJson(exposure: KeyExposure): z.input<typeof exposureAnswer> {
  const { key, computedTime, entities, relations, minimalSets, jurisdictions, statements } = exposure;
  return {
    keyId: key.id,
    computedTime: isoTime(computedTime),
    entities: entities.map((entity) => ({ ...entity, jurisdictions: [...entity.jurisdictions] })),
    relations: relations.map((row) => ({ ...row, since: isoTime(row.since), until: isoTimeOrNull(row.until) })),
    minimalSets: minimalSets.map((set) => [...set]),
    jurisdictions: jurisdictions.map((row) => ({ ...row, through: [...row.through] })),
    mayBeSaid: statements.filter(({ holds }) => holds).map(({ text }) => text),
    mayNotBeSaid: statements.filter(({ holds }) => !holds).map(({ text }) => text),
  };
}
