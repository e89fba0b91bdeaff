import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { artifactFile, artifactManifest } from "../../src/graph/attach.ts";
import type { Inventory } from "../../src/graph/inventory.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { checkDeletions, type PlanEvent } from "../../src/plan/apply.ts";
import { rootsInUse } from "../../src/plan/in-use.ts";
import { readJournal } from "../../src/plan/journal.ts";
import type { DeleteManifest, DeleteTag, Step } from "../../src/plan/plan.ts";
import { planUndo } from "../../src/plan/undo.ts";
import { testService } from "../cli/service-scene.ts";
import { testRegistry } from "../cli/support.ts";
import { faultyProxy } from "../support/faults.ts";
import { artifact, image, indexOf, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { layoutStore } from "../../src/store/layout.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { applyWithJournal, outcomes, planOf, testClient } from "./scene.ts";

const [one, two, three] = [image("one"), image("two"), image("three")];
const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;
const why = "why";

const removeTag = (at: string, of: TestImage, id = at): DeleteTag => ({
  id,
  do: "delete tag",
  at,
  digest: digestIn(of),
  why,
});
const remove = (place: string, of: TestImage, tags: readonly string[] = [], id = "manifest"): DeleteManifest => ({
  id,
  do: "delete manifest",
  at: `${place}@${digestIn(of)}`,
  digest: digestIn(of),
  tags,
  why,
});
const setTag = (at: string, of: TestImage, before: TestImage | null, id = at): Step => ({
  id,
  do: "tag",
  at,
  digest: digestIn(of),
  before: before && digestIn(before),
  why,
});

/** How the one step of a plan ends. */
async function ending(step: Step, client = testClient()): Promise<string> {
  const { endings } = await client.apply(planOf([step]));
  const { outcome, why: because } = endings.get(step.id)!;
  return because === undefined ? outcome : `${outcome}: ${because}`;
}

describe("each step is held against what is there", () => {
  test("tag", async () => {
    const { host, store } = await testRegistry();
    const [app, at] = [store("app"), `${host}/app:1`];
    await putImage(app, one, "one");
    await putImage(app, two, "two");
    expect(await ending(setTag(at, one, null))).toBe("done");
    expect(await ending(setTag(at, one, null))).toBe("already");
    expect(await ending(setTag(at, two, null))).toBe(`stale: ${at} names ${digestIn(one)} now`);
    expect(await ending(setTag(at, three, one))).toBe(`stale: ${digestIn(three)} is gone`);
    expect(await ending(setTag(`${host}/app:gone`, two, one))).toBe(`stale: ${host}/app:gone is gone`);
    expect((await app.head("1"))?.digest).toBe(digestIn(one));
  });

  test("delete tag", async () => {
    const { host, store } = await testRegistry();
    const at = `${host}/app:1`;
    await putImage(store("app"), one, "1");
    expect(await ending(removeTag(at, two))).toBe(`stale: ${at} names ${digestIn(one)} now`);
    expect(await ending(removeTag(at, one))).toBe("done");
    expect(await ending(removeTag(at, one))).toBe("already");
    expect(await ending(removeTag(`${host}/none:1`, one))).toBe("already");
  });

  test("delete manifest", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), one, "1");
    const place = `${host}/app`;
    expect(await ending(remove(place, one))).toBe("stale: it has the tag 1, which the plan does not know of");
    expect(await ending(remove(place, one, ["1"]))).toBe("done");
    expect(await ending(remove(place, one, ["1"]))).toBe("already");
  });

  test("copy", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), twoPlatforms("app"), "1");
    const app = twoPlatforms("app");
    const [from, at] = [`${host}/app:1@${digestIn(app)}`, `${host}/to:1`];
    const step: Step = { id: "copy", do: "copy", from, at, digest: digestIn(app), before: null, why };
    expect(await ending(step)).toBe("done");
    expect(await ending(step)).toBe("already");
    await store("app").deleteManifest(digestIn(app));
    expect(await ending(step)).toBe("already");
    await putImage(store("to"), two, "1");
    expect(await ending(step)).toBe(`stale: ${at} names ${digestIn(two)} now`);
    expect(await ending({ ...step, at: `${host}/to:2` })).toMatch(/^failed: .*app@sha256:[0-9a-f]+ is not there/);
  });

  test("attach", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), one, "1");
    const artifactType = "application/vnd.example.receipt";
    const step: Step = {
      id: "a",
      do: "attach",
      at: `${host}/app@${digestIn(one)}`,
      digest: digestIn(one),
      artifactType,
      document: { a: 1 },
      why,
    };
    expect(await ending(step)).toBe("done");
    expect(await ending(step)).toBe("already");
    const files = [artifactFile(Buffer.from('{"a":1}'), artifactType)];
    const { digest } = artifactManifest({ artifactType, files }, one.manifest.descriptor).descriptor;
    expect((await Array.fromAsync(store("app").referrers(digestIn(one)))).map((found) => found.digest)).toEqual([
      digest,
    ]);
    expect(await ending({ ...step, digest: digestIn(two), at: `${host}/app@${digestIn(two)}` })).toBe(
      `stale: ${host}/app@${digestIn(two)} is not there`,
    );
  });

  test("repositories and immutability, where the service can", async () => {
    const { host, store } = await testService();
    const at = `${host}/app`;
    expect(await ending({ id: "c", do: "create repository", at, why })).toBe("done");
    expect(await ending({ id: "c", do: "create repository", at, why })).toBe("already");
    const rules = { id: "i", do: "set immutability", at, tags: "immutable", except: ["b", "a"], why } as const;
    expect(await ending({ ...rules, before: { tags: "immutable" } })).toBe(`stale: tags of ${at} are mutable now`);
    expect(await ending({ ...rules, before: { tags: "mutable" } })).toBe("done");
    expect(await ending({ ...rules, except: ["a", "b"], before: { tags: "mutable" } })).toBe("already");
    await putImage(store("app"), one, "1");
    expect(await ending({ id: "d", do: "delete repository", at, why })).toBe(`stale: ${at} is not empty`);
    await store("app").deleteManifest(digestIn(one));
    expect(await ending({ id: "d", do: "delete repository", at, why })).toBe("done");
    expect(await ending({ id: "d", do: "delete repository", at, why })).toBe("already");
  });

  test("restore", async () => {
    const { host, store, lose } = await testRegistry();
    await putImage(store("app"), one, "1");
    await putImage(store("app"), two, "taken");
    await store("app").deleteManifest(digestIn(one));
    const { mediaType } = one.manifest.descriptor;
    const manifest = Buffer.from(one.manifest.bytes).toString("base64");
    const step: Step = {
      id: "r",
      do: "restore",
      at: `${host}/app@${digestIn(one)}`,
      digest: digestIn(one),
      mediaType,
      manifest,
      tags: ["1"],
      why,
    };
    expect(await ending(step)).toBe("done");
    expect(await ending(step)).toBe("already");
    expect(await ending({ ...step, tags: ["1", "2", "taken"] })).toBe(`stale: taken names ${digestIn(two)} now`);
    expect((await store("app").head("2"))?.digest).toBe(digestIn(one));
    await store("app").deleteManifest(digestIn(one));
    lose(one.blobs[1]!.descriptor.digest);
    expect(await ending(step)).toBe(
      `failed: ${step.at} cannot come back: the registry does not have all of its content any more; copy it from where else it is`,
    );
  });

  test("restore of an index of referrers, which came to be anew with them", async () => {
    const { host, store } = await testRegistry();
    const [was, grown, other] = [indexOf([one, two]), indexOf([two, three, one]), indexOf([one])];
    const tag = digestIn(three).replace(":", "-");
    const { descriptor, bytes } = was.manifest;
    const step: Step = {
      id: "r",
      do: "restore",
      at: `${host}/app@${descriptor.digest}`,
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      manifest: Buffer.from(bytes).toString("base64"),
      tags: [tag],
      why,
    };
    await putImage(store("app"), grown, tag);
    expect(await ending(step)).toBe("done");
    expect((await store("app").head(tag))?.digest).toBe(digestIn(grown));
    await putImage(store("app"), other, tag);
    expect(await ending(step)).toBe(`stale: ${tag} names ${digestIn(other)} now`);
  });

  test("in a local place, too", async () => {
    const at = `oci:${join(await temporaryDirectory(), "images")}`;
    const store = layoutStore(at.slice("oci:".length));
    await putImage(store, one, "1");
    await store.flush();
    await store.close();
    const client = testClient();
    const { complete } = await client.apply(planOf([setTag(`${at}:2`, one, null), removeTag(`${at}:1`, one)]));
    expect(complete).toBe(true);
    expect(await Array.fromAsync(testClient().open(at).store.tags())).toEqual(["2"]);
  });
});

