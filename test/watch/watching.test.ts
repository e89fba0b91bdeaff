import { readdir, readlink } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import {
  createClient,
  isRegistryError,
  watchSync,
  type Client,
  type CopyEvent,
  type Event,
  type WatchSyncOptions,
} from "../../src/index.ts";
import type { CopyImage } from "../../src/plan/plan.ts";
import { handsOf } from "../../src/plans.ts";
import { parseSync } from "../../src/policy/index.ts";
import { ociArchiveStore } from "../../src/store/index.ts";
import { testRegistry } from "../cli/support.ts";
import { damagedArchive } from "../support/damaged-archive.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { manualClock } from "./manual-clock.ts";
import { samplesOf } from "./samples.ts";

const noon = Date.parse("2026-11-29T12:00:00Z");

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A file that is kept in sync from noon on: what its runs reported, once there are so many of them. */
async function watched(client: Client, file: object) {
  const stop = new AbortController();
  const reports: RunReport[] = [];
  const clock = manualClock(noon);
  const watch = await watchSync(client, {
    load: async () => parseSync({ name: "sync.yaml", value: { version: 1, ...file } }),
    changed: async () => false,
    stop: stop.signal,
    drain: 1000,
    clock,
    onEvent: (event) => event.type === "ended" && reports.push(event.report),
  });
  return {
    async reported(count: number): Promise<readonly RunReport[]> {
      await until(() => reports.length === count);
      return reports;
    },
    nextDay: () => clock.pass(24 * 3_600_000),
    async end(): Promise<void> {
      stop.abort();
      await watch.ended;
    },
  };
}

type RunReport = Extract<Parameters<WatchSyncOptions["onEvent"]>[0], { type: "ended" }>["report"];

test("what a file says is kept in sync until it is stopped, and can be looked at meanwhile", async () => {
  const [source, mirror] = [await testRegistry(), await testRegistry()];
  const first = image("first");
  await putImage(source.store("app"), first, "1.0");
  const client = createClient({ env: { HOME: "/nonexistent" }, retryDelay: 1 });
  onTestFinished(() => client.close());
  const clock = manualClock(noon);
  const stop = new AbortController();
  const events: Parameters<WatchSyncOptions["onEvent"]>[0][] = [];
  const file = (more: object) => ({
    name: "sync.yaml",
    value: { version: 1, sync: [{ name: "app", from: `${source.host}/app`, to: `${mirror.host}/copy`, ...more }] },
  });
  const options = {
    load: async () => parseSync(file({ schedule: "*/5 * * * *" })),
    changed: async () => false,
    stop: stop.signal,
    drain: 1000,
    listen: { host: "127.0.0.1", port: 0 },
    clock,
    onEvent: (event: (typeof events)[number]) => void events.push(event),
  };
  const watch = await watchSync(client, options);
  const ended = () => events.filter(({ type }) => type === "ended");
  await until(() => ended().length === 1);
  expect(ended()).toMatchObject([{ job: "app", report: { images: 1, failures: [] }, next: noon + 300_000 }]);
  expect((await mirror.store("copy").head("1.0"))?.digest).toBe(first.manifest.descriptor.digest);

  await putImage(source.store("app"), image("second"), "2.0");
  await clock.pass(301_000);
  await until(() => ended().length === 2);
  expect(ended()[1]).toMatchObject({ report: { images: 1, failures: [] } });

  const [listening] = events.flatMap((event) => (event.type === "listening" ? [event.url] : []));
  const samples = samplesOf(await (await fetch(`${listening}/metrics`)).text());
  expect(samples.get('gantry_sync_images_total{mapping="app"}')).toBe(2);
  expect([(await fetch(`${listening}/healthz`)).status, (await fetch(`${listening}/readyz`)).status]).toEqual([
    200, 200,
  ]);

  stop.abort();
  await watch.ended;
  await expect(fetch(`${listening}/healthz`)).rejects.toThrow();

  const wrong = { ...options, stop: new AbortController().signal, load: async () => parseSync(file({})) };
  await expect(watchSync(client, wrong)).rejects.toThrow("app has no schedule");
});

test("a mapping that prunes takes nothing away that another brings", async () => {
  const [source, mirror] = [await testRegistry(), await testRegistry()];
  await putImage(source.store("app"), image("one"), "1.0");
  await putImage(source.store("app"), image("two"), "2.0");
  await putImage(mirror.store("app"), image("stray"), "0.9");
  const client = createClient({ env: { HOME: "/nonexistent" }, retryDelay: 1 });
  onTestFinished(() => client.close());
  const both = { from: `${source.host}/app`, to: `${mirror.host}/app`, schedule: "0 0 * * *" };
  const sync = [
    { ...both, name: "ones", tags: [{ include: ["1.*"] }], prune: true },
    { ...both, name: "twos", tags: [{ include: ["2.*"] }] },
  ];
  const watch = await watched(client, { sync });
  await watch.reported(2);
  await watch.nextDay();
  const reports = await watch.reported(4);
  expect(reports.map(({ failures }) => failures)).toEqual([[], [], [], []]);
  expect(reports.reduce((sum, { deleted }) => sum + deleted, 0)).toBe(1);
  expect(await Array.fromAsync(mirror.store("app").tags())).toEqual(["1.0", "2.0"]);
  await watch.end();
});

