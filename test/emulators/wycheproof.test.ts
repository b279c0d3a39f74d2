import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider } from "#core/provider.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import { localSources } from "../unit/providers/local-hsm/sources.ts";
import { WYCHEPROOF_FILES } from "../wycheproof/files.ts";
import { type VectorHsm, vectorHsm } from "../wycheproof/hsm.ts";
import { runFile } from "../wycheproof/run-file.ts";

const folder = join(import.meta.dirname, "../../.emu/wycheproof");
const dataFolder = mkdtempSync(join(tmpdir(), "wycheproof-"));

describe("Wycheproof, whole files", { timeout: 300_000 }, () => {
  let provider: Provider | undefined;
  let hsm: VectorHsm | undefined;
  beforeAll(async () => {
    const options = { folder: null, seal: { kind: "file", file: null } } as const;
    provider = await localHsm.open({ name: "hsm", options, dataFolder, sources: localSources() });
    hsm = vectorHsm(provider);
  });
  afterAll(async () => {
    await provider?.[Symbol.asyncDispose]();
    rmSync(dataFolder, { recursive: true });
  });

  it.for(WYCHEPROOF_FILES)("%s has the results that we have, in %i vectors", async ([name, covered], ctx) => {
    const path = join(folder, `${name}_test.json`);
    ctx.skip(!existsSync(path), "localstack/install.sh has not fetched the vectors");
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    const { agreed, differences } = await runFile(json, hsm ?? expect.fail("no hsm"));
    expect(differences).toEqual([]);
    expect(agreed).toBe(covered);
  });
});
