import { rm } from "node:fs/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { PlanEvent } from "../../src/plan/apply.ts";
import { faultyProxy } from "../support/faults.ts";
import { testService } from "../cli/service-scene.ts";
import { testRegistry, type TestRegistry } from "../cli/support.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { artifact, image, indexOf, putImage, twoPlatforms } from "../support/images.ts";
import { stepsOf, syncScene, type Scene } from "./scene.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let scene: Scene;
beforeEach(async () => {
  [source, mirror] = [await testRegistry(), await testRegistry()];
  scene = syncScene({ retries: 1 });
});

const app = (): { readonly from: string; readonly to: string } => ({
  from: `${source.host}/app`,
  to: `${mirror.host}/app`,
});
const tagsOf = async (registry: TestRegistry, repository: string): Promise<readonly string[]> =>
  Array.fromAsync(registry.store(repository).tags());

describe("several destinations", () => {
  test("get an image that is read once", async () => {
    const other = await testRegistry();
    const one = image("one");
    for (const tag of ["1.0", "latest"]) await putImage(source.store("app"), one, tag);
    const to = [`${mirror.host}/a`, `${other.host}/b`, `${mirror.host}/a:also-{tag}`];
    scene.requests();
    const { applied } = await scene.sync({ from: `${source.host}/app`, to });
    expect(applied.complete).toBe(true);
    const reads = scene.requests().filter((request) => request.startsWith(`GET ${source.host}/app/`));
    expect(reads.filter((request) => request.includes("/blobs/")).length).toBe(one.blobs.length);
    expect(reads.filter((request) => request.includes("/manifests/")).length).toBe(1);
    expect(await tagsOf(mirror, "a")).toEqual(["1.0", "also-1.0", "also-latest", "latest"]);
    expect(await tagsOf(other, "b")).toEqual(["1.0", "latest"]);
  });

  test("do not wait for one that does not answer", async () => {
    const dying = await faultyProxy(mirror.host, []);
    for (let i = 0; i < 60; i++) await putImage(source.store("app"), image(`${i}`, { layers: 1 }), `${i}`);
    const to = [`${dying.host}/dead`, `${mirror.host}/app`];
    const plan = await scene.plan({ from: `${source.host}/app`, to });
    await dying.close();
    scene.requests();
    const { endings } = await scene.client.apply(plan);
    const outcomes = Map.groupBy(endings.values(), ({ outcome }) => outcome);
    expect([outcomes.get("done")?.length, outcomes.get("failed")?.length]).toEqual([60, 60]);
    expect((await tagsOf(mirror, "app")).length).toBe(60);
    // Those 48 that were under way when it was given up, twice each; the rest was not tried.
    expect(scene.requests().filter((request) => request.includes(dying.host)).length).toBeLessThanOrEqual(2 * 51);
  });
});

test("a cold sync asks a destination's tag once", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `r${i}`);
  for (const name of names) await putImage(source.store(name), image(name), "1.0");
  const rounds = names.map((name) => ({ from: `${source.host}/${name}`, to: `${mirror.host}/{repository}` }));
  const plan = await scene.plan(rounds);
  scene.requests();
  expect((await scene.client.apply(plan)).complete).toBe(true);
  const asked = scene.requests().filter((request) => request === `HEAD ${mirror.host}/r3/manifests/1.0`);
  expect(asked.length).toBe(1);
});

test("local places are read and written as registries are", async () => {
  const folder = await temporaryDirectory();
  const cache = { file: `${folder}/cache.json` };
  const [layout, copy, archive] = [`oci:${folder}/layout`, `oci:${folder}/copy`, `oci-archive:${folder}/a.tar`];
  for (const tag of ["1.0", "2.0"]) await putImage(source.store("app"), image(tag), tag);
  expect((await scene.sync({ from: `${source.host}/app`, to: layout })).applied.complete).toBe(true);
  for (const to of [`${mirror.host}/app`, copy, archive]) {
    const { plan, applied } = await scene.sync({ from: layout, to }, { cache });
    expect([plan.steps.length, applied.complete]).toEqual([2, true]);
    expect((await scene.plan({ from: layout, to }, { cache })).steps).toEqual([]);
  }
  await rm(`${folder}/copy`, { recursive: true });
  expect((await scene.plan({ from: layout, to: copy, immutable: ["1.*"] }, { cache })).steps.length).toBe(2);
  expect(await tagsOf(mirror, "app")).toEqual(["1.0", "2.0"]);
  const { notes } = await scene.plan({ from: `oci:${folder}/nothing`, to: copy });
  expect(notes.map(({ level, message }) => [level, message])).toEqual([
    ["refused", expect.stringContaining("sync[0]: ")],
  ]);
});

