import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, run, type Outcome } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// A retention plan is made, applied by the built command line, and all that it kept pulled with programs of others.
const policy = `
version: 1
rules:
  - { tags: ["semver:*"], keep: { newest: 2, by: semver, per: minor } }
  - { tags: [pr-*], by: created, delete: { olderThan: 30d } }
`;
const platforms = ["linux/amd64", "linux/arm64"];
const versions = ["1.0.0", "1.0.1", "1.0.2", "1.1.0"];
const images = new Map<string, MadeImage>();
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-retain-"));
  await writeFile(join(work, "retain.yaml"), policy);
  for (const tag of [...versions, "pr-1"]) {
    const base = { seed: "base", layers: 1 };
    images.set(tag, await makeImage(join(work, "layout"), { tag, platforms, seed: tag, base }));
  }
});
afterAll(() => rm(work, { recursive: true, force: true }));

async function must(command: string, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await run(command, args, { cwd: work, env: { HOME: work, XDG_STATE_HOME: undefined } });
  if (outcome.code !== 0) throw new Error(`${outcome.command}: ${outcome.code}\n${outcome.stderr}`);
  return outcome;
}
const gantry = (...args: readonly string[]): Promise<Outcome> => must(gantryPath, ...args);

/** All images; an SBOM on each of two, and on a part of one; and a tag that shares its image with a pull request's. */
async function fill({ host }: RunningRegistry, shared: readonly string[]): Promise<void> {
  await gantry("copy", "--all-tags", "oci:layout", `${host}/app`);
  for (const ref of [":1.0.0", ":1.0.2", `@${images.get("1.0.2")!.manifests[0]!.digest}`]) {
    await gantry("artifact", "attach", "--type", "application/spdx+json", `${host}/app${ref}`, "retain.yaml");
  }
  await gantry("tag", `${host}/app:1.1.0`, "stable", ...shared);
}

describeWith(["docker-registry", "skopeo", "crane"], "a retention plan, applied", () => {
  test.each([
    // It cannot take a tag away from an image that stays.
    ["docker-registry", startDockerRegistry, []],
    ["gantry serve", startGantryRegistry, ["pr-2"]],
  ])("on %s, leaves all whole that it keeps", async (_, startRegistry, shared) => {
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    await fill(registry, shared);
    const place = `${registry.host}/app`;
    const planned = await gantry(
      "retain",
      "--policy",
      "retain.yaml",
      "--out",
      `${registry.host}.json`,
      "--format",
      "json",
      place,
    );
    const steps = (JSON.parse(planned.stdout) as { steps: { do: string; tags?: string[]; at: string }[] }).steps;
    const ofManifests = steps.flatMap(({ tags = [] }) => tags.filter((tag) => !tag.startsWith("sha256-")));
    expect(ofManifests.sort()).toEqual(["1.0.0", "pr-1"]);
    const alone = steps.filter((step) => step.do === "delete tag").map(({ at }) => at);
    expect(alone).toEqual(shared.map((tag) => `${place}:${tag}`));

    await gantry("apply", `${registry.host}.json`, "--yes");

    const kept = (await must(peer("crane")!.path, "ls", place)).stdout
      .split("\n")
      .filter((tag) => tag !== "" && !tag.startsWith("sha256-"));
    expect(kept.sort()).toEqual(["1.0.1", "1.0.2", "1.1.0", "stable"]);
    for (const tag of ["1.0.1", "1.0.2", "1.1.0"]) expect(await faultsOf(place, images.get(tag)!)).toEqual([]);
    for (const tag of kept) {
      await must(
        "skopeo",
        "copy",
        "--all",
        "--src-tls-verify=false",
        `docker://${place}:${tag}`,
        `dir:${join(work, `out-${registry.host}-${tag}`)}`,
      );
      await must(peer("crane")!.path, "validate", "--remote", `${place}:${tag}`);
    }
    const { digest } = images.get("1.0.2")!.root;
    expect(
      (await gantry("tree", "--format", "json", `${place}@${digest}`)).stdout.match(/application\/spdx\+json/g),
    ).toHaveLength(2);
    for (const tag of ["1.0.0", "pr-1"]) {
      const { root, manifests } = images.get(tag)!;
      for (const gone of [root, ...manifests])
        expect((await fetch(`http://${registry.host}/v2/app/manifests/${gone.digest}`)).status).toBe(404);
    }
    const again = await gantry("retain", "--policy", "retain.yaml", "--format", "json", place);
    expect((JSON.parse(again.stdout) as { steps: unknown[] }).steps).toEqual([]);
  });
});