test("an index goes before its parts, and an image before what is attached to it", async () => {
  const { host, store } = await testRegistry();
  const index = indexOf([one, two]);
  const signature = artifact("signature", index.manifest.descriptor);
  await putImage(store("app"), index, "1");
  await putImage(store("app"), signature);
  const events: PlanEvent[] = [];
  const steps = [signature, one, two, index].map((of, i) =>
    remove(`${host}/app`, of, of === index ? ["1"] : [], String(i)),
  );
  await testClient().apply(planOf(steps), { onEvent: (event) => events.push(event) });
  const ended = events.flatMap((event) => (event.type === "step" ? [`${event.step.id} ${event.ending.outcome}`] : []));
  expect(ended[0]).toBe("3 done");
  expect(ended.toSorted()).toEqual(["0 done", "1 done", "2 done", "3 done"]);
});

test("what an index needs stays where the index could not go", async () => {
  const registry = await testRegistry();
  const index = indexOf([one, two]);
  await putImage(registry.store("app"), index, "1");
  const refusal = {
    match: (method: string, url: string) => method === "DELETE" && url.includes(digestIn(index)),
    do: { fault: "answer", status: 403 },
  } as const;
  const proxy = await faultyProxy(registry.host, [refusal]);
  const steps = [
    remove(`${proxy.host}/app`, one, [], "one"),
    remove(`${proxy.host}/app`, two, [], "two"),
    remove(`${proxy.host}/app`, index, ["1"], "index"),
  ];
  const applied = await testClient().apply(planOf(steps));
  await proxy.close();
  expect(outcomes(applied)).toEqual({ index: "failed", one: "skipped", two: "skipped" });
  expect(applied.endings.get("one")!.why).toBe(`it is needed: a part of the index ${digestIn(index)}`);
  expect(await registry.store("app").head(digestIn(one))).toBeDefined();
});

