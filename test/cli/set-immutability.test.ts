import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testService } from "./service-scene.ts";
import { gantry } from "./support.ts";

async function scene(patterns: string, quirks = {}) {
  const service = await testService({ quirks });
  await putImage(service.store("app"), image("app"), "1.0");
  const config = join(await temporaryDirectory(), "config.yaml");
  await writeFile(config, `tags: {immutable: ${patterns}}\n`);
  const run = (...words: readonly string[]) =>
    gantry(["tags", "plan", "--set-immutability", `${service.host}/app`, "--config", config, ...words]);
  return { ...service, run };
}

test("a service is told which tags never move, and then knows", async () => {
  const { run, host } = await scene("['v*', 'semver:*']", { immutableTags: { patterns: "doublestar" } });
  const planned = await run("--detailed-exitcode");
  expect(planned.code).toBe(7);
  expect(planned.stdout).toContain("tags like v* never move");
  expect(planned.stderr).toContain("semver:* is kept by Gantry alone, and Test Service lets others move those tags");
  const { code, stderr } = await run("--yes");
  expect(code, stderr).toBe(0);
  const now = await gantry(["immutability", "get", `${host}/app`, "--format", "json"]);
  expect(JSON.parse(now.stdout)).toMatchObject({ tags: "mutable", except: ["v*"], patterns: "doublestar" });
  expect((await run("--detailed-exitcode")).code).toBe(0);
});

test("without patterns, or a repository, there is nothing to say", async () => {
  const { run } = await scene("[]");
  expect((await run()).stderr).toContain("tags.immutable of the configuration is empty");
  const { code } = await gantry(["tags", "plan", "--set-immutability"]);
  expect(code).toBe(2);
});
