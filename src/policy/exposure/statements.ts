import type { ExposureFacts, Judged } from "./facts.ts";

/** What people like to say of keys, and when it is true. `text` has the names that it is about. */
export type Statement = { readonly id: string; readonly text: string; readonly holds: boolean };

/** Every statement about a key, true or not: whoever reads the report sees what must not be claimed. */
export function statementsOf(facts: ExposureFacts, judged: Judged): readonly Statement[] {
  const { minimalSets, jurisdictions } = judged;
  const current = facts.holders.filter(({ until }) => until === null);
  const cloudsAlone = facts.holders.filter(({ provider }) =>
    minimalSets.some((set) => set.length === 1 && set[0] === `provider:${provider}`),
  );
  const domains = new Set(current.map(({ failureDomain }) => failureDomain)).size;
  const gatewayAlone = minimalSets.some((set) => set.length === 1 && set[0] === "gateway-operator");
  return [
    ...facts.holders.map(({ provider }) => ({
      id: "provider-cannot-read",
      text: `${provider} cannot read the data`,
      holds: !minimalSets.flat().includes(`provider:${provider}`),
    })),
    {
      id: "no-single-provider",
      text: "no single provider can decrypt",
      holds: cloudsAlone.length === 0,
    },
    {
      id: "gateway-cannot-read",
      text: "the operator of the gateway cannot read the data",
      holds: !gatewayAlone,
    },
    {
      id: "survives-a-provider",
      text: "the data can be opened after the loss of any one provider",
      holds: facts.custody === "portable" && !facts.destroyed && domains >= 2,
    },
    {
      id: "never-outside-hsm",
      text: "the key is claimed never to have left an HSM",
      holds:
        facts.custody === "native" &&
        facts.origin === "generated" &&
        facts.exportTime === null &&
        current.length > 0 &&
        current.every(({ protection }) => protection === "hsm"),
    },
    {
      id: "erasable",
      text: "destroying the key makes every copy of it worthless, backups included",
      holds: (facts.custody === "native" && facts.exportTime === null) || facts.dedicated,
    },
    {
      id: "quantum-safe-wraps",
      text: "copied wraps stay closed to a quantum computer",
      holds: !facts.holders.some(({ wrapsWithRsa }) => wrapsWithRsa),
    },
    ...jurisdictions.map(({ jurisdiction, canDecrypt }) => ({
      id: "beyond-jurisdiction",
      text: `an authority of ${jurisdiction} cannot have the data decrypted`,
      holds: !canDecrypt,
    })),
  ];
}
