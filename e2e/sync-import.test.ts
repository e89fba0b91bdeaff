import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, must, run } from "./support/run.ts";

// Files of other tools select the same tags by `gantry sync import` as the tools themselves say they would copy.
const tags = [
  "1.0",
  "1.13.1-alpine-perl",
  "1.13.2-alpine-perl",
  "1.13.3-alpine-perl",
  "1.2.3",
  "2.0.0",
  "2.1.0-rc.1",
  "latest",
  "v1.4.0",
];

let work: string;
let source: RunningRegistry;
let target: RunningRegistry;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-import-"));
  const image = await makeImage(join(work, "layout"), {});
  source = await startGantryRegistry();
  target = await startGantryRegistry();
  for (const tag of tags) await pushImage(join(work, "layout"), image, `${source.host}/app:${tag}`);
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
  await rm(work, { recursive: true, force: true });
});

/** What Gantry would copy by a file: `1.0 -> HOST/copy/app:1.0`. */
async function ours(file: string, ...words: readonly string[]): Promise<readonly string[]> {
  const imported = join(work, "ours.yaml");
  await must(gantry("sync", "import", ...words, "-o", imported, file));
  const { steps } = JSON.parse(await must(gantry("sync", imported, "--cache", "none", "--format", "json")));
  return (steps as { from: string; at: string }[])
    .map(({ from, at }) => `${tagOf(from.replace(/@.*/, ""))} -> ${at}`)
    .sort();
}

const tagOf = (image: string): string => image.slice(image.lastIndexOf(":") + 1);

describeWith("skopeo", "a file of skopeo", () => {
  test.each([
    { images: { app: [] } },
    { images: { app: ["1.0", "latest"] } },
    { "images-by-tag-regex": { app: "^1\\.13\\.[12]-alpine-perl$" } },
    { "images-by-tag-regex": { app: "1|rc" } },
    { images: { app: ["latest"] }, "images-by-tag-regex": { app: "2$" } },
  ])("%j", async (registry) => {
    const file = join(work, "skopeo.yml");
    await writeFile(file, JSON.stringify({ [source.host]: { ...registry, "tls-verify": false } }));
    const words = [
      "sync",
      "--dry-run",
      "--all",
      "--src",
      "yaml",
      "--dest",
      "docker",
      "--dest-tls-verify=false",
      file,
      `${target.host}/copy`,
    ];
    const { code, stderr } = await run(peer("skopeo")!.path, words);
    expect(code, stderr).toBe(0);
    const told = [...stderr.matchAll(/from="?docker:\/\/(\S+?)"? to="?docker:\/\/(\S+?)"?$/gm)].map(
      ([, from, to]) => `${tagOf(from!)} -> ${to}`,
    );
    expect(told.length).toBeGreaterThan(0);
    expect(await ours(file, "--to", `${target.host}/copy`)).toEqual([...new Set(told)].sort());
  });
});

describeWith("regsync", "a file of regsync", () => {
  test.each([
    {},
    { tags: { allow: ["1.0", "latest", "missing"] } },
    { tags: { allow: ["1.*|v.*"], deny: [".*alpine.*"] } },
    { tags: { semverRange: [">=1.2 <2.1"] } },
    { tags: { semverRange: ["^1.13.2"], deny: [".*3.*"] }, tagSets: [{ allow: ["latest"] }] },
    { type: "image", source: "app:2.0.0", target: "copy/{{ .Sync.Type }}:two" },
  ])("%j", async (entry) => {
    const {
      type = "repository",
      source: from = "app",
      target: to = "copy/app",
      ...more
    } = entry as Record<string, string>;
    const sync = [{ type, source: `${source.host}/${from}`, target: `${target.host}/${to}`, ...more }];
    const creds = [source.host, target.host].map((registry) => ({ registry, tls: "disabled" }));
    const file = join(work, "regsync.yml");
    await writeFile(file, JSON.stringify({ version: 1, creds, sync }));
    const { code, stdout, stderr } = await run(peer("regsync")!.path, ["check", "-c", file, "--logopt", "json"]);
    expect(code, stderr).toBe(0);
    const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.startsWith("{"));
    const told = lines.map((line): { msg: string; source: string; target: string } => JSON.parse(line));
    const needed = told
      .filter(({ msg }) => msg === "Image sync needed")
      .map((one) => `${tagOf(one.source)} -> ${one.target}`);
    expect(needed.length, stderr).toBeGreaterThan(0);
    expect(await ours(file)).toEqual(needed.sort());
  });
});