test("a tag that moves between plan and apply is left, and what it names now", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), one, "1");
  const plan = planOf([remove(`${host}/app`, one, ["1"], "old"), removeTag(`${host}/app:2`, two)]);
  await putImage(store("app"), two, "2");
  await store("app").putManifest(one.manifest, { tag: "2" });
  const { endings, complete } = await testClient().apply(plan);
  expect(complete).toBe(false);
  expect([...endings.values()].map(({ outcome }) => outcome)).toEqual(["stale", "stale"]);
  expect((await store("app").head("2"))?.digest).toBe(digestIn(one));
});

test("two that apply one plan at the same time do it once, and neither fails", async () => {
  const { host, store } = await testRegistry();
  const images = Array.from({ length: 12 }, (_, i) => image(`image ${i}`, { layers: 1 }));
  for (const [i, of] of images.entries()) await putImage(store("app"), of, `t${i}`);
  const steps = images.flatMap((of, i): Step[] => {
    if (i % 3 === 0) return [remove(`${host}/app`, of, [`t${i}`], `${i}`)];
    return i % 3 === 1 ? [removeTag(`${host}/app:t${i}`, of)] : [setTag(`${host}/app:new${i}`, of, null)];
  });
  const both = await Promise.all([testClient().apply(planOf(steps)), testClient().apply(planOf(steps))]);
  for (const { complete } of both) expect(complete).toBe(true);
  const deletions = steps
    .filter(({ do: what }) => what !== "tag")
    .map(({ id }) => both.map(({ endings }) => endings.get(id)!.outcome).toSorted());
  expect(deletions).toEqual(deletions.map(() => ["already", "done"]));
  expect(await Array.fromAsync(store("app").tags())).toEqual([
    "new11",
    "new2",
    "new5",
    "new8",
    "t11",
    "t2",
    "t5",
    "t8",
  ]);
});