test("a source that is not there is a failure with a code", async () => {
  const mirror = await testRegistry();
  const client = createClient({ env: { HOME: "/nonexistent" }, retries: 0 });
  onTestFinished(() => client.close());
  const file = {
    sync: [{ from: `${mirror.host}/none:1.0`, to: `${mirror.host}/copy`, schedule: "0 0 * * *" }],
  };
  const watch = await watched(client, file);
  expect(await watch.reported(1)).toMatchObject([
    { images: 0, failures: ["REFUSED"], message: expect.stringContaining("it is not there") },
  ]);
  await watch.end();
});

test("stopped, images that are under way are finished, and the others left", async () => {
  const [source, mirror] = [await testRegistry(), await testRegistry()];
  const stop = new AbortController();
  const lists: string[] = [];
  const onEvent = (event: Event): void => {
    if (event.type === "request" && event.url.includes("/tags/list")) lists.push(event.url);
  };
  const client = createClient({ env: { HOME: "/nonexistent" }, retryDelay: 1, onEvent });
  onTestFinished(() => client.close());
  const steps = await Promise.all(
    ["1", "2", "3", "4"].map(async (id): Promise<CopyImage> => {
      const one = image(id);
      await putImage(source.store("app"), one, id);
      const { digest } = one.manifest.descriptor;
      const [from, at] = [`${source.host}/app@${digest}`, `${mirror.host}/app:${id}`];
      return { id, do: "copy", from, at, digest, before: null, why: "" };
    }),
  );
  const hands = handsOf(client, { until: stop.signal });
  const onCopy = ({ type, ...event }: CopyEvent): void => {
    if (type === "manifest" && "tag" in event && event.tag === "2") stop.abort();
  };
  const endings = await Array.fromAsync(hands.copy(steps, { jobs: 1, onEvent: onCopy }));
  const codes = endings.map(({ id, error }) => [id, isRegistryError(error) ? error.code : error]);
  expect(codes).toEqual([
    ["1", undefined],
    ["2", undefined],
    ["3", "PARTIAL"],
    ["4", "PARTIAL"],
  ]);
  expect(await Array.fromAsync(mirror.store("app").tags())).toEqual(["1", "2"]);
  expect(lists.length).toBe(1);
});

test("what a budget leaves for the next run is said, and no failure", async () => {
  const [source, mirror] = [await testRegistry(), await testRegistry()];
  for (const tag of ["1.0", "2.0"]) await putImage(source.store("app"), image(tag), tag);
  const client = createClient({ env: { HOME: "/nonexistent" }, retries: 0 });
  onTestFinished(() => client.close());
  const file = {
    budget: { registries: { [source.host]: { pulls: 1 } } },
    sync: [{ from: `${source.host}/app`, to: `${mirror.host}/app`, schedule: "0 0 * * *" }],
  };
  const watch = await watched(client, file);
  await watch.reported(1);
  await watch.nextDay();
  const reports = await watch.reported(2);
  const left = `the budget of ${source.host} is 1 pull: 1 copy is left for the next run`;
  expect(reports).toEqual([
    { images: 1, bytes: expect.any(Number), deleted: 0, failures: [], warnings: [left] },
    { images: 1, bytes: expect.any(Number), deleted: 0, failures: [] },
  ]);
  await watch.end();
});

test("no run leaves a file open, or a draft", async () => {
  const folder = await temporaryDirectory();
  const archive = (name: string): string => `oci-archive:${folder}/${name}.tar`;
  const source = ociArchiveStore(`${folder}/source.tar`);
  await putImage(source, image("one"), "1.0");
  await source.flush();
  await source.close();
  await damagedArchive(`${folder}/damaged.tar`);
  const client = createClient({ env: { HOME: "/nonexistent" } });
  onTestFinished(() => client.close());
  const to = [archive("copy"), archive("damaged")];
  const sync = [{ from: archive("source"), to, schedule: "0 0 * * *" }];
  const watch = await watched(client, { sync });
  await watch.reported(1);
  await watch.nextDay();
  const reports = await watch.reported(2);
  await watch.end();
  expect(reports.map(({ images, failures }) => [images, failures])).toEqual([
    [1, ["UNVERIFIED"]],
    [0, ["UNVERIFIED"]],
  ]);
  expect(await openIn(folder)).toEqual([]);
  expect((await readdir(folder)).toSorted()).toEqual(["copy.tar", "damaged.tar", "source.tar"]);
});

/** The files in a directory that this process has open, where the system tells. */
async function openIn(folder: string): Promise<readonly string[]> {
  const files = await readdir("/proc/self/fd").catch(() => []);
  const paths = await Promise.all(files.map((file) => readlink(`/proc/self/fd/${file}`).catch(() => "")));
  return paths.filter((path) => path.startsWith(folder));
}
