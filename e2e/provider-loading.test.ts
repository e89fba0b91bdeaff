import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../test/support/temporary.ts";
import { startGantryRegistry } from "./support/registries.ts";
import { root, run } from "./support/run.ts";

const sdks = /node_modules\/(@aws-sdk|@smithy|google-auth-library|gaxios|@azure)\//;

/** The files of packages that a command loads which is asked for a login; V8's coverage names all that ran. */
async function loadedFor(config: string): Promise<readonly string[]> {
  const registry = await startGantryRegistry({ htpasswd: { ann: "s3cret" } });
  onTestFinished(() => registry.stop());
  const folder = await temporaryDirectory();
  const file = join(folder, "gantry.yaml");
  await writeFile(file, config.replace("HOST", registry.host));
  const env = { HOME: folder, NODE_V8_COVERAGE: folder, AWS_REGION: "eu-west-1", AWS_EC2_METADATA_DISABLED: "true" };
  const args = [join(root, "dist/gantry.cjs"), "digest", "--config", file, `${registry.host}/team/app:1`];
  const { code } = await run(process.execPath, args, { env });
  expect(code).not.toBe(0);
  const reports = (await readdir(folder)).filter((name) => name.startsWith("coverage-"));
  const texts = await Promise.all(reports.map((name) => readFile(join(folder, name), "utf8")));
  return texts
    .flatMap((text) => (JSON.parse(text) as { result: readonly { url: string }[] }).result)
    .map(({ url }) => url)
    .filter((url) => url.includes("/node_modules/"));
}

test("a plain registry's commands load no service's packages", async () => {
  expect((await loadedFor("retries: 0\n")).filter((url) => sdks.test(url))).toEqual([]);
});

test("those that the user says are a service's do", async () => {
  const loaded = await loadedFor('retries: 0\nhosts:\n  "HOST":\n    provider: ecr\n');
  expect(loaded.filter((url) => url.includes("/@aws-sdk/")).length).toBeGreaterThan(0);
});