describe("blobs that images of several repositories share", () => {
  test("go to a registry once, and are mounted into its other repositories", async () => {
    const shared = image("shared");
    for (const name of ["a", "b", "c"]) await putImage(source.store(name), shared, "1.0");
    scene.requests();
    const { applied } = await scene.sync({ from: `${source.host}/*`, to: `${mirror.host}/hub/{repository}` });
    expect(applied.complete).toBe(true);
    const requests = scene.requests();
    expect(requests.filter((request) => request.startsWith("PUT") && request.includes("/uploads/")).length).toBe(
      shared.blobs.length,
    );
    expect(requests.filter((request) => request.startsWith("GET") && request.includes("/blobs/")).length).toBe(
      shared.blobs.length,
    );
    expect(await tagsOf(mirror, "hub/c")).toEqual(["1.0"]);
  });
});

test("several repositories that share blobs, to several registries: each blob goes to each of them once", async () => {
  const other = await testRegistry();
  const shared = image("shared", { layerSize: 200_000 });
  const names = ["a", "b", "c", "d"];
  for (const name of names) await putImage(source.store(name), shared, "1.0");
  scene.requests();
  const to = [`${mirror.host}/x/{repository}`, `${other.host}/y/{repository}`];
  const { applied } = await scene.sync({ from: names.map((name) => `${source.host}/${name}`), to });
  expect(applied.complete).toBe(true);
  const uploads = scene.requests().filter((request) => request.startsWith("PUT") && request.includes("/uploads/"));
  expect(uploads.length).toBe(2 * shared.blobs.length);
  expect(await tagsOf(other, "y/d")).toEqual(["1.0"]);
});

describe("what goes wrong with one image", () => {
  test("stops no other, neither when it is read nor when it is copied", async () => {
    const broken = image("broken");
    await putImage(source.store("app"), broken, "broken");
    await putImage(source.store("app"), image("fine"), "fine");
    source.lose(broken.blobs[1]!.descriptor.digest);
    const { plan, applied } = await scene.sync([
      app(),
      { ...app(), from: `${source.host}/none`, to: `${mirror.host}/none` },
    ]);
    expect(plan.notes).toEqual([
      {
        level: "refused",
        at: `${source.host}/none`,
        rule: "sync[1]",
        message: expect.stringMatching(/^sync\[1\]: it cannot be read: /),
      },
    ]);
    expect([...applied.endings.values()].map(({ outcome }) => outcome)).toEqual(["failed", "done"]);
    expect(await tagsOf(mirror, "app")).toEqual(["fine"]);
    expect(stepsOf(await scene.plan(app()))).toEqual([`copy ${mirror.host}/app:broken: the tag broken is not there`]);
  });

  test("429 in the middle is waited out", async () => {
    const busy = await faultyProxy(mirror.host, [
      { match: (method) => method === "PUT", nth: 2, do: { fault: "answer", status: 429, retryAfter: 0 } },
      { match: (method) => method === "POST", nth: 1, do: { fault: "answer", status: 429, retryAfter: 0 } },
    ]);
    onTestFinished(() => busy.close());
    await putImage(source.store("app"), twoPlatforms("two"), "1.0");
    const { applied } = await scene.sync({ from: `${source.host}/app`, to: `${busy.host}/app` });
    expect(applied.complete).toBe(true);
    expect(busy.faults).toBe(2);
  });

  test("a tag that was moved since is stale, and is left alone", async () => {
    await putImage(source.store("app"), image("one"), "1.0");
    await putImage(source.store("app"), image("two"), "2.0");
    const plan = await scene.plan(app());
    await putImage(mirror.store("app"), image("theirs"), "1.0");
    await putImage(mirror.store("app"), image("two"), "2.0");
    const applied = await scene.client.apply(plan);
    const [moved, same] = [...applied.endings.values()];
    expect([moved!.outcome, same!.outcome]).toEqual([
      expect.stringMatching(/^(failed|stale)$/),
      expect.stringMatching(/^(done|already)$/),
    ]);
    expect(moved!.why).toContain("/app:1.0 names sha256:");
  });

  test("applied twice is applied once", async () => {
    await putImage(source.store("app"), twoPlatforms("two"), "1.0");
    const plan = await scene.plan({ ...app(), platforms: ["linux/amd64", "linux/arm64"] });
    await scene.client.apply(plan);
    scene.requests();
    expect((await scene.client.apply(plan)).complete).toBe(true);
    expect(scene.requests().filter((request) => /^(POST|PATCH)/.test(request))).toEqual([]);
  });

  test("stopping it stops it", async () => {
    for (let i = 0; i < 5; i++) await putImage(source.store("app"), image(`${i}`), `${i}`);
    const plan = await scene.plan(app());
    const stop = new AbortController();
    const onEvent = (): void => stop.abort();
    await expect(scene.client.apply(plan, { signal: stop.signal, onEvent })).rejects.toThrow();
    expect((await scene.plan(app())).steps.length).toBeGreaterThan(0);
  });

  test("stopping it in its last step does, too", async () => {
    await putImage(source.store("app"), image("only"), "1.0");
    const plan = await scene.plan(app());
    const stop = new AbortController();
    const onEvent = ({ type }: PlanEvent): void => (type === "blob" ? stop.abort() : undefined);
    await expect(scene.client.apply(plan, { signal: stop.signal, onEvent })).rejects.toThrow("interrupted");
  });
});

