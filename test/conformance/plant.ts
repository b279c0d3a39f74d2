import { expect } from "vitest";
import type {
  Cipher,
  KeyAgreement,
  KeyEncapsulation,
  KeyExporter,
  KeyImporter,
  MacSigner,
  MaterialWrapper,
  Provider,
  PublicKeys,
  Signer,
} from "#core/provider.ts";
import type { ProviderHarness } from "./provider/subject.ts";

type Abilities = {
  readonly cipher: Cipher;
  readonly mac: MacSigner;
  readonly signer: Signer;
  readonly materialWrapper: MaterialWrapper;
  readonly agreement: KeyAgreement;
  readonly encapsulation: KeyEncapsulation;
  readonly publicKeys: PublicKeys;
  readonly importer: KeyImporter;
  readonly exporter: KeyExporter;
};

/** A provider that has every ability. */
export type Whole = Provider & Abilities;

/** A fault in a provider that is otherwise good, and the test that must see it. */
export type Plant = {
  readonly test: string;
  readonly fault: string;
  readonly spoil?: (provider: Whole) => Partial<Provider>;
  readonly harness?: Partial<ProviderHarness>;
};

const ABILITIES = [
  "cipher",
  "mac",
  "signer",
  "materialWrapper",
  "agreement",
  "encapsulation",
  "publicKeys",
  "importer",
  "exporter",
] as const satisfies readonly (keyof Abilities)[];

export function whole(provider: Provider): Whole {
  for (const name of ABILITIES) if (provider[name] === undefined) expect.fail(`${name} is missing`);
  return provider as Whole;
}

/** Changes one ability of a provider. */
export function withAbility<K extends keyof Abilities>(
  name: K,
  change: (ability: Abilities[K], provider: Whole) => Partial<Abilities[K]>,
): (provider: Whole) => Partial<Provider> {
  return (provider) => ({ [name]: { ...provider[name], ...change(provider[name], provider) } });
}