test("429 in the middle is waited out", async () => {
  const registry = await testRegistry();
  await putImage(registry.store("app"), one, "1");
  await putImage(registry.store("app"), two, "2");
  const proxy = await faultyProxy(registry.host, [
    { match: (method) => method === "DELETE", nth: 1, do: { fault: "answer", status: 429, retryAfter: 0 } },
    { match: (method) => method === "DELETE", nth: 2, do: { fault: "answer", status: 429, retryAfter: 0 } },
  ]);
  const steps = [removeTag(`${proxy.host}/app:1`, one), remove(`${proxy.host}/app`, two, ["2"])];
  const { complete } = await testClient().apply(planOf(steps));
  expect([complete, proxy.faults]).toEqual([true, 2]);
  await proxy.close();
});

test("a registry that dies half-way fails its steps and no others, and applying again goes on", async () => {
  const [registry, alive] = [await testRegistry(), await testRegistry()];
  for (const [i, of] of [one, two, three].entries()) await putImage(registry.store("app"), of, `t${i}`);
  await putImage(alive.store("app"), one, "1");
  const dies = {
    match: (method: string, url: string) => method === "PUT" && !url.endsWith("/new0"),
    do: { fault: "drop", on: "request", at: 0 },
  } as const;
  const proxy = await faultyProxy(registry.host, [dies]);
  const stepsAt = (host: string): Step[] => [
    ...[one, two, three].map((of, i) => setTag(`${host}/app:new${i}`, of, null, `${i}`)),
    { ...removeTag(`${host}/app:t0`, one, "gone"), after: ["1"] },
    removeTag(`${alive.host}/app:1`, one, "elsewhere"),
  ];
  const path = join(await temporaryDirectory(), "journal");
  const client = testClient({ retries: 1 });
  const applied = await applyWithJournal(client, planOf(stepsAt(proxy.host)), path);
  expect(outcomes(applied)).toEqual({ "0": "done", "1": "failed", "2": "failed", gone: "skipped", elsewhere: "done" });
  await proxy.close();
  const again = await testClient().apply(planOf(stepsAt(registry.host)));
  expect(outcomes(again)).toEqual({ "0": "already", "1": "done", "2": "done", gone: "done", elsewhere: "already" });
});

test("a registry that does not answer is not asked for each of very many steps", async () => {
  const registry = await testRegistry();
  await putImage(registry.store("app"), one, "1");
  let asked = 0;
  const count = (method: string): boolean => method === "PUT" && ++asked > 0;
  const proxy = await faultyProxy(registry.host, [{ match: count, do: { fault: "answer", status: 503 } }]);
  const steps = Array.from({ length: 50 }, (_, i) => setTag(`${proxy.host}/app:t${i}`, one, null, `${i}`));
  const { endings } = await testClient({ retries: 0 }).apply(planOf(steps), { jobs: 1 });
  await proxy.close();
  const skipped = [...endings.values()].filter(({ outcome }) => outcome === "skipped");
  expect([asked, skipped.length]).toEqual([10, 40]);
  expect(skipped[0]!.why).toBe(`${proxy.host} did not answer 10 steps in a row`);
});

test("where an image goes with its last tag, it comes back whole", async () => {
  const { host, store } = await testService({
    quirks: { lastTag: "takes the image along" },
    calls: (service, { registry }) => ({
      async deleteTag(name, tag) {
        const digest = (await registry.repository(name).head(tag))!.digest;
        await registry.repository(name).deleteTag(tag);
        const left = await Array.fromAsync(service.images(name));
        if (!left.some((found) => found.digest === digest)) await registry.repository(name).deleteManifest(digest);
      },
    }),
  });
  const index = indexOf([two, three]);
  await putImage(store("app"), one, "1");
  await putImage(store("app"), index, "index");
  await store("app").putManifest(two.manifest, { tag: "2" });
  const path = join(await temporaryDirectory(), "journal");
  const steps = [removeTag(`${host}/app:1`, one, "1"), removeTag(`${host}/app:2`, two, "2")];
  const applied = await applyWithJournal(testClient(), planOf(steps), path);
  expect(outcomes(applied)).toEqual({ "1": "done", "2": "stale" });
  expect(await store("app").head(digestIn(one))).toBeUndefined();
  const undo = planUndo(await readJournal(path), path, new Date());
  expect((await testClient().apply(undo)).complete).toBe(true);
  expect((await store("app").head("1"))?.digest).toBe(digestIn(one));
});

