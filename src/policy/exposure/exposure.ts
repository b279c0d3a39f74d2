import type { Ability, Entity, ExposureFacts, Judged } from "./facts.ts";
import { abilitiesOf, EXPORT_HOLDER, HOST, IMPORTER, OPERATOR, providerId, QUANTUM } from "./rules.ts";
import { statementsOf, type Statement } from "./statements.ts";

/** Who can do what with a key, in facts (docs/exposure.md). */
export type Exposure = Judged & {
  readonly entities: readonly Entity[];
  readonly relations: readonly Ability[];
  readonly statements: readonly Statement[];
};

/** Computes the exposure of a key. Pure: the same facts give the same report. */
export function exposureOf(facts: ExposureFacts): Exposure {
  const abilities = abilitiesOf(facts);
  const persons = entitiesOf(facts, abilities);
  const minimalSets = minimalSetsOf(facts, abilities);
  const laws = lawsOf(persons, abilities);
  const jurisdictions = laws.map(({ name }) => {
    const through = persons.filter((entity) => entity.jurisdictions.includes(name)).map(({ id }) => id);
    const reached = minimalSets.some((set) => set.every((entity) => through.includes(entity)));
    return { jurisdiction: name, canDecrypt: reached, through };
  });
  const relations = [...abilities, ...laws.flatMap((law) => compulsions(law, persons, abilities))];
  const judged = { minimalSets, jurisdictions };
  return { ...judged, relations, entities: [...persons, ...laws], statements: statementsOf(facts, judged) };
}

function entitiesOf({ holders }: ExposureFacts, abilities: readonly Ability[]): readonly Entity[] {
  const named = new Set(abilities.map(({ entity }) => entity));
  const gateway: readonly Entity[] = [
    { id: OPERATOR, kind: "gateway-operator", name: "who operates the gateway", jurisdictions: [] },
    { id: HOST, kind: "gateway-host", name: "who runs the machine of the gateway", jurisdictions: [] },
  ];
  const providers = [...new Map(holders.map((holder) => [holder.provider, holder])).values()].map(
    ({ provider, kind, jurisdiction, entity }): Entity => ({
      id: providerId(provider),
      kind: "provider",
      name: `${provider} (${kind})`,
      jurisdictions: [...new Set([...(jurisdiction === null ? [] : [jurisdiction]), ...entity])],
    }),
  );
  const others: readonly Entity[] = [
    { id: IMPORTER, kind: "importer", name: "the machine that the material came from", jurisdictions: [] },
    { id: EXPORT_HOLDER, kind: "export-holder", name: "who holds what was exported", jurisdictions: [] },
    {
      id: QUANTUM,
      kind: "quantum-adversary",
      name: "a holder of copied rows with a quantum computer",
      jurisdictions: [],
    },
  ];
  return [...gateway, ...providers, ...others.filter(({ id }) => named.has(id))];
}

/** Who can decrypt by himself, and for a threshold the smallest coalitions of recipients. */
function minimalSetsOf(
  { custody, threshold, holders, destroyed }: ExposureFacts,
  abilities: readonly Ability[],
): readonly (readonly string[])[] {
  const able = new Set(
    abilities
      .filter(
        ({ relation, standing }) =>
          (relation === "possess" && standing !== "future" && standing !== "claimed-not") ||
          (relation === "use" && standing === "yes"),
      )
      .map(({ entity }) => entity),
  );
  const alone = [...able].map((entity) => [entity]);
  if (custody !== "portable" || threshold === 1 || destroyed) return alone;
  const recipients = holders.filter(({ until }) => until === null).map(({ provider }) => providerId(provider));
  return [
    ...alone,
    ...combinations(
      recipients.filter((entity) => !able.has(entity)),
      threshold,
    ),
  ];
}

function combinations(items: readonly string[], count: number): readonly (readonly string[])[] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) => combinations(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]));
}

function lawsOf(persons: readonly Entity[], abilities: readonly Ability[]): readonly Entity[] {
  const acting = new Set(abilities.map(({ entity }) => entity));
  const names = new Set(persons.filter(({ id }) => acting.has(id)).flatMap(({ jurisdictions }) => jurisdictions));
  return [...names].toSorted().map((name) => ({ id: `law:${name}`, kind: "law", name, jurisdictions: [name] }));
}

/** The law can order whatever those within its reach can do, without notice to the owner. */
function compulsions(law: Entity, persons: readonly Entity[], abilities: readonly Ability[]): readonly Ability[] {
  const reached = persons.filter(({ jurisdictions }) => jurisdictions.includes(law.name));
  return reached.flatMap(({ id, name }) => {
    const own = abilities.filter(
      ({ entity, relation }) => entity === id && (relation === "possess" || relation === "use"),
    );
    const [first] = own;
    if (first === undefined) return [];
    const what = [...new Set(own.map(({ relation, standing }) => `${relation} (${standing})`))].join(", ");
    const until = own.some(({ until: end }) => end === null) ? null : first.until;
    const since = Math.min(...own.map((ability) => ability.since));
    return [
      {
        entity: law.id,
        relation: "compel" as const,
        standing: "yes" as const,
        because: `${name} is within its reach, and has: ${what}`,
        since,
        until,
      },
    ];
  });
}
