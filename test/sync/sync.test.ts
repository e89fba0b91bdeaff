import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parseSync } from "../../src/policy/index.ts";
import { artifactFile, attach } from "../../src/index.ts";
import { testRegistry, type TestRegistry } from "../cli/support.ts";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { stepsOf, syncScene, type Scene } from "./scene.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let scene: Scene;
beforeEach(async () => {
  [source, mirror] = [await testRegistry(), await testRegistry()];
  scene = syncScene();
});

const app = (): object => ({ from: `${source.host}/app`, to: `${mirror.host}/app` });
const digestOf = async (registry: TestRegistry, repository: string, tag: string): Promise<string | undefined> =>
  (await registry.store(repository).head(tag))?.digest;

test("a pattern that fits the copies that it makes does not copy them again", async () => {
  for (const name of ["a", "team/b"]) await putImage(source.store(name), image(name), "1.0");
  const mapping = { from: `${source.host}/**`, to: `${source.host}/copies/{repository}` };
  expect((await scene.sync(mapping)).applied.complete).toBe(true);
  const { steps, kept } = await scene.plan(mapping);
  expect([steps, kept.map(({ at }) => at.slice(source.host.length))]).toEqual([
    [],
    ["/copies/a:1.0", "/copies/team/b:1.0"],
  ]);
});

describe("local places", () => {
  beforeEach(async () => {
    for (const tag of ["1.0", "2.0"]) await putImage(source.store("team/app"), image(tag), tag);
  });
  const from = (): string => `${source.host}/team/app`;

  test("a docker-archive names images as docker load is to call them, and all is there then", async () => {
    const place = `docker-archive:${await temporaryDirectory()}/app.tar`;
    const { applied } = await scene.sync({ from: from(), to: place });
    expect(applied.complete).toBe(true);
    const { store } = scene.client.open(place);
    expect(await Array.fromAsync(store.tags())).toEqual([`${from()}:1.0`, `${from()}:2.0`]);
    await store.close();
    expect((await scene.plan({ from: from(), to: place })).steps).toEqual([]);
    const named = { from: from(), to: `${place}:mine/{name}:v{tag}` };
    expect((await scene.sync(named)).plan.steps.map(({ at }) => at)).toEqual([
      `${place}:mine/app:v1.0`,
      `${place}:mine/app:v2.0`,
    ]);
    expect((await scene.plan(named)).steps).toEqual([]);
  });

  test("whole names in an archive become tags, and one that cannot be one is told", async () => {
    const folder = await temporaryDirectory();
    const archive = `docker-archive:${folder}/app.tar`;
    await scene.sync({ from: from(), to: archive });
    const mapping = { from: archive, to: `${mirror.host}/{name}` };
    expect((await scene.sync(mapping)).plan.steps.map(({ at }) => at)).toEqual([
      `${mirror.host}/app:1.0`,
      `${mirror.host}/app:2.0`,
    ]);
    expect((await scene.plan(mapping)).steps).toEqual([]);
    const layout = `oci:${folder}/layout`;
    await scene.sync({ from: archive, to: layout });
    expect(await Array.fromAsync(scene.client.open(layout).store.tags())).toEqual([`${from()}:1.0`, `${from()}:2.0`]);
    await putImage(scene.client.open(layout).store, image("odd"), "a:b@c");
    await scene.client.open(`${mirror.host}/app`).store.deleteTag("2.0");
    const { steps, notes } = await scene.plan({ ...mapping, from: layout, to: `${mirror.host}/app` });
    expect(steps.map(({ at }) => at)).toEqual([`${mirror.host}/app:2.0`]);
    expect(notes).toMatchObject([{ level: "refused", message: 'sync[0]: "b@c" can be no tag in a registry' }]);
  });

  test("in two spellings, or formats, are refused: each would be written as if it were alone", async () => {
    const folder = await temporaryDirectory();
    await symlink(folder, join(folder, "link"));
    for (const [one, two] of [
      [`oci:${folder}/same`, `oci:${folder}/./same`],
      [`oci-archive:${folder}/app.tar`, `oci-archive:${folder}/link/app.tar`],
      [`oci-archive:${folder}/app.tar`, `docker-archive:${folder}/app.tar`],
    ] as const) {
      const mappings = [
        { name: "one", from: `${from()}:1.0`, to: one },
        { name: "two", from: `${from()}:2.0`, to: two },
      ];
      await expect(scene.plan(mappings)).rejects.toMatchObject({
        code: "INVALID",
        message: `${one} and ${two} are one place in two forms`,
      });
      const { plan } = await scene.client.planSync(
        parseSync({ name: "a", value: { version: 1, sync: [mappings[0]] } }),
      );
      const steps = [...plan.steps, { ...plan.steps[0]!, id: "2", at: plan.steps[0]!.at.replace(one, two) }];
      await expect(scene.client.apply({ ...plan, steps })).rejects.toThrow("are one place in two forms");
    }
  });

  test("a directory is one image", async () => {
    const folder = await temporaryDirectory();
    const mapping = { from: from(), to: `dir:${folder}/{name}-{tag}` };
    expect(stepsOf((await scene.sync(mapping)).plan)).toEqual([
      `copy dir:${folder}/app-1.0: it is not there`,
      `copy dir:${folder}/app-2.0: it is not there`,
    ]);
    expect((await scene.plan(mapping)).steps).toEqual([]);
    await putImage(source.store("team/app"), image("2.1"), "2.0");
    expect((await scene.plan({ ...mapping, overwrite: "keep" })).steps).toEqual([]);
    expect((await scene.sync(mapping)).plan.steps).toHaveLength(1);
    expect((await scene.plan(mapping)).steps).toEqual([]);
    await expect(scene.plan({ from: from(), to: `dir:${folder}/app` })).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining(`dir:${folder}/app would be written with`),
    });
  });
});

