import { afterAll } from "vitest";
import { ALGORITHM_NAMES } from "#core/algorithms.ts";
import { vaultCapabilities } from "#providers/azure-key-vault/capabilities.ts";
import { providerSuite } from "../conformance/provider.suite.ts";
import { makeForeignKey, openStand } from "../unit/providers/azure-key-vault/open-stand.ts";
import { triedRows } from "./tried-rows.ts";

const stand = await openStand({ kind: "vault" });
afterAll(async () => {
  await stand[Symbol.asyncDispose]();
});

const capabilities = vaultCapabilities({ hardwareProtected: false, retentionDays: 90 });
providerSuite({
  name: "azure-key-vault",
  capabilities,
  open: async () => await stand.open(),
  unknownRef: stand.unknownRef,
  advance: stand.advance,
  foreignKey: async () => await makeForeignKey(stand),
  sizes: { flippedBits: 24, cuts: 12 }, // the fake is asked over a socket: each costs a request
  tried: (row) => triedRows(row) || row.algorithm === capabilities.recipientAlgorithm,
  imported: ALGORITHM_NAMES.filter((name) => name.startsWith("RSA-")),
  isThrowaway: true,
});
