import { cipherTests } from "./cipher.ts";
import { concurrencyTests } from "./concurrency.ts";
import { failureTests } from "./failures.ts";
import { identityTests } from "./identity.ts";
import { keyTests } from "./keys.ts";
import { macTests } from "./mac.ts";
import { randomTests } from "./random.ts";
import { stateTests } from "./states.ts";
import type { ProviderHarness, ProviderTest, ProviderTests } from "./subject.ts";
import { undeclaredTests } from "./undeclared.ts";
import { wrapperTests } from "./wrapper.ts";

const THEMES: Readonly<Record<string, ProviderTests>> = {
  identity: identityTests,
  wrapper: wrapperTests,
  cipher: cipherTests,
  mac: macTests,
  undeclared: undeclaredTests,
  keys: keyTests,
  states: stateTests,
  failures: failureTests,
  concurrency: concurrencyTests,
  random: randomTests,
};

/** Every test that a provider with these capabilities has, by theme. */
export function providerTests(harness: ProviderHarness): readonly (ProviderTest & { readonly theme: string })[] {
  return Object.entries(THEMES).flatMap(([theme, tests]) => tests(harness).map((test) => ({ ...test, theme })));
}
