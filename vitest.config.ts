import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: "100%", // the default leaves one core idle, which on two cores halves the speed
    reporters: ["verbose"], // prints why a test skips
  },
});
