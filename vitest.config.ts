import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/count-reporter.ts"],
    globalSetup: ["./test/support/own-state.ts"],
    setupFiles: ["./test/support/equality.ts"],
    pool: "forks",
    execArgv: ["--disable-warning=ExperimentalWarning"],
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], testTimeout: 20_000 } },
      {
        extends: true,
        test: { name: "e2e", include: ["e2e/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
      },
    ],
  },
});
