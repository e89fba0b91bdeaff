import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("the JSON Schemas in the package are what documents are read by", () => {
  const flags = ["--disable-warning=ExperimentalWarning", "scripts/schemas.ts", "--check"];
  const { status, stderr } = spawnSync(process.execPath, flags, { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("the package has them", async () => {
  const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: string[] };
  expect(files).toContain("schemas");
});
