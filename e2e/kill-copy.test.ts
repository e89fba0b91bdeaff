import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CopyOutcome } from "../src/index.ts";
import { type Dice, dice } from "./support/dice.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, start } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// `gantry copy`, killed with SIGKILL at moments all over its course: a tag is old or whole, and the next run moves what is missing.
const lanes = 2;
const killsPerLane = 28;
const layers = 4;
const layerSize = 2_000_000;

let work: string;
let source: RunningRegistry;
/** What a tag named before, which has two layers in common with what it is to name. */
let before: MadeImage;
let image: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-kill-"));
  const layout = join(work, "layout");
  before = await makeImage(layout, { tag: "before", seed: "before", layers, layerSize });
  image = await makeImage(layout, { tag: "v1", seed: "after", layers, layerSize, base: { seed: "before", layers: 2 } });
  source = await startGantryRegistry();
  await pushImage(layout, image, `${source.host}/source:v1`);
});
afterAll(async () => {
  await source?.stop();
  await rm(work, { recursive: true, force: true });
});

async function copy(to: string): Promise<CopyOutcome> {
  const args = ["--progress", "none", "--format", "json", `${source.host}/source:v1`, to];
  return JSON.parse(await must(gantry("copy", ...args)));
}

/** The bytes of an image's blobs that a registry does not have in `host/name`. */
async function missing(place: string): Promise<number> {
  const slash = place.indexOf("/");
  const asked = image.blobs.map(async ({ digest, size }) => {
    const { ok } = await fetch(`http://${place.slice(0, slash)}/v2${place.slice(slash)}/blobs/${digest}`, {
      method: "HEAD",
    });
    return ok ? 0 : size;
  });
  return (await Promise.all(asked)).reduce((sum, size) => sum + size, 0);
}

/** Starts a copy, kills it a moment after some step of it, and says whether it was still alive then. */
async function killedCopy(to: string, { below }: Dice): Promise<boolean> {
  // At full speed, or blob by blob and so slowly that most kills find one half sent.
  const slowly = below(2) === 0 ? ["--limit-rate", "20MB", "--jobs", "1"] : [];
  const args = ["copy", "--progress", "json", ...slowly, `${source.host}/source:v1`, to];
  const running = start(gantryPath, args);
  const steps = 1 + below(2 * image.blobs.length);
  const moment = below(30);
  while (running.alive() && running.stderr().split("\n").length <= steps) await sleep(2);
  await Promise.race([sleep(moment), running.ended]);
  const alive = running.alive();
  running.kill("SIGKILL");
  await running.ended;
  return alive;
}

/** What a tag names after a kill; looks again where the registry writes tags in place, so that one may be gone while it moves. */
async function tagAfterKill(to: string, again: boolean): Promise<string | undefined> {
  const seen = await digestAt(to, image);
  if (seen !== undefined || !again) return seen;
  await sleep(200);
  return await digestAt(to, image);
}

interface Tally {
  kills: number;
  /** How often some of the image had arrived, but not all. */
  partly: number;
}

/** Kills copies to one repository until one gets through or four are dead, looks after each, and lets the last one run. */
async function killAndFinish(place: string, inPlace: boolean, random: Dice): Promise<Tally> {
  const to = `${place}:v1`;
  const moves = random.below(2) === 0;
  if (moves) await pushImage(join(work, "layout"), before, to);
  const total = await missing(place);
  const tally = { kills: 0, partly: 0 };
  let left = total;
  for (let tries = 0; tries < 4; tries++) {
    if (!(await killedCopy(to, random))) break;
    tally.kills += 1;
    const seen = await tagAfterKill(to, moves && inPlace);
    expect([image.root.digest, moves ? before.root.digest : undefined]).toContain(seen);
    if (seen === image.root.digest) expect(await faultsOf(place, image)).toEqual([]);
    left = await missing(place);
    if (left > 0 && left < total) tally.partly += 1;
  }
  const { images, bytes } = await copy(to);
  expect(images).toMatchObject([{ digest: image.root.digest }]);
  expect(bytes).toBeLessThanOrEqual(left);
  expect(await digestAt(to, image)).toBe(image.root.digest);
  expect(await faultsOf(place, image)).toEqual([]);
  return tally;
}

describeWith("docker-registry", "gantry copy, killed", () => {
  test.each([
    { kind: "docker-registry", begin: startDockerRegistry, inPlace: true },
    { kind: "gantry serve", begin: startGantryRegistry, inPlace: false },
  ])("on its way to $kind, leaves tags old or whole", async ({ kind, begin, inPlace }) => {
    await using registry = await begin();
    const lane = async (number: number): Promise<Tally> => {
      const sum = { kills: 0, partly: 0 };
      for (let round = 0; sum.kills < killsPerLane; round++) {
        const seed = number * 1000 + round;
        const place = `${registry.host}/killed/${seed}`;
        const tally = await killAndFinish(place, inPlace, dice(seed)).catch((error: unknown) => {
          throw new Error(`seed ${seed}, to ${kind}`, { cause: error });
        });
        sum.kills += tally.kills;
        sum.partly += tally.partly;
      }
      return sum;
    };
    const sums = await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    expect(sums.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThanOrEqual(50);
    // Else the moments were all too early or too late to prove anything.
    expect(sums.reduce((sum, { partly }) => sum + partly, 0)).toBeGreaterThanOrEqual(10);
  });
});
