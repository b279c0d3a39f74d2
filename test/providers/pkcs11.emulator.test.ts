import { afterAll, describe, it } from "vitest";
import { Secret } from "#core/secret.ts";
import { pkcs11 } from "#providers/pkcs11/index.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { localSources } from "../unit/providers/local-hsm/sources.ts";
import { makeSoftHsm, missingSoftHsm } from "../emulators/soft-hsm.ts";

const missing = missingSoftHsm();
if (missing === undefined) await holdToTheSuite();
else describe.skip(`pkcs11 on SoftHSM2: ${missing}`, () => it("is held to the suite", () => undefined));

async function holdToTheSuite(): Promise<void> {
  const token = makeSoftHsm();
  afterAll(() => {
    token[Symbol.dispose]();
  });
  const open = async () =>
    await pkcs11.open({
      name: "softhsm",
      options: {
        module: token.module,
        token: { label: token.label },
        pin: new Secret(token.pin),
        workers: 2,
        stuckMs: 30_000,
        environment: token.environment,
      },
      dataFolder: token.folder,
      sources: localSources(),
    });
  const first = await open();
  const { capabilities } = first;
  await first[Symbol.asyncDispose]();
  providerSuite({
    name: "pkcs11 on SoftHSM2",
    capabilities,
    open,
    unknownRef: "00112233445566778899aabbccddeeff",
    sizes: { flippedBits: 48, cuts: 24, parallel: 12 },
    isThrowaway: true,
  });
}
