import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSubject, type ProviderHarness, type ProviderTest, type Subject } from "./provider/subject.ts";
import { providerTests } from "./provider/tests.ts";

/** Of one test; services are slow, and so are machines that do much else. */
const TIMEOUT_MS = 60_000;

/**
 * The one suite that every provider passes: what the docstrings of `src/core/provider.ts` promise, and nothing that they leave open.
 *
 * A harness that declines a test says why; the reason is printed. A declined test is run all the same, and one that passes fails, so
 * that no excuse outlives its cause. So does a declined test that there is not.
 */
export function providerSuite(harness: ProviderHarness): void {
  describe(`provider ${harness.name}`, { timeout: TIMEOUT_MS }, () => {
    const tests = providerTests(harness);
    let subject: Subject | undefined;
    beforeAll(async () => {
      subject = await openSubject(harness);
    }, TIMEOUT_MS);
    afterAll(async () => {
      await subject?.close();
    }, TIMEOUT_MS);

    for (const test of tests) {
      it(`${test.theme}: ${test.name}`, async (ctx) => {
        await runOrDecline({ test, harness, subject: subject ?? expect.fail("the provider did not open") }, ctx);
      });
    }
    it("the harness declines only tests that there are", () => {
      const names = tests.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(Object.keys(harness.decline ?? {}).filter((name) => !names.includes(name))).toEqual([]);
    });
  });
}

type Skips = { readonly skip: (reason?: string) => never };
type Run = { readonly test: ProviderTest; readonly harness: ProviderHarness; readonly subject: Subject };

/** Runs a test, or runs one that the harness declines and skips it with the reason if it fails. */
export async function runOrDecline({ test, harness, subject }: Run, ctx: Skips): Promise<void> {
  const reason = harness.decline?.[test.name];
  if (reason === undefined) {
    await test.run(subject);
    return;
  }
  const [outcome] = await Promise.allSettled([test.run(subject)]);
  if (outcome.status === "fulfilled") expect.fail(`declined, but it passes: ${reason}`);
  ctx.skip(reason);
}
