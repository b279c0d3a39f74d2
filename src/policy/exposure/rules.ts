import type { Ability, ExposedHolder, ExposureFacts, Relation, Standing } from "./facts.ts";

export const OPERATOR = "gateway-operator";
export const HOST = "gateway-host";
export const IMPORTER = "importer";
export const EXPORT_HOLDER = "export-holder";
export const QUANTUM = "quantum-adversary";

export function providerId(name: string): string {
  return `provider:${name}`;
}

/** A row of the table of exposure: what follows from which facts, and why. */
export type Rule = {
  readonly id: string;
  /** One holder at a time, for rules about providers; undefined for the others. */
  readonly applies: (facts: ExposureFacts, holder: ExposedHolder | undefined) => boolean;
  readonly ofHolders: boolean;
  /** Which entity; undefined: the holder. */
  readonly entities?: readonly string[];
  readonly gives: readonly (readonly [Relation, Standing])[];
  readonly because: string;
  /** Of rules about others than holders; since the key was made unless told. */
  readonly since?: (facts: ExposureFacts) => number;
};

const isNative = ({ custody, destroyed }: ExposureFacts): boolean => custody === "native" && !destroyed;
const isPortable = ({ custody, destroyed }: ExposureFacts): boolean => custody === "portable" && !destroyed;
const isCurrent = (holder: ExposedHolder | undefined): boolean => holder !== undefined && holder.until === null;
const alone = ({ holders }: ExposureFacts): boolean => holders.filter(({ until }) => until === null).length === 1;

/** Each rule by itself says little: what holds is all that any of them gives. */
export const RULES: readonly Rule[] = [
  {
    id: "native-software",
    ofHolders: true,
    applies: (facts, holder) => isNative(facts) && isCurrent(holder) && holder?.protection === "software",
    gives: [
      ["possess", "yes"],
      ["use", "yes"],
      ["deny", "yes"],
      ["destroy", "yes"],
    ],
    because: "it holds the key in software protection",
  },
  {
    id: "native-hsm",
    ofHolders: true,
    applies: (facts, holder) => isNative(facts) && isCurrent(holder) && holder?.protection === "hsm",
    gives: [
      ["possess", "claimed-not"],
      ["use", "yes"],
      ["deny", "yes"],
      ["destroy", "yes"],
    ],
    because: "it holds the key in its HSM, which its service can call",
  },
  {
    id: "native-external",
    ofHolders: true,
    applies: (facts, holder) => isNative(facts) && isCurrent(holder) && holder?.protection === "external",
    gives: [["deny", "yes"]],
    because: "it passes on to an HSM elsewhere, which it may not call by itself",
  },
  {
    id: "native-gateway",
    ofHolders: false,
    applies: isNative,
    entities: [OPERATOR, HOST],
    gives: [
      ["use", "yes"],
      ["observe", "yes"],
      ["deny", "yes"],
    ],
    because: "every operation passes through the gateway, which never has the key",
  },
  {
    id: "imported",
    ofHolders: false,
    applies: ({ origin }) => origin === "imported",
    entities: [IMPORTER, HOST],
    gives: [["possess", "past"]],
    because: "the material was there in the clear when it was imported, until that is proven destroyed",
  },
  {
    id: "exported",
    ofHolders: false,
    applies: ({ exportTime }) => exportTime !== null,
    entities: [EXPORT_HOLDER],
    gives: [
      ["possess", "yes"],
      ["use", "yes"],
    ],
    because:
      "it was given away, wrapped, to whoever has the private half of the wrapping key; no destruction here reaches that copy",
    since: ({ exportTime, createTime }) => exportTime ?? createTime,
  },
  {
    id: "portable-recipient",
    ofHolders: true,
    applies: (facts, holder) => isPortable(facts) && isCurrent(holder) && facts.threshold === 1,
    gives: [
      ["possess", "when-called"],
      ["use", "yes"],
    ],
    because: "it receives the branch key at every wrap or unwrap",
  },
  {
    id: "portable-sole-recipient",
    ofHolders: true,
    applies: (facts, holder) => isPortable(facts) && isCurrent(holder) && alone(facts),
    gives: [
      ["deny", "yes"],
      ["destroy", "yes"],
    ],
    because: "no other recipient could open the key",
  },
  {
    id: "portable-dropped",
    ofHolders: true,
    applies: (facts, holder) => facts.custody === "portable" && holder !== undefined && holder.until !== null,
    gives: [["possess", "past"]],
    because: "it held a wrap of every version until it was dropped; rotated and re-encrypted, that opens nothing",
  },
  {
    id: "portable-gateway",
    ofHolders: false,
    applies: isPortable,
    entities: [OPERATOR, HOST],
    gives: [
      ["possess", "yes"],
      ["use", "yes"],
      ["observe", "yes"],
      ["deny", "yes"],
      ["destroy", "yes"],
    ],
    because: "the keys are in the gateway's memory for the whole life of the process, and the plaintext passes through",
  },
  {
    id: "rsa-wraps",
    ofHolders: false,
    applies: (facts) => isPortable(facts) && facts.holders.some(({ wrapsWithRsa }) => wrapsWithRsa),
    entities: [QUANTUM],
    gives: [["possess", "future"]],
    because: "RSA wraps, once copied, open to whoever has a quantum computer",
  },
  {
    id: "destroyed",
    ofHolders: true,
    applies: ({ destroyed, dedicated, custody }) => destroyed && custody === "portable" && !dedicated,
    gives: [["possess", "past"]],
    because: "a copy of a wrap that was made before the destruction could still be opened by it",
  },
];

/** Everything that the rules give for some facts. */
export function abilitiesOf(facts: ExposureFacts): readonly Ability[] {
  return RULES.flatMap((rule) => (rule.ofHolders ? ofHolders(rule, facts) : ofEntities(rule, facts)));
}

function ofHolders({ applies, gives, because }: Rule, facts: ExposureFacts): readonly Ability[] {
  return facts.holders
    .filter((holder) => applies(facts, holder))
    .flatMap(({ provider, since, until }) =>
      gives.map(([relation, standing]) => ({
        entity: providerId(provider),
        relation,
        standing,
        because,
        since,
        until,
      })),
    );
}

function ofEntities(rule: Rule, facts: ExposureFacts): readonly Ability[] {
  const { applies, gives, because, entities = [] } = rule;
  if (!applies(facts, undefined)) return [];
  const since = rule.since?.(facts) ?? facts.createTime;
  return entities.flatMap((entity) =>
    gives.map(([relation, standing]) => ({ entity, relation, standing, because, since, until: null })),
  );
}
