import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("the tables of docs/guide/services.md are what the providers say", () => {
  const flags = ["--disable-warning=ExperimentalWarning", "scripts/services.ts", "--check"];
  const cwd = join(import.meta.dirname, "../..");
  const { status, stderr } = spawnSync(process.execPath, flags, { cwd, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