test("a pattern that no repository fits is told", async () => {
  await putImage(source.store("team/app"), image("one"), "1.0");
  const mapping = { name: "team", from: `${source.host}/taem/**`, to: `${mirror.host}/{repository}` };
  const { steps, notes } = await scene.plan(mapping);
  expect([steps, notes]).toEqual([
    [],
    [{ level: "warning", at: `${source.host}/taem/**`, message: "team: it has no repository that fits" }],
  ]);
});

describe("what is there already", () => {
  test("is planned, copied once, and then nothing is left to do", async () => {
    const [one, two] = [image("one"), twoPlatforms("two")];
    await putImage(source.store("app"), one, "1.0");
    await putImage(source.store("app"), two, "2.0");
    await putImage(mirror.store("app"), image("old"), "2.0");
    const { plan, applied } = await scene.sync(app());
    expect(stepsOf(plan)).toEqual([
      `copy ${mirror.host}/app:1.0: the tag 1.0 is not there`,
      `copy ${mirror.host}/app:2.0: it names # and the source #`.replace("# and", "#, and"),
    ]);
    expect(applied.complete).toBe(true);
    expect(await digestOf(mirror, "app", "1.0")).toBe(one.manifest.descriptor.digest);
    expect(await digestOf(mirror, "app", "2.0")).toBe(two.manifest.descriptor.digest);
    const again = await scene.sync(app());
    expect(again.plan.steps).toEqual([]);
    expect(again.plan.kept.map(({ at, why }) => `${at}: ${why}`)).toEqual([
      `${mirror.host}/app:1.0: it is there`,
      `${mirror.host}/app:2.0: it is there`,
    ]);
  });

  test("gets what was attached since", async () => {
    const one = image("one");
    await putImage(source.store("app"), one, "1.0");
    await scene.sync(app());
    const file = artifactFile(Buffer.from("{}"), "application/spdx+json");
    await attach(source.store("app"), { artifactType: "application/spdx+json", files: [file] }, { subject: "1.0" });
    const signature = artifact("signature", one.manifest.descriptor);
    await putImage(source.store("app"), signature, `sha256-${one.manifest.descriptor.digest.slice(7)}.sig`);
    const { plan } = await scene.sync(app());
    expect(stepsOf(plan)).toEqual([`copy ${mirror.host}/app:1.0: it is there, and 3 of what is attached to it not`]);
    const there = await Array.fromAsync(mirror.store("app").referrers(one.manifest.descriptor.digest));
    expect(there.map(({ artifactType = "" }) => artifactType).toSorted()).toEqual([
      "application/spdx+json",
      "application/vnd.example.thing",
    ]);
    expect((await scene.plan(app())).steps).toEqual([]);
    expect((await scene.plan({ ...app(), referrers: false })).steps).toEqual([]);
  });

  test("is found for chosen platforms by the digest that those make", async () => {
    const image = twoPlatforms("two");
    await putImage(source.store("app"), image, "2.0");
    await putImage(source.store("app"), artifact("of the index, which is not copied", image.manifest.descriptor));
    const two = { ...app(), platforms: ["linux/amd64"] };
    expect((await scene.sync(two)).applied.complete).toBe(true);
    expect((await scene.plan(two)).steps).toEqual([]);
    expect((await scene.plan(app())).steps.length).toBe(1);
  });
});

