import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { digestAt, pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, type Running, start } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// `gantry sync --watch` as a process: it copies, reads its file again, tells how it is, and ends as it is told.
let work: string;
let source: RunningRegistry;
let target: RunningRegistry;
let image: MadeImage;
const layerSize = 1_000_000;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-watch-"));
  source = await startGantryRegistry();
  target = await startGantryRegistry();
  image = await makeImage(join(work, "layout"), { layers: 3, layerSize });
  await pushImage(join(work, "layout"), image, `${source.host}/app:1.0`);
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
  await rm(work, { recursive: true, force: true });
});

/** A file that keeps the image in sync with these repositories. */
async function fileFor(...names: readonly string[]): Promise<string> {
  const file = join(work, `${names[0]}.json`);
  const sync = names.map((name) => ({ name, from: `${source.host}/app`, to: `${target.host}/${name}` }));
  await writeFile(file, JSON.stringify({ version: 1, defaults: { schedule: "0 3 1 1 *" }, sync }));
  return file;
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let tries = 0; tries < 1000; tries++) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error(`waited for ${what} in vain`);
}

function begin(file: string, ...more: readonly string[]): Running {
  const running = start(gantryPath, ["sync", file, "--watch", "--listen", "127.0.0.1:0", "--cache", "none", ...more]);
  onTestFinished(async () => void (await running.stop()));
  return running;
}

const urlOf = (running: Running): Promise<string> =>
  until(`an address in ${running.stderr()}`, () => /listening on (http:\S+)/.exec(running.stderr())?.[1]);
const isThere = async (name: string): Promise<boolean | undefined> =>
  (await digestAt(`${target.host}/${name}:1.0`, image)) === image.root.digest || undefined;

test("it copies, tells how it is, and takes a new file when it is told to, or by itself", async () => {
  const file = await fileFor("first");
  const running = begin(file);
  const url = await urlOf(running);
  await until("the first image", () => isThere("first"));
  const text = await until("metrics", async () => {
    const found = await (await fetch(`${url}/metrics`)).text();
    return found.includes('gantry_sync_images_total{mapping="first"} 1\n') ? found : undefined;
  });
  expect(text).toMatch(/^gantry_sync_last_success_age_seconds\{mapping="first"\} \d/m);
  expect(text).toMatch(/^process_cpu_seconds_total \d/m);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);

  await writeFile(file, "{");
  running.kill("SIGHUP");
  await until("a warning", () => running.stderr().includes("is not taken, and all stays as it was"));
  await fileFor("first", "second");
  running.kill("SIGHUP");
  await until("the second image", () => isThere("second"));
  await fileFor("first", "third");
  await until("the third image", () => isThere("third"));

  running.kill("SIGTERM");
  const { code, stderr } = await running.ended;
  expect([code, stderr.includes("internal error")]).toEqual([0, false]);
});

test("told to end, it finishes the image that is under way", async () => {
  const running = begin(await fileFor("drained"), "--limit-rate", "1MB", "--drain", "30s");
  await until(
    "a blob",
    async () => (await faultsOf(`${target.host}/drained`, image)).length < image.blobs.length + 1 || undefined,
  );
  expect(await isThere("drained")).toBeUndefined();
  running.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
  expect(running.stderr()).toContain("stopping: 1 run under way");
  expect(await faultsOf(`${target.host}/drained`, image)).toEqual([]);
  expect(await isThere("drained")).toBe(true);
});

test("where that takes too long, it leaves it, and ends well all the same", async () => {
  const running = begin(await fileFor("aborted"), "--limit-rate", "200KB", "--drain", "1ms");
  await until("a start", () => running.stderr().includes("1 mapping"));
  await sleep(1000);
  running.kill("SIGTERM");
  const { code, stderr } = await running.ended;
  expect([code, stderr.includes("internal error")]).toEqual([0, false]);
  expect(await isThere("aborted")).toBeUndefined();
});

test("a file that is wrong at the start, or without a schedule, ends with 2", async () => {
  const file = join(work, "wrong.json");
  await writeFile(file, JSON.stringify({ version: 1, sync: [{ from: `${source.host}/app`, to: `${target.host}/x` }] }));
  const { code, stderr } = await begin(file).ended;
  expect([code, stderr.includes("sync[0] has no schedule")]).toEqual([2, true]);
});