describe("rules", () => {
  test("an image without what is required is refused", async () => {
    const [bare, signed] = [image("bare"), image("signed")];
    await putImage(source.store("app"), bare, "bare");
    await putImage(source.store("app"), signed, "signed");
    const type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    await putImage(source.store("app"), artifact("bundle", signed.manifest.descriptor, { type }));
    const stated = image("stated");
    await putImage(source.store("app"), stated, "stated");
    const statement = {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
    };
    await putImage(source.store("app"), artifact("said", stated.manifest.descriptor, { type, annotations: statement }));
    const partly = indexOf([signed]);
    await putImage(source.store("app"), partly, "partly");
    const attested = await scene.plan({ ...app(), require: ["attestation"] });
    expect(stepsOf(attested)).toEqual([`copy ${mirror.host}/app:stated: the tag stated is not there`]);
    const plan = await scene.plan({ ...app(), require: ["signature"] });
    expect(stepsOf(plan)).toEqual([`copy ${mirror.host}/app:signed: the tag signed is not there`]);
    expect(plan.notes.map(({ level, at, message }) => [level, at, message])).toEqual([
      [
        "refused",
        `${mirror.host}/app:bare`,
        `sync[0]: nothing is copied: ${bare.manifest.descriptor.digest} has no signature attached`,
      ],
      ["refused", `${mirror.host}/app:partly`, expect.stringContaining("has no signature attached")],
      ["refused", `${mirror.host}/app:stated`, expect.stringContaining("has no signature attached")],
    ]);
  });

  test("what is overwritten is kept under another tag, or is left, or is an error", async () => {
    const old = image("old");
    await putImage(source.store("app"), image("new"), "latest");
    await putImage(mirror.store("app"), old, "latest");
    await putImage(mirror.store("app"), image("older"), "latest-20261120");
    const now = new Date("2026-11-20T00:00:00Z");
    expect((await scene.plan({ ...app(), overwrite: "keep" })).steps).toEqual([]);
    const refused = await scene.plan({ ...app(), overwrite: "error" });
    expect([refused.steps, refused.notes.map(({ level }) => level)]).toEqual([[], ["refused"]]);
    const { applied } = await scene.sync({ ...app(), backup: "{tag}-{date}" }, { now });
    expect(applied.complete).toBe(true);
    expect((await mirror.store("app").head("latest-20261120-2"))?.digest).toBe(old.manifest.descriptor.digest);
  });

  test("two sources for one tag are found before anything runs", async () => {
    await putImage(source.store("app"), image("one"), "1.0");
    await putImage(source.store("other"), image("two"), "1.0");
    await expect(scene.plan([app(), { from: `${source.host}/other:1.0`, to: `${mirror.host}/app` }])).rejects.toThrow(
      `${mirror.host}/app:1.0 would be written with ${source.host}/app:1.0@`,
    );
    const twice = await scene.plan([app(), { ...app(), from: `${source.host}/app:1.0` }]);
    expect(twice.steps.length).toBe(1);
  });

  test("a repository is created where a push does not make it", async () => {
    const service = await testService();
    await putImage(source.store("app"), image("one"), "1.0");
    const to = `${service.host}/team/app`;
    const { plan, applied } = await scene.sync({ from: `${source.host}/app`, to });
    expect(plan.steps.map(({ do: what, at, after }) => [what, at, after])).toEqual([
      ["create repository", to, undefined],
      ["copy", `${to}:1.0`, ["1"]],
    ]);
    expect(applied.complete).toBe(true);
    expect(service.log).toContain("createRepository team/app");
    expect(
      (await scene.plan({ from: `${source.host}/app`, to: `${service.host}/more`, create: false })).steps.length,
    ).toBe(1);
  });

  test("a service's own listing tells when images were pushed, and what tags name", async () => {
    const service = await testService();
    for (let i = 0; i < 5; i++) await putImage(service.store("app"), image(`${i}`), `${i}`);
    const mapping = { from: `${service.host}/app`, to: `${mirror.host}/app` };
    const pushed = { ...mapping, tags: [{ within: "10d", by: "pushed" }] };
    const copies = (await scene.plan(pushed, { now: new Date("2026-11-25T00:00:00Z") })).steps;
    expect(copies.filter((step) => step.do === "copy").length).toBe(5);
    expect(service.log).toEqual(["images app"]);
    await scene.plan(mapping);
    expect(service.log).toEqual(["images app", "images app"]);
    expect((await scene.plan(pushed, { now: new Date("2026-12-25T00:00:00Z") })).steps.length).toBe(0);
    await expect(scene.plan({ ...app(), tags: [{ newest: 1, by: "pushed" }] })).resolves.toMatchObject({ steps: [] });
  });
});
