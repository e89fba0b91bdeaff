import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeImage } from "./support/images.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, run, type Outcome } from "./support/run.ts";

// The built command line in a git repository, against a registry on a port.
let work: string;
let registry: RunningRegistry;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-tags-"));
  registry = await startGantryRegistry();
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

const quiet = {
  CI: undefined,
  GITHUB_ACTIONS: undefined,
  GITLAB_CI: undefined,
  TF_BUILD: undefined,
  JENKINS_URL: undefined,
};
const gantry = (...words: readonly string[]): Promise<Outcome> => run(gantryPath, words, { cwd: work, env: quiet });
const git = (...words: readonly string[]): Promise<Outcome> =>
  run("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...words], { cwd: work });

test("two releases and a fix of the first, each tagged by what git says, in that order", async () => {
  const app = `${registry.host}/app`;
  await git("init", "-q", "-b", "main");
  const digests: Record<string, string> = {};
  for (const version of ["1.2.3", "1.3.0", "1.2.4"]) {
    const layout = join(work, `layout-${version}`);
    const image = await makeImage(layout, {
      tag: "1.0",
      layers: 1,
      layerSize: 1000 + Number(version.replaceAll(".", "")),
    });
    await pushImage(layout, image, `${app}:build`);
    digests[version] = image.root.digest;
    await git("commit", "-q", "--allow-empty", "-m", version);
    await git("tag", `v${version}`);
    await git("checkout", "-q", "--detach");
    const sha = (await must(git("rev-parse", "--short=7", "HEAD"))).trim();
    const printed = await must(gantry("tags", "plan"));
    expect(printed.split("\n")).toEqual([version, version.slice(0, 3), "1", `sha-${sha}`, "latest"]);
    await must(gantry("tags", "plan", "--yes", `${app}:build`));
    await git("checkout", "-q", "main");
  }
  const names: Record<string, string> = {};
  for (const tag of ["1.2.3", "1.2.4", "1.3.0", "1.2", "1.3", "1", "latest"])
    names[tag] = (await must(gantry("digest", `${app}:${tag}`))).trim();
  expect(names).toEqual({
    ...digests,
    "1.2": digests["1.2.4"],
    "1.3": digests["1.3.0"],
    "1": digests["1.3.0"],
    latest: digests["1.3.0"],
  });
  const checked = await gantry("tags", "check", "--fail-on", "warning", app);
  expect([checked.code, checked.stdout]).toEqual([0, ""]);
  await writeFile(join(work, "compose.yaml"), `services: {web: {image: "${app}:\${TAG:-1.2}"}}\n`);
  const digest = digests["1.2.4"]!;
  const step = { id: "1", do: "delete tag", at: `${app}:1.2`, digest, why: "it is old" };
  const plan = { version: 1, kind: "retain", made: "2026-01-01T00:00:00Z", steps: [step], kept: [], notes: [] };
  await writeFile(join(work, "plan.json"), JSON.stringify(plan));
  const refused = await gantry("apply", "plan.json", "--yes", "--in-use-compose", "compose.yaml");
  expect(refused.stdout).toContain("in use by compose.yaml: service web");
  expect((await must(gantry("digest", `${app}:1.2`))).trim()).toBe(digest);
});