test("where a service cannot take a single tag away, the step fails with the way out", async () => {
  const { host, store } = await testService({ impossible: ["deleteTag"] });
  await putImage(store("app"), one, "1");
  expect(await ending(removeTag(`${host}/app:1`, one))).toBe(
    "failed: Test Service cannot delete one tag; do otherwise",
  );
  expect(await store("app").head("1")).toBeDefined();
});

test("what is protected stays", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), one, "1");
  const protect = () => [{ digest: digestIn(one), why: "in use by pod shop/web" }];
  const { endings } = await testClient().apply(planOf([remove(`${host}/app`, one, ["1"])]), { protect });
  expect(endings.get("manifest")).toEqual({ outcome: "stale", why: "in use by pod shop/web" });
});

test("what is in use stays, with what is attached to it, also when nothing leads to it any more", async () => {
  const { host, store } = await testRegistry();
  const [index, note] = [indexOf([one, two]), artifact("note", one.manifest.descriptor)];
  await putImage(store("app"), index, "1");
  await putImage(store("app"), note);
  const steps = [
    remove(`${host}/app`, index, ["1"], "index"),
    { ...remove(`${host}/app`, one, [], "one"), after: ["index"] },
    { ...remove(`${host}/app`, two, [], "two"), after: ["index"] },
    remove(`${host}/app`, note, [], "note"),
  ];
  const [config] = one.manifest.blobs;
  for (const reference of [digestIn(one), config!.digest]) {
    const protect = (inventory: Inventory) => rootsInUse(inventory, [{ reference, by: "pod shop/web" }]);
    const applied = await testClient().apply(planOf(steps), { protect });
    expect(outcomes(applied)).toMatchObject({ index: "stale", one: "skipped", two: "skipped", note: "stale" });
    expect(applied.endings.get("index")!.why).toBe("in use by pod shop/web");
    for (const kept of [index, one, two, note]) expect(await store("app").head(digestIn(kept))).toBeDefined();
  }
  await store("app").deleteManifest(digestIn(index));
  const protect = (inventory: Inventory) => rootsInUse(inventory, [{ reference: config!.digest, by: "pod shop/web" }]);
  const applied = await testClient().apply(planOf(steps), { protect });
  expect(outcomes(applied)).toMatchObject({ index: "already", one: "stale", two: "done", note: "stale" });
  expect(outcomes(await testClient().apply(planOf(steps)))).toMatchObject({ one: "done", note: "done" });
});

test.each([
  [1, true],
  [2, false],
  ["19%", true],
  ["20%", false],
] as const)("at most %s of ten may go: refused %s", async (maxDelete, refused) => {
  const { host } = await testRegistry();
  const kept = Array.from({ length: 8 }, (_, i) => ({ at: `${host}/app:${i}`, why }));
  const plan = planOf([removeTag(`${host}/app:a`, one), removeTag(`${host}/app:b`, one)], { kept });
  const applied = testClient().apply(plan, { maxDelete });
  if (!refused) expect((await applied).complete).toBe(true);
  else
    await expect(applied).rejects.toMatchObject({
      code: "REFUSED",
      message: `the plan deletes 2 of 10 tags and images, and no more than ${maxDelete} may go`,
    });
});

test("of what may go, tags and images count, and not the parts that go along: what stays is counted so, too", () => {
  const place = "registry.example/app";
  const steps = [
    remove(place, three, ["1", "1.0"], "index"),
    { ...remove(place, one, [], "part"), after: ["index"] },
    { ...remove(place, two, [], "signature"), after: ["part"] },
    removeTag(`${place}:dev`, one),
    remove(place, image("untagged"), [], "untagged"),
  ];
  const plan = planOf(steps, { kept: Array.from({ length: 4 }, (_, i) => ({ at: `${place}:k${i}`, why })) });
  expect(() => checkDeletions(plan, 4)).not.toThrow();
  expect(() => checkDeletions(plan, 3)).toThrow("the plan deletes 4 of 8 tags and images, and no more than 3 may go");
  expect(() => checkDeletions(plan, "50%")).not.toThrow();
});

