import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dice } from "./support/dice.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, run, start } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// Bundles that are written and applied by processes that die with SIGKILL at any moment: a bundle is whole or not there, a
// tag is whole or not there, and the next run goes on.
const kills = 32;
const images = ["a", "b", "c"];

let work: string;
let source: RunningRegistry;
let target: RunningRegistry;
let file: string;
const made = new Map<string, MadeImage>();

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-bundle-"));
  source = await startGantryRegistry();
  target = await startGantryRegistry();
  for (const tag of images) {
    const image = await makeImage(join(work, "layout"), { tag, seed: tag, layers: 3, layerSize: 1_000_000 });
    made.set(tag, image);
    await pushImage(join(work, "layout"), image, `${source.host}/app:${tag}`);
  }
  file = join(work, "sync.yaml");
  await writeFile(
    file,
    JSON.stringify({ version: 1, sync: [{ from: `${source.host}/app`, to: `${target.host}/app` }] }),
  );
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
  await rm(work, { recursive: true, force: true });
});

const random = dice(20261129);

/** Runs gantry, and kills it at some moment within its course; whether it was still alive then. */
async function killed(...args: readonly string[]): Promise<boolean> {
  const slowly = random.below(2) === 0 ? ["--limit-rate", "20MB"] : [];
  const running = start(gantryPath, [...args, ...slowly, "--progress", "none"]);
  await Promise.race([sleep(100 + random.below(700)), running.ended]);
  const alive = running.alive();
  running.kill("SIGKILL");
  await running.ended;
  return alive;
}

test("a bundle is whole or not there, and what was fetched is not fetched again", { timeout: 300_000 }, async () => {
  let [count, partly] = [0, 0];
  for (let round = 0; count < kills; round++) {
    const bundle = join(work, `${round}.tar`);
    for (let tries = 0; tries < 5 && count < kills; tries++) {
      if (!(await killed("sync", file, "--to", bundle, "--yes"))) break;
      count++;
      if (existsSync(`${bundle}.part`)) partly++;
      if (existsSync(bundle)) await must(gantry("sync", "--from", bundle, "--to", `${target.host}/unused`));
    }
    await must(gantry("sync", file, "--to", bundle, "--yes"));
    const plan = JSON.parse(await must(gantry("sync", "--from", bundle, "--format", "json")));
    expect(plan.steps).toHaveLength(images.length);
    expect([existsSync(`${bundle}.part`), existsSync(`${bundle}.lock`)]).toEqual([false, false]);
    await rm(bundle);
  }
  expect(count).toBe(kills);
  expect(partly).toBeGreaterThan(0);
});

test.each([
  { kind: "docker-registry", begin: startDockerRegistry },
  { kind: "gantry serve", begin: startGantryRegistry },
])("applied to $kind, tags are whole or not there", { timeout: 300_000 }, async ({ kind, begin }) => {
  if (kind === "docker-registry" && !peer("docker-registry")) return;
  await using registry = await begin();
  const bundle = join(work, "apply.tar");
  await must(gantry("sync", file, "--to", bundle, "--yes"));
  let count = 0;
  for (let round = 0; count < kills / 2; round++) {
    const place = `${registry.host}/${round}`;
    for (let tries = 0; tries < 5; tries++) {
      if (!(await killed("sync", "--from", bundle, "--to", place, "--yes"))) break;
      count++;
      for (const [tag, image] of made)
        if ((await digestAt(`${place}/app:${tag}`, image)) === image.root.digest)
          expect(await faultsOf(`${place}/app`, image)).toEqual([]);
    }
    await must(gantry("sync", "--from", bundle, "--to", place, "--yes"));
    for (const [tag, image] of made) {
      expect(await digestAt(`${place}/app:${tag}`, image)).toBe(image.root.digest);
      expect(await faultsOf(`${place}/app`, image)).toEqual([]);
    }
    const again = JSON.parse(await must(gantry("sync", "--from", bundle, "--to", place, "--format", "json")));
    expect(again.steps).toEqual([]);
  }
  await rm(bundle);
});

describeWith("skopeo", "skopeo", () => {
  test("reads a bundle, and finds its images", async () => {
    const bundle = join(work, "plain.tar");
    await must(gantry("sync", file, "--to", bundle, "--yes"));
    const words = ["inspect", "--raw", `oci-archive:${bundle}:${target.host}/app:a`];
    const raw = JSON.parse(await must(run(peer("skopeo")!.path, words)));
    expect(raw.layers.map(({ digest }: { digest: string }) => digest)).toEqual(
      made
        .get("a")!
        .blobs.map(({ digest }) => digest)
        .slice(-3),
    );
    await must(
      run("sh", [
        "-c",
        `cd ${work} && sha256sum -c plain.tar.sha256 && mkdir x && tar -xf plain.tar -C x && cd x && sha256sum -c --quiet SHA256SUMS`,
      ]),
    );
  });
});
