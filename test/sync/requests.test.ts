import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { PlanSyncOptions } from "../../src/index.ts";
import { testService } from "../cli/service-scene.ts";
import { testRegistry, type TestRegistry } from "../cli/support.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { syncScene, type Scene } from "./scene.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let scene: Scene;
let cache: NonNullable<PlanSyncOptions["cache"]>;
beforeEach(async () => {
  // As most registries are: without a list of their own.
  [source, mirror] = [await testRegistry({ extension: false }), await testRegistry({ extension: false })];
  scene = syncScene();
  cache = { file: join(await temporaryDirectory(), "cache.json") };
});

type Counts = Readonly<Record<string, number>>;

/** How many requests of each kind there were since it was asked last: `source GET manifests`. */
function counts(): Counts {
  const kinds = scene.requests().map((line) => {
    const [method = "", rest = ""] = line.split(" ");
    const what = /\/(manifests|blobs\/uploads|blobs|tags|referrers)\b/.exec(rest)?.[1] ?? "others";
    return `${rest.startsWith(source.host) ? "source" : "mirror"} ${method} ${what}`;
  });
  return Object.fromEntries([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
}

const images = 20;

test("where pulls are recorded, what is copied at once is read once, too: a pull it is in any case", async () => {
  source = await testRegistry();
  for (const tag of ["1.0", "1.1"]) await putImage(source.store("app"), image(tag), tag);
  await scene.sync({ from: `${source.host}/app`, to: `${mirror.host}/app` }, { atOnce: true });
  const { "source GET manifests": whole, "source HEAD manifests": asked } = counts();
  expect([whole, asked]).toEqual([2, undefined]);
});

describe("one repository of 20 images of three blobs", () => {
  const copied: Counts = {
    "source GET manifests": images,
    "source GET blobs": 3 * images,
    "source GET referrers": images,
    "mirror HEAD manifests": images,
    "mirror POST blobs/uploads": 3 * images,
    "mirror PUT blobs/uploads": 3 * images,
    "mirror PUT manifests": images,
  };
  const app = (): object => ({ from: `${source.host}/app`, to: `${mirror.host}/app` });
  beforeEach(async () => {
    const tags = Array.from({ length: images }, (_, i) => `1.${i}`);
    for (const tag of tags) await putImage(source.store("app"), image(tag), tag);
  });

  test("that are copied at once: the source's tags are listed once, and each manifest is read once", async () => {
    const { applied } = await scene.sync(app(), { atOnce: true });
    expect(applied.complete).toBe(true);
    // Which service it is, to know whether the repository has to be made.
    expect(counts()).toEqual({ ...copied, "source GET tags": 1, "mirror GET tags": 1, "mirror GET others": 1 });
  });

  test("of which one came to the destination meanwhile: it is left alone, though all was read before", async () => {
    const plan = await scene.plan(app(), { atOnce: true });
    const newer = image("newer");
    await putImage(mirror.store("app"), newer, "1.0");
    const { endings } = await scene.client.apply(plan);
    const outcomes = Map.groupBy(endings.values(), ({ outcome }) => outcome);
    expect([outcomes.get("stale")?.length, outcomes.get("done")?.length]).toEqual([1, images - 1]);
    expect((await mirror.store("app").head("1.0"))?.digest).toBe(newer.manifest.descriptor.digest);
  });

  test("in a plan that may be applied later: nothing is pulled for it, and all is read again", async () => {
    const plan = await scene.plan(app());
    expect(counts()).toEqual({
      "source GET tags": 1,
      "source HEAD manifests": images,
      "mirror GET tags": 1,
      "mirror GET others": 1,
    });
    await scene.client.apply(plan);
    expect(counts()).toEqual({ ...copied, "source GET tags": 1 });
  });

  test("of which nothing is to be copied: a HEAD each at both ends; at the source alone with a memory; none where no tag moves", async () => {
    await scene.sync(app());
    counts();
    const heads = { "source GET tags": 1, "source HEAD manifests": images };
    await scene.sync(app(), { cache, atOnce: true });
    const looked = { "source GET manifests": images, "source GET referrers": images, "mirror HEAD manifests": images };
    expect(counts()).toEqual({ ...heads, ...looked, "mirror GET tags": 1 });
    await scene.sync(app(), { cache, atOnce: true });
    expect(counts()).toEqual(heads);
    await scene.sync({ ...app(), immutable: ["*"] }, { cache, atOnce: true });
    expect(counts()).toEqual({ "source GET tags": 1 });
    await scene.sync({ ...app(), immutable: ["*"] }, { atOnce: true });
    expect(counts()).toEqual({ "source GET tags": 1, "mirror GET tags": 1 });
  });

  test("where pulls are counted: what tags name is asked without one", async () => {
    source = await testService({ quirks: { manifestGet: "limited" }, impossible: ["images"] });
    for (let i = 0; i < images; i++) await putImage(source.store("app"), image(`${i}`), `${i}`);
    await scene.sync(app(), { atOnce: true });
    expect(counts()).toMatchObject({ "source HEAD manifests": images, "source GET manifests": images });
  });
});

test("many repositories that share their blobs: each is sent once, and mounted without a question", async () => {
  for (let i = 0; i < images; i++) await putImage(source.store(`r${i}`), image("the same"), "1.0");
  const mapping = { from: `${source.host}/r*`, to: `${mirror.host}/{repository}` };
  const { applied } = await scene.sync(mapping, { atOnce: true });
  expect(applied.complete).toBe(true);
  expect(counts()).toEqual({
    "source GET others": 2,
    "source GET tags": images,
    "source GET manifests": images,
    "source GET blobs": 3,
    "source GET referrers": images,
    "mirror GET tags": images,
    "mirror GET others": 1,
    "mirror HEAD manifests": images,
    "mirror POST blobs/uploads": 3 * images,
    "mirror PUT blobs/uploads": 3,
    "mirror PUT manifests": images,
  });
});

test("a destination of which nothing is known is listed while the source is; one that a tag is named after, when that is known", async () => {
  const asked = Promise.withResolvers<void>();
  const listing = async (wait: Promise<void>): Promise<string> => {
    const server = createServer((request, response) => {
      if (request.url?.startsWith("/v2/app/tags/list")) asked.resolve();
      const tags = (): void => void response.end(JSON.stringify({ name: "app", tags: ["1.0"] }));
      if (request.url?.includes("/tags/list")) void wait.then(tags);
      else response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const [slow, there] = [await listing(asked.promise), await listing(Promise.resolve())];
  const both = { from: `${slow}/own`, to: `${there}/app`, immutable: ["*"] };
  expect((await scene.plan(both)).steps).toEqual([]);
  scene.requests();
  await scene.plan({ ...both, to: `${there}/{tag}/app` });
  expect(scene.requests().filter((line) => line.includes(there))).toEqual([`GET ${there}/1.0/app/tags/list`]);
});