test("signatures count neither where they go along nor where they stay, whatever tags they have; those of nothing do", () => {
  const place = "registry.example/app";
  const named = (of: TestImage, more = ""): string => `${digestIn(of).replace(":", "-")}${more}`;
  const steps = [
    remove(place, one, ["1"], "image"),
    { ...remove(place, two, [named(one, ".sig"), named(one, ".att")], "signature"), after: ["image"] },
    { ...remove(place, image("list"), [named(one)], "list"), after: ["image"] },
    { ...remove(place, image("known"), [named(one, ".sbom"), "sbom"], "known"), after: ["image"] },
    { ...removeTag(`${place}:${named(one, ".x")}`, image("x")), after: ["image"] },
    remove(place, image("orphan"), [named(image("gone"), ".sig")], "orphan"),
  ];
  const kept = [
    ...["2", "3", named(three, ".sig"), named(three)].map((tag) => ({ at: `${place}:${tag}`, why })),
    { at: `${place}:${named(image("lost"), ".sig")}`, why, rule: "rules[0]" },
    { at: `${place}@${digestIn(three)}`, why },
  ];
  const plan = planOf(steps, { kept });
  expect(() => checkDeletions(plan, 3)).not.toThrow();
  expect(() => checkDeletions(plan, 2)).toThrow("the plan deletes 3 of 7 tags and images, and no more than 2 may go");
});

test("nothing is done that cannot be written down", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), one, "1");
  await putImage(store("app"), two, "2");
  const full = new RegistryError("UNKNOWN", "cannot write the journal: no space left on the device");
  const journal = { begin: () => Promise.reject(full), end: () => {} };
  const steps = [
    removeTag(`${host}/app:1`, one),
    remove(`${host}/app`, two, ["2"]),
    setTag(`${host}/app:3`, two, null),
  ];
  await expect(testClient().apply(planOf(steps), { journal })).rejects.toBe(full);
  expect(await Array.fromAsync(store("app").tags())).toEqual(["1", "2"]);
});

test("a signal stops it, and the journal knows what was begun", async () => {
  const { host, store } = await testRegistry();
  const images = Array.from({ length: 30 }, (_, i) => image(`image ${i}`, { layers: 1 }));
  for (const [i, of] of images.entries()) await putImage(store("app"), of, `t${i}`);
  const path = join(await temporaryDirectory(), "journal");
  const stop = new AbortController();
  const steps = images.map((of, i) => setTag(`${host}/app:new${i}`, of, null, `${i}`));
  let ended = 0;
  const onEvent = (event: PlanEvent): void => {
    if (event.type === "step" && ++ended === 5) stop.abort();
  };
  const applied = applyWithJournal(testClient(), planOf(steps), path, { signal: stop.signal, jobs: 2, onEvent });
  await expect(applied).rejects.toThrow();
  const begun = new Set((await readJournal(path)).steps.map(({ step }) => step.id));
  const there = (await Array.fromAsync(store("app").tags())).filter((tag) => tag.startsWith("new"));
  for (const tag of there) expect(begun).toContain(tag.slice("new".length));
  expect(there.length).toBeLessThan(30);
  expect((await applyWithJournal(testClient(), planOf(steps), path)).complete).toBe(true);
  const undo = planUndo(await readJournal(path), path, new Date());
  expect(undo.steps).toHaveLength(30);
  expect((await testClient().apply(undo)).complete).toBe(true);
  expect((await Array.fromAsync(store("app").tags())).filter((tag) => tag.startsWith("new"))).toEqual([]);
});

test.each([
  [
    "an id that is there twice",
    [setTag("a.example/app:1", one, null, "x"), setTag("a.example/app:2", one, null, "x")],
    "x is there twice",
  ],
  [
    "a step after one that is not there",
    [{ ...setTag("a.example/app:1", one, null, "x"), after: ["y"] }],
    "there is no step y before this one",
  ],
  ["no place at all", [setTag("a.example/APP:1", one, null, "x")], "APP"],
  ["a tag where there is none", [setTag("a.example/app", one, null, "x")], "steps[0].at: has to name a tag"],
] as const)("%s is refused before the first step", async (_, steps, message) => {
  const client = testClient();
  const failed = client.apply(planOf(steps)).then(({ endings }) => Promise.reject(endings.get("x")!.error));
  await expect(failed).rejects.toMatchObject({ code: "INVALID", message: expect.stringContaining(message) });
});
