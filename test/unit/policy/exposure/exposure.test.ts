import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exposureOf } from "#policy/exposure/exposure.ts";
import type { ExposedHolder, ExposureFacts } from "#policy/exposure/facts.ts";
import { RULES } from "#policy/exposure/rules.ts";

const holder = (more: Partial<ExposedHolder> = {}): ExposedHolder => ({
  provider: "aws",
  kind: "aws-kms",
  failureDomain: "aws",
  protection: "hsm",
  jurisdiction: "EU",
  entity: ["US"],
  wrapsWithRsa: false,
  since: 1,
  until: null,
  ...more,
});
const azure = holder({ provider: "azure", failureDomain: "azure", wrapsWithRsa: true });
const hsm = holder({ provider: "hsm", failureDomain: "hsm", protection: "software", entity: [], jurisdiction: null });

const facts = (more: Partial<ExposureFacts> = {}): ExposureFacts => ({
  custody: "portable",
  threshold: 1,
  dedicated: false,
  origin: "generated",
  destroyed: false,
  createTime: 1,
  exportTime: null,
  holders: [holder(), azure],
  ...more,
});
const native = (more: Partial<ExposureFacts> = {}): ExposureFacts =>
  facts({ custody: "native", holders: [holder()], ...more });

/** `entity relation standing` of everything that follows. */
function follows(given: ExposureFacts): readonly string[] {
  return exposureOf(given).relations.map(({ entity, relation, standing }) => `${entity} ${relation} ${standing}`);
}

/** For each rule facts to which it applies, facts to which it does not, and what tells them apart. */
const CASES: Readonly<Record<string, readonly [applies: ExposureFacts, not: ExposureFacts, tells: string]>> = {
  "native-software": [native({ holders: [hsm] }), native(), "provider:hsm possess yes"],
  "native-hsm": [native(), native({ holders: [hsm] }), "provider:aws possess claimed-not"],
  "native-external": [native({ holders: [holder({ protection: "external" })] }), facts(), "provider:aws deny yes"],
  "native-gateway": [native(), native({ destroyed: true }), "gateway-operator observe yes"],
  imported: [native({ origin: "imported" }), native(), "importer possess past"],
  exported: [native({ exportTime: 5 }), native(), "export-holder possess yes"],
  "portable-recipient": [facts(), facts({ threshold: 2 }), "provider:aws possess when-called"],
  "portable-sole-recipient": [facts({ holders: [holder()] }), facts(), "provider:aws destroy yes"],
  "portable-dropped": [facts({ holders: [holder(), { ...azure, until: 5 }] }), facts(), "provider:azure possess past"],
  "portable-gateway": [facts(), native(), "gateway-host possess yes"],
  "rsa-wraps": [facts(), facts({ holders: [holder()] }), "quantum-adversary possess future"],
  destroyed: [facts({ destroyed: true }), facts({ destroyed: true, dedicated: true }), "provider:aws possess past"],
};

describe("each rule of exposure", () => {
  it.for(RULES.map(({ id }) => id))("applies to what it is for, and not beside it: %s", (id) => {
    const [applies, not, tells] = CASES[id] ?? expect.fail("the rule has no case");
    expect(follows(applies)).toContain(tells);
    expect(follows(not)).not.toContain(tells);
  });
});

