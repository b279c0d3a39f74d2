import { defineConfig } from "vitest/config";

/** The tests against the emulators of localstack/, which localstack/emulators.ts starts around this run. */
export default defineConfig({
  test: {
    include: ["test/contract/**/*.test.ts", "test/emulators/**/*.test.ts", "test/providers/**/*.emulator.test.ts"],
    maxWorkers: 1, // the emulators share the machine, and their state is shared by every file
    reporters: ["verbose"], // prints why a test skips
  },
});
