import { agreementTests } from "./agreement.ts";
import { cipherTests } from "./cipher.ts";
import { concurrencyTests } from "./concurrency.ts";
import { encapsulationTests } from "./encapsulation.ts";
import { exportTests } from "./exporter.ts";
import { failureTests } from "./failures.ts";
import { identityTests } from "./identity.ts";
import { importTests } from "./importer.ts";
import { keyTests } from "./keys.ts";
import { macTests } from "./mac.ts";
import { materialWrapperTests } from "./material-wrapper.ts";
import { publicKeyTests } from "./public-keys.ts";
import { randomTests } from "./random.ts";
import { restrictionTests } from "./restriction.ts";
import { signerTests } from "./signer.ts";
import { stateTests } from "./states.ts";
import type { ProviderHarness, ProviderTest, ProviderTests } from "./subject.ts";
import { undeclaredTests } from "./undeclared.ts";
import { wrapperTests } from "./wrapper.ts";

const THEMES: Readonly<Record<string, ProviderTests>> = {
  identity: identityTests,
  wrapper: wrapperTests,
  cipher: cipherTests,
  mac: macTests,
  signer: signerTests,
  "material wrapper": materialWrapperTests,
  agreement: agreementTests,
  encapsulation: encapsulationTests,
  "public keys": publicKeyTests,
  importer: importTests,
  exporter: exportTests,
  undeclared: undeclaredTests,
  keys: keyTests,
  restriction: restrictionTests,
  states: stateTests,
  failures: failureTests,
  concurrency: concurrencyTests,
  random: randomTests,
};

/** Themes about all that is declared, and about what is not. */
const WHOLE: readonly string[] = ["identity", "undeclared"];

/** Every test that a provider with these capabilities has, by theme. */
export function providerTests(harness: ProviderHarness): readonly (ProviderTest & { readonly theme: string })[] {
  const { capabilities, tried = () => true } = harness;
  const narrowed = { ...harness, capabilities: { ...capabilities, rows: capabilities.rows.filter(tried) } };
  return Object.entries(THEMES).flatMap(([theme, tests]) =>
    tests(WHOLE.includes(theme) ? harness : narrowed).map((test) => ({
      ...test,
      theme,
      run: async (subject) => {
        await test.run(WHOLE.includes(theme) ? subject : { ...subject, harness: narrowed });
      },
    })),
  );
}