describe("an exposure", () => {
  it("finds who can decrypt alone, and which coalitions for a threshold", () => {
    expect(exposureOf(facts()).minimalSets).toEqual([
      ["provider:aws"],
      ["provider:azure"],
      ["gateway-operator"],
      ["gateway-host"],
    ]);
    const shared = facts({ threshold: 2, holders: [holder(), azure, hsm] });
    expect(exposureOf(shared).minimalSets.filter((set) => set.length > 1)).toEqual([
      ["provider:aws", "provider:azure"],
      ["provider:aws", "provider:hsm"],
      ["provider:azure", "provider:hsm"],
    ]);
    expect(exposureOf(native()).minimalSets).toEqual([["provider:aws"], ["gateway-operator"], ["gateway-host"]]);
  });

  it("reaches by law whom a jurisdiction reaches, wherever the machine stands", () => {
    const { jurisdictions, relations } = exposureOf(facts({ holders: [holder(), hsm] }));
    expect(jurisdictions).toEqual([
      { jurisdiction: "EU", canDecrypt: true, through: ["provider:aws"] },
      { jurisdiction: "US", canDecrypt: true, through: ["provider:aws"] },
    ]);
    expect(relations.filter(({ relation }) => relation === "compel").map(({ entity }) => entity)).toEqual([
      "law:EU",
      "law:US",
    ]);
  });

  it("says of a threshold that no single provider can decrypt, and of nothing else", () => {
    const said = (given: ExposureFacts): boolean =>
      exposureOf(given).statements.some(({ id, holds }) => id === "no-single-provider" && holds);
    expect(said(facts({ threshold: 2 }))).toBe(true);
    expect(said(facts())).toBe(false);
    expect(said(native())).toBe(false);
  });
});

const holders = fc.uniqueArray(
  fc.record({
    provider: fc.constantFrom("a", "b", "c", "d"),
    kind: fc.constant("kind"),
    failureDomain: fc.constantFrom("x", "y"),
    protection: fc.constantFrom("software", "hsm", "external"),
    jurisdiction: fc.constantFrom("EU", "US", null),
    entity: fc.subarray(["US", "CN"]),
    wrapsWithRsa: fc.boolean(),
    since: fc.constant(1),
    until: fc.constantFrom(null, 5),
  }) as fc.Arbitrary<ExposedHolder>,
  { selector: ({ provider }) => provider, minLength: 1 },
);
const deployments = fc.record({
  custody: fc.constantFrom("portable", "native"),
  threshold: fc.constantFrom(1, 2),
  dedicated: fc.boolean(),
  origin: fc.constantFrom("generated", "imported", "adopted"),
  destroyed: fc.boolean(),
  createTime: fc.constant(1),
  exportTime: fc.constantFrom(null, 5),
  holders,
}) as fc.Arbitrary<ExposureFacts>;

describe("over all deployments, an exposure", () => {
  it("never lets it be said of a provider that it cannot read the data while it is in a minimal set", () => {
    fc.assert(
      fc.property(deployments, (given) => {
        const { minimalSets, statements } = exposureOf(given);
        for (const { provider } of given.holders) {
          const statement = statements.find(({ text }) => text === `${provider} cannot read the data`);
          expect(statement?.holds).toBe(!minimalSets.flat().includes(`provider:${provider}`));
        }
      }),
    );
  });

  it("does not shrink when a recipient is added, nor when one is dropped that could decrypt", () => {
    fc.assert(
      fc.property(deployments, (given) => {
        const before = new Set(exposureOf(given).minimalSets.flat());
        const added = exposureOf({ ...given, holders: [...given.holders, holder({ provider: "new" })] });
        for (const entity of before) expect(added.minimalSets.flat()).toContain(entity);
        if (given.custody !== "portable" || given.threshold !== 1) return;
        const dropped = exposureOf({
          ...given,
          holders: given.holders.map((one) => ({ ...one, until: one.until ?? 9 })),
        });
        for (const { provider } of given.holders)
          if (before.has(`provider:${provider}`)) expect(dropped.minimalSets.flat()).toContain(`provider:${provider}`);
      }),
    );
  });

  it("names each of its entities once, relates none that it does not name, and gives the operator the plaintext while the key lives", () => {
    fc.assert(
      fc.property(deployments, (given) => {
        const { entities, relations } = exposureOf(given);
        const ids = entities.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { entity } of relations) expect(ids).toContain(entity);
        const observes = relations.some(
          ({ entity, relation }) => entity === "gateway-operator" && relation === "observe",
        );
        expect(observes).toBe(!given.destroyed);
      }),
    );
  });
});
