import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** With CLAVIGER_TEST_ALL, which `.ci/run` sets: the test of the suite itself, and second kinds of services whose first kind is tried by all. */
const ALL_ALONE = [
  "test/conformance/provider.suite.test.ts",
  "test/providers/azure-managed-hsm.conformance.test.ts",
  "test/providers/gcp-kms-hsm.conformance.test.ts",
  "test/e2e/every-kind.test.ts",
];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // npm run test:emulators has the first ones, and the fakes that no adapter uses yet
    exclude: [
      "test/emulators/**",
      "test/providers/**/*.emulator.test.ts",
      "test/contract/gcp-kms/**",
      "test/contract/azure-key-vault/**",
      ...(process.env["CLAVIGER_TEST_ALL"] === "1" ? [] : ALL_ALONE),
    ],
    isolate: false, // no test changes a module: each worker loads the sources once, which halves the time of small tests
    env: { NO_COLOR: "1" },
    testTimeout: 20_000, // gateways in processes of their own, on machines that do other work too
    retry: process.env["CI"] === undefined ? 0 : 2,
    maxWorkers: availableParallelism() + 1, // some tests wait for clocks: the others go on meanwhile
    reporters: ["verbose"], // prints why a test skips
  },
});
