import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { LOCAL_CAPABILITIES } from "#providers/local-hsm/capabilities.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { triedRows } from "./tried-rows.ts";
import { localSources } from "../unit/providers/local-hsm/sources.ts";

const dataFolder = mkdtempSync(join(tmpdir(), "local-hsm-"));
afterAll(() => {
  rmSync(dataFolder, { recursive: true });
});

const sources = localSources();

providerSuite({
  name: "local-hsm",
  capabilities: LOCAL_CAPABILITIES,
  open: async () =>
    await localHsm.open({
      name: "hsm-a",
      options: { folder: null, seal: { kind: "file", file: null } },
      dataFolder,
      sources,
    }),
  unknownRef: "0193b3a0-0000-7000-8000-000000000000",
  advance: (ms) => {
    sources.clock.advance(ms);
  },
  tried: triedRows,
  sizes: { flippedBits: 64, cuts: 32 },
  imported: ALGORITHM_NAMES.filter((name) => name.startsWith("RSA-")),
  isThrowaway: true,
});
