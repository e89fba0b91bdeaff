import { beforeEach, describe, expect, test } from "vitest";
import { testRegistry, type TestRegistry } from "../cli/support.ts";
import { artifact, image, indexOf, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { stepsOf, syncScene, type Scene } from "./scene.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let scene: Scene;
beforeEach(async () => {
  [source, mirror] = [await testRegistry(), await testRegistry()];
  scene = syncScene();
});

const app = (prune: unknown = true): object => ({ from: `${source.host}/app`, to: `${mirror.host}/app`, prune });
const both = async (seed: string, tag: string): Promise<void> => {
  for (const registry of [source, mirror]) await putImage(registry.store("app"), image(seed), tag);
};
const tagsOf = async (): Promise<readonly string[]> => Array.fromAsync(mirror.store("app").tags());

test("takes away what the source does not have, with all that belongs to it alone, and nothing is left to do", async () => {
  await both("one", "1.0");
  const shared = image("shared");
  const old = indexOf([shared, image("own")]);
  await putImage(mirror.store("app"), old, "old");
  await putImage(mirror.store("app"), indexOf([shared]), "kept");
  await putImage(source.store("app"), indexOf([shared]), "kept");
  const signature = artifact("signature", old.manifest.descriptor);
  await putImage(mirror.store("app"), signature);
  await putImage(mirror.store("app"), image("one"), "alias");
  const { plan, applied } = await scene.sync(app());
  expect(stepsOf(plan)).toEqual([
    `delete tag ${mirror.host}/app:alias: no mapping writes it`,
    `delete manifest ${mirror.host}/app@: no mapping writes old`,
    `delete manifest ${mirror.host}/app@: it belongs to #, which goes`,
    `delete manifest ${mirror.host}/app@: it belongs to #, which goes`,
  ]);
  expect(applied.complete).toBe(true);
  expect(await tagsOf()).toEqual(["1.0", "kept"]);
  const store = mirror.store("app");
  expect(await store.head(shared.manifest.descriptor.digest)).toBeDefined();
  expect(await store.head(signature.manifest.descriptor.digest)).toBeUndefined();
  expect(await store.head(old.children[1]!.manifest.descriptor.digest)).toBeUndefined();
  expect((await scene.plan(app())).steps).toEqual([]);
});

test("comes after the copies, and not without them", async () => {
  const broken = image("new");
  await putImage(source.store("app"), broken, "new");
  await putImage(mirror.store("app"), twoPlatforms("old"), "old");
  source.lose(broken.blobs[1]!.descriptor.digest);
  const { applied } = await scene.sync(app());
  expect([...applied.endings.values()].map(({ outcome }) => outcome)).toEqual([
    "failed",
    "skipped",
    "skipped",
    "skipped",
  ]);
  expect(await tagsOf()).toEqual(["old"]);
});

test("spares what is protected, not meant, a backup, or written by another mapping", async () => {
  await both("one", "1.0");
  await putImage(source.store("other"), image("two"), "2.0");
  for (const tag of ["2.0", "pinned", "edge", "1.0-20250101", "3.0"])
    await putImage(mirror.store("app"), image("two"), tag);
  const prune = { only: ["?.*", "pinned"], protect: ["pin*"] };
  const plan = await scene.plan([
    { ...app(prune), backup: "{tag}-{date}" },
    { from: `${source.host}/other`, to: `${mirror.host}/app` },
  ]);
  expect(stepsOf(plan)).toEqual([`delete tag ${mirror.host}/app:3.0: no mapping writes it`]);
  expect(plan.kept.map(({ at, why }) => `${at.slice(mirror.host.length)}: ${why}`)).toEqual([
    "/app:1.0: it is there",
    "/app:2.0: it is there",
    "/app:1.0-20250101: it is a backup",
    "/app:pinned: pin* protects it",
  ]);
});

test("what must not go stays with all it needs, and is kept with the reason; it is asked for where something would go", async () => {
  await both("one", "1.0");
  const asked: string[] = [];
  const [used, shared] = [twoPlatforms("used"), image("shared")];
  const guards = async () => ({
    also: (place: string) => (asked.push(place), []),
    protect: () => [{ digest: used.manifest.descriptor.digest, why: "in use by somebody" }],
  });
  await scene.plan(app(), { guards });
  expect(asked).toEqual([]);
  await putImage(mirror.store("app"), used, "0.8");
  await putImage(mirror.store("app"), used.children[0]!, "part");
  await putImage(mirror.store("app"), shared, "0.9");
  const plan = await scene.plan(app(), { guards });
  expect(asked).toEqual([`${mirror.host}/app`]);
  expect(stepsOf(plan)).toEqual([
    `delete tag ${mirror.host}/app:part: no mapping writes it`,
    `delete manifest ${mirror.host}/app@: no mapping writes 0.9`,
  ]);
  expect(plan.kept.map(({ at, why }) => `${at.slice(mirror.host.length)}: ${why}`)).toEqual([
    "/app:1.0: it is there",
    "/app:0.8: in use by somebody",
  ]);
});

test("a local place beside a registry keeps what it has", async () => {
  await both("one", "1.0");
  await putImage(mirror.store("app"), image("old"), "old");
  const layout = `oci:${await temporaryDirectory()}/app`;
  expect((await scene.client.copy(`${mirror.host}/app:old`, `${layout}:old`)).failures).toEqual([]);
  const mapping = { ...app(), to: [`${mirror.host}/app`, layout] };
  const { plan, applied } = await scene.sync(mapping);
  expect(stepsOf(plan)).toEqual([
    `copy ${layout}:1.0: the tag 1.0 is not there`,
    `delete manifest ${mirror.host}/app@: no mapping writes old`,
  ]);
  expect([applied.complete, plan.notes]).toEqual([true, []]);
  expect(await Array.fromAsync(scene.client.open(layout).store.tags())).toEqual(["1.0", "old"]);
});

describe("nothing goes", () => {
  const old = async (...tags: readonly string[]): Promise<void> => {
    for (const tag of tags) await putImage(mirror.store("app"), image(tag), tag);
  };
  const refusal = async (mapping: unknown): Promise<string> => {
    const { steps, notes } = await scene.plan(mapping);
    expect(steps.filter((step) => step.do.startsWith("delete"))).toEqual([]);
    return notes.find(({ message }) => message.includes("nothing does"))?.message ?? "";
  };

  test("where the source cannot be read", async () => {
    await old("a");
    expect(await refusal({ ...app(), from: `${source.host}/gone` })).toBe(
      `sync[0]: 1 tag would go, and nothing does: ${source.host}/gone could not be read whole`,
    );
  });

  test("where nobody can tell of a tag whether it is selected, though the others are copied", async () => {
    const broken = image("broken");
    await putImage(source.store("app"), broken, "broken");
    await both("one", "1.0");
    await old("broken", "old");
    source.lose(broken.blobs[0]!.descriptor.digest);
    const mapping = { ...app(), tags: [{ within: "30d" }, { include: ["1.*"] }] };
    expect(await refusal(mapping)).toContain(
      `2 tags would go, and nothing does: ${source.host}/app could not be read whole`,
    );
    const { kept, notes } = await scene.plan(mapping);
    expect(kept.map(({ at }) => at)).toEqual([`${mirror.host}/app:1.0`]);
    expect(notes[0]).toMatchObject({ level: "refused", at: `${source.host}/app:broken` });
  });

  test("where nothing is selected", async () => {
    await both("one", "1.0");
    expect(await refusal({ ...app(), tags: [{ include: ["2.*"] }] })).toContain("no source has a tag that is selected");
  });

  test("what a mapping that is not run writes stays; where that cannot be read, all does", async () => {
    await both("one", "1.0");
    await old("old");
    await putImage(source.store("other"), image("two"), "2.0");
    await putImage(mirror.store("app"), image("two"), "2.0");
    const named = { ...app(), name: "app" };
    const other = { name: "other", from: `${source.host}/other`, to: `${mirror.host}/app` };
    const plan = await scene.plan([named, other], { only: ["app"] });
    expect(stepsOf(plan)).toEqual([`delete manifest ${mirror.host}/app@: no mapping writes old`]);
    const lost = { ...other, from: `${source.host}/lost` };
    const none = await scene.plan([named, lost], { only: ["app"] });
    expect([none.steps, none.notes.length]).toEqual([[], 1]);
    expect(none.notes[0]!.message).toContain(`nothing does: ${source.host}/lost could not be read whole`);
    expect((await scene.plan([named, other], { only: ["other"] })).steps).toEqual([]);
  });

  test("where one of several sources has no tags any more", async () => {
    await both("one", "1.0");
    await old("two", "2.0");
    await putImage(source.store("emptied"), image("two"), "2.0");
    await source.store("emptied").deleteTag("2.0");
    const mapping = { ...app(), from: [`${source.host}/app`, `${source.host}/emptied`] };
    expect(await refusal(mapping)).toContain(`nothing does: ${source.host}/emptied has no tags any more`);
  });

  test("where the destination is the source itself", async () => {
    await both("one", "1.0");
    await putImage(source.store("app"), image("two"), "2.0");
    const mapping = { ...app(), to: `${source.host}/app`, tags: [{ include: ["1.*"] }] };
    expect(await refusal(mapping)).toContain("1 tag would go, and nothing does: it is a source, too");
  });

  test("where fewer tags are selected than have to be", async () => {
    await both("one", "1.0");
    await old("a");
    expect(await refusal({ ...app(), tags: [{ include: ["1.*"], atLeast: 2 }] })).toContain("could not be read whole");
  });

  test("where more would go than may, or less would stay than has to", async () => {
    await both("one", "1.0");
    await old("a", "b", "c");
    expect(await refusal(app({ maxDelete: 2 }))).toContain("3 tags would go, and nothing does: at most 2 of 4 may go");
    expect(await refusal(app({ maxDelete: "70%" }))).toContain("at most 70% of 4 may go");
    expect(await refusal(app({ atLeast: 2 }))).toContain("of 4, at least 2 have to stay");
    expect((await scene.plan(app({ maxDelete: "75%", atLeast: 1 }))).steps.length).toBe(3);
  });
});