describe("requests when nothing has changed", () => {
  beforeEach(async () => {
    source = await testRegistry({ extension: false });
  });

  test("of a source that lists its images: its tags and that list, however many tags there are", async () => {
    source = await testRegistry();
    const cache = { file: join(await temporaryDirectory(), "cache.json") };
    for (const tag of ["1", "2", "3", "4"]) await putImage(source.store("app"), image(tag), tag);
    await scene.sync(app(), { cache });
    scene.requests();
    const plan = await scene.plan(app(), { cache });
    expect(plan.kept).toHaveLength(4);
    expect(scene.requests()).toEqual([
      `GET ${source.host}/app/_gantry/inventory/manifests`,
      `GET ${source.host}/app/tags/list`,
    ]);
  });

  test("with a memory: the source's tags and a HEAD for each, and nothing at the destination", async () => {
    const cache = { file: join(await temporaryDirectory(), "cache.json") };
    for (const tag of ["1.0", "latest"]) await putImage(source.store("app"), image(tag), tag);
    await scene.sync(app(), { cache });
    scene.requests();
    const plan = await scene.plan(app(), { cache });
    expect(plan.kept.map(({ why }) => why)).toEqual(Array(2).fill("it was found there whole not long ago"));
    expect(scene.requests()).toEqual([
      `GET ${source.host}/app/tags/list`,
      `HEAD ${source.host}/app/manifests/1.0`,
      `HEAD ${source.host}/app/manifests/latest`,
    ]);
    await scene.plan({ ...app(), immutable: ["1.*"] }, { cache });
    expect(scene.requests()).toEqual([`GET ${source.host}/app/tags/list`, `HEAD ${source.host}/app/manifests/latest`]);
    await scene.plan({ from: `${source.host}/app:1.0`, to: `${mirror.host}/app`, immutable: ["1.*"] }, { cache });
    expect(scene.requests()).toEqual([]);
  });

  test("a tag that never moves costs no request at either side but the lists of tags", async () => {
    for (const tag of ["1.0", "1.1"]) await putImage(source.store("app"), image(tag), tag);
    await scene.sync(app());
    await putImage(source.store("app"), image("1.2"), "1.2");
    scene.requests();
    const plan = await scene.plan({ ...app(), immutable: ["*"] });
    expect(stepsOf(plan)).toEqual([`copy ${mirror.host}/app:1.2: the tag 1.2 is not there`]);
    expect(scene.requests()).toEqual(
      [
        `GET ${source.host}/app/tags/list`,
        `GET ${mirror.host}/app/tags/list`,
        `HEAD ${source.host}/app/manifests/1.2`,
      ].toSorted(),
    );
  });

  test("a memory counts for nothing once the image, the rules or what is attached has changed, it is old, or --recheck", async () => {
    const cache = { file: join(await temporaryDirectory(), "cache.json") };
    const now = new Date("2026-11-20T00:00:00Z");
    const one = image("one");
    await putImage(source.store("app"), one, "1.0");
    await scene.sync(app(), { cache, now });
    const asked = async (mapping: object, options = {}): Promise<boolean> => {
      scene.requests();
      await scene.plan(mapping, { cache, now, ...options });
      return scene.requests().some((request) => request.includes(mirror.host));
    };
    expect(await asked(app())).toBe(false);
    expect(await asked({ ...app(), platforms: ["linux/amd64"] })).toBe(true);
    await scene.sync(app(), { cache, now, recheck: true });
    expect(await asked(app())).toBe(false);
    expect(await asked(app(), { recheck: true })).toBe(true);
    expect(await asked(app(), { now: new Date("2026-11-20T11:59:00Z") })).toBe(false);
    expect(await asked(app(), { now: new Date("2026-11-20T12:00:00Z") })).toBe(true);
    expect(await asked(app(), { now: new Date("2026-11-19T12:00:00Z") })).toBe(true);
    await scene.sync(app(), { cache, now, recheck: true });
    await putImage(
      source.store("app"),
      artifact("s", one.manifest.descriptor),
      `sha256-${one.manifest.descriptor.digest.slice(7)}.sig`,
    );
    expect(await asked(app())).toBe(true);
  });
});
