import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider } from "#core/provider.ts";
import { Secret } from "#core/secret.ts";
import { pkcs11 } from "#providers/pkcs11/index.ts";
import type { Pkcs11Options } from "#providers/pkcs11/options.ts";
import { localSources } from "../unit/providers/local-hsm/sources.ts";
import { makeSoftHsm, missingSoftHsm, type SoftHsm } from "../emulators/soft-hsm.ts";

const missing = missingSoftHsm();
const call = { signal: new AbortController().signal, requestId: "req_faults" };

describe.skipIf(missing !== undefined)(
  `a token that cannot be used${missing === undefined ? "" : `: ${missing}`}`,
  () => {
    let token: SoftHsm;
    beforeAll(() => {
      token = makeSoftHsm();
    });
    afterAll(() => {
      token[Symbol.dispose]();
    });

    async function open(options: Partial<Pkcs11Options> = {}, dataFolder = token.folder): Promise<Provider> {
      return await pkcs11.open({
        name: "softhsm",
        options: {
          module: token.module,
          token: { label: token.label },
          pin: new Secret(token.pin),
          workers: 1,
          stuckMs: 30_000,
          environment: token.environment,
          ...options,
        },
        dataFolder,
        sources: localSources(),
      });
    }

    async function refusal(options: Partial<Pkcs11Options>, dataFolder?: string): Promise<string> {
      return await open(options, dataFolder).then(
        async (provider) => {
          await provider[Symbol.asyncDispose]();
          return "it opened";
        },
        (error: unknown) => {
          const { failure, detail } = pkcs11Fault(error);
          return `${failure}: ${detail}`;
        },
      );
    }

    it("says in one sentence what is missing and what to do", async () => {
      expect(await refusal({ module: "/nowhere/libnone.so" })).toMatch(
        /^OUTAGE: the module \/nowhere\/libnone\.so cannot be loaded \(.+\); install it, or mend the path$/u,
      );
      const text = join(token.folder, "text.so");
      writeFileSync(text, "no library");
      expect(await refusal({ module: text })).toContain("cannot be loaded");
      expect(await refusal({ token: { label: "another" } })).toBe(
        "OUTAGE: the module has no token with the label another; there are: claviger",
      );
    });

    it("is told apart from one that is not initialised", async () => {
      const empty = mkdtempSync(join(tmpdir(), "softhsm-empty-"));
      writeFileSync(join(empty, "c"), `directories.tokendir = ${empty}\n`);
      expect(await refusal({ environment: { SOFTHSM2_CONF: join(empty, "c") } })).toContain(
        "there is no initialised token",
      );
      rmSync(empty, { recursive: true });
    });

    it("sees a wrong PIN once, however often it is opened, and the right one again", async () => {
      const data = mkdtempSync(join(tmpdir(), "pkcs11-data-"));
      const wrong = { pin: new Secret("4321") };
      for (let turn = 0; turn < 5; turn++)
        expect(await refusal(wrong, data)).toMatch(
          /^CREDENTIALS: the token does not take the PIN; it is not tried again/u,
        );
      expect(await refusal({}, data)).toBe("it opened");
      expect(await refusal(wrong, data)).toMatch(/^CREDENTIALS/u);
      rmSync(data, { recursive: true });
    });

    it("comes back by itself when its files do", async () => {
      await using provider = await open();
      const { canary } = await provider.identify(call);
      await provider.probe(canary, call);
      const tokens = join(token.folder, "tokens");
      renameSync(tokens, `${tokens}-away`);
      provider.renew();
      await expect(provider.probe(canary, call)).rejects.toThrow();
      renameSync(`${tokens}-away`, tokens);
      provider.renew();
      await provider.probe(canary, call);
    });

    it("keeps a key that another process destroys from being used from a handle that is left", async () => {
      await using one = await open();
      await using other = await open();
      const spec = { algorithm: "HMAC-SHA-256", marker: "short-lived", description: "" } as const;
      const { ref } = await one.keys.create(spec, call);
      const mac = async () => await one.mac?.mac({ ref, algorithm: spec.algorithm, message: Buffer.from("m") }, call);
      expect((await mac())?.value).toHaveLength(32);
      await other.keys.scheduleDestruction(ref, 0, call);
      const failure = await mac().then(
        () => "none",
        (error: unknown) => one.classify(error).failure,
      );
      expect(failure).toBe("NOT_FOUND");
    });
  },
);

function pkcs11Fault(error: unknown): { failure: string; detail: string } {
  const { fault } = error as { fault?: { failure: string; detail: string } };
  return fault ?? { failure: "none", detail: String(error) };
}
