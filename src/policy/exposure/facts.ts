/** What the exposure of a key follows from: its custody, its history and the deployment, in facts. Times are epoch milliseconds. */
export type ExposureFacts = {
  readonly custody: "portable" | "native";
  /** Recipients that are needed to open a portable key. */
  readonly threshold: number;
  readonly dedicated: boolean;
  readonly origin: "generated" | "imported" | "adopted";
  readonly destroyed: boolean;
  readonly createTime: number;
  /** When it was first given away, wrapped; null: never. */
  readonly exportTime: number | null;
  /** Who holds a wrap or the key now, and who did. */
  readonly holders: readonly ExposedHolder[];
};

export type ExposedHolder = {
  readonly provider: string;
  readonly kind: string;
  readonly failureDomain: string;
  readonly protection: "software" | "hsm" | "external";
  /** Where it is located; null: the operator does not say. */
  readonly jurisdiction: string | null;
  /** Where whoever is behind it is incorporated or controlled. */
  readonly entity: readonly string[];
  /** Whether it wraps with RSA, which authenticates nothing and does not withstand a quantum computer. */
  readonly wrapsWithRsa: boolean;
  readonly since: number;
  /** When it was dropped; null: it holds now. */
  readonly until: number | null;
};

export const RELATIONS = ["possess", "use", "compel", "observe", "deny", "destroy"] as const;
export type Relation = (typeof RELATIONS)[number];

/** How an entity stands to a key. `when-called`: at each call, and claimed not retained. `future`: to whoever has a quantum computer. */
export const STANDINGS = ["yes", "when-called", "claimed-not", "past", "future"] as const;
export type Standing = (typeof STANDINGS)[number];

export const ENTITY_KINDS = [
  "gateway-operator",
  "gateway-host",
  "provider",
  "importer",
  "export-holder",
  "quantum-adversary",
  "law",
] as const;
type EntityKind = (typeof ENTITY_KINDS)[number];

export type Entity = {
  readonly id: string;
  readonly kind: EntityKind;
  readonly name: string;
  /** Jurisdictions in which it is located, incorporated or controlled, as far as that is stated. */
  readonly jurisdictions: readonly string[];
};

/** One thing that an entity can do, and why. */
export type Ability = {
  readonly entity: string;
  readonly relation: Relation;
  readonly standing: Standing;
  readonly because: string;
  readonly since: number;
  readonly until: number | null;
};

/** Who can decrypt, by themselves and by law. */
export type Judged = {
  /** The smallest sets of entities that are able to decrypt now, each by itself. */
  readonly minimalSets: readonly (readonly string[])[];
  /** For each jurisdiction whether its law reaches a set that is able to decrypt, and whom. */
  readonly jurisdictions: readonly {
    readonly jurisdiction: string;
    readonly canDecrypt: boolean;
    readonly through: readonly string[];
  }[];
};
