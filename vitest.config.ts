import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // npm run test:emulators; so do the fakes that no adapter uses yet
    exclude: [
      "test/emulators/**",
      "test/providers/**/*.emulator.test.ts",
      "test/contract/gcp-kms/**",
      "test/contract/azure-key-vault/**",
    ],
    env: { NO_COLOR: "1" },
    testTimeout: 20_000, // gateways in processes of their own, on machines that do other work too
    retry: process.env["CI"] === undefined ? 0 : 2,
    maxWorkers: "100%", // the default leaves one core idle, which on two cores halves the speed
    reporters: ["verbose"], // prints why a test skips
  },
});
