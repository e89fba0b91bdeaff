import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, type Outcome, run } from "./support/run.ts";

// What is asked of services, asked of registries that have no more than the distribution API: the built command line.
let work: string;
let image: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-services-"));
  image = await makeImage(join(work, "layout"), { tag: "1.0", platforms: ["linux/amd64", "linux/arm64"] });
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function gantry(line: string, { host }: RunningRegistry): Promise<Outcome> {
  const words = line.split(" ").map((word) => word.replace("HOST", host));
  const outcome = await run(gantryPath, words, { cwd: work });
  return {
    ...outcome,
    stdout: outcome.stdout.replaceAll(host, "HOST"),
    stderr: outcome.stderr.replaceAll(host, "HOST"),
  };
}

interface Step {
  readonly line: string;
  readonly code?: number;
  readonly says?: RegExp;
  /** What Gantry's own registry makes it say. */
  readonly own?: RegExp;
  readonly warns?: RegExp;
}

const steps: readonly Step[] = [
  { line: "push --create layout HOST/team/app", says: /^HOST\/team\/app:1\.0@/ },
  { line: "tag HOST/team/app:1.0 latest" },
  { line: "repo list HOST", says: /^team\/app\n$/ },
  {
    line: "repo ls -l HOST/team",
    says: /^REPOSITORY +TAGS\nteam\/app +2\n$/,
    own: /^REPOSITORY +TAGS +IMAGES +SIZE +UPDATED\nteam\/app +2 +1 +[\d.]+ kB +\S+ \S+\n$/,
  },
  { line: "repo ls --filter other/* HOST", says: /^$/ },
  {
    line: "repo info HOST/team/app",
    says: /^Repository +HOST\/team\/app\nService +a plain registry\nHolds +2 tags\n$/,
    own: /^Repository +HOST\/team\/app\nService +Gantry\nUpdated +\S+ \S+\nHolds +2 tags, 1 image, [\d.]+ kB\n$/,
  },
  { line: "repo info HOST/team/none", code: 3, warns: /there is no repository HOST\/team\/none/ },
  { line: "repo create HOST/team/new", code: 1, warns: /push to it: that makes it/ },
  { line: "repo delete --yes HOST/team/app", code: 1, warns: /is not empty: it has 2 tags/ },
  { line: "repo delete --yes --force HOST/team/app", code: 1, warns: /cannot delete a repository/ },
  { line: "immutability get HOST/team/app", code: 1, warns: /cannot read immutability/ },
  { line: "findings HOST/team/app:1.0", code: 1, warns: /scan the image/ },
  { line: "search HOST/APP", says: /^NAME\nHOST\/team\/app\n$/ },
  { line: "quota HOST", warns: /HOST tells of no limits/ },
  { line: "replication HOST", code: 1, warns: /cannot read replication rules/ },
  {
    line: "ls --images -l HOST/team/app",
    says: /^DIGEST +TAGS .*\nsha256:\S+ +(?:1\.0, latest|latest, 1\.0) .*\n$/,
    own: /^DIGEST +TAGS .* PUSHED .*\nsha256:\S+ +1\.0, latest .*\n(?:sha256:\S+ +- .*\n){2}$/,
  },
];

async function follow(registry: RunningRegistry, isOwn = false): Promise<void> {
  onTestFinished(() => registry.stop());
  for (const { line, code = 0, says = /(?:)/, own = says, warns = /(?:)/ } of steps) {
    const ended = await gantry(line, registry);
    expect({ line, code: ended.code, stderr: ended.stderr }).toEqual({ line, code, stderr: ended.stderr });
    expect(ended.stdout, line).toMatch(isOwn ? own : says);
    expect(ended.stderr, line).toMatch(warns);
  }
}

test("against gantry serve", async () => {
  const registry = await startGantryRegistry();
  await follow(registry, true);
  const ended = await gantry("delete HOST/team/app:latest", registry);
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("the image stays, as 1.0") });
}, 120_000);

describeWith("docker-registry", "against docker-registry", () => {
  test("which deletes no tag alone, nor has a service that would", async () => {
    const registry = await startDockerRegistry();
    await follow(registry);
    const ended = await gantry("delete HOST/team/app:latest", registry);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`there is: gantry delete HOST/team/app@${image.root.digest}`);
    const { stdout } = await gantry("ls HOST/team/app", registry);
    expect(stdout.trim().split("\n").sort()).toEqual(["1.0", "latest"]);
  }, 120_000);
});
