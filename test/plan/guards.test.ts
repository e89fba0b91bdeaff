import { expect, test } from "vitest";
import type { Inventory } from "../../src/graph/inventory.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { applyPlan, type Applied, type ApplyOptions, type Journal } from "../../src/plan/apply.ts";
import type { Hands } from "../../src/plan/hands.ts";
import type { DeleteManifest, DeleteTag, SetTag, Step } from "../../src/plan/plan.ts";
import { artifact, image, indexOf, putImage, type TestImage } from "../support/images.ts";
import { inProcess } from "./in-process.ts";
import { outcomes, planOf } from "./scene.ts";

const [one, two, three] = [image("one"), image("two"), image("three")];
const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;
const place = "registry.example/app";

const remove = (id: string, of: TestImage, tags: readonly string[], after?: readonly string[]): DeleteManifest => {
  const digest = digestIn(of);
  return { id, do: "delete manifest", at: `${place}@${digest}`, digest, tags, why: "old", ...(after && { after }) };
};
const removeTag = (id: string, tag: string, of: TestImage): DeleteTag => {
  return { id, do: "delete tag", at: `${place}:${tag}`, digest: digestIn(of), why: "old" };
};
const setTag = (id: string, tag: string, of: TestImage): SetTag => {
  return { id, do: "tag", at: `${place}:${tag}`, digest: digestIn(of), before: null, why: "new" };
};

/** A registry in this process, and hands over it of which some are others. */
function scene(others: (hands: Hands) => Partial<Hands> = () => ({}), onDelete?: (ref: string) => void) {
  const registry = inProcess(onDelete);
  const hands = { ...registry.hands, ...others(registry.hands) };
  return {
    app: registry.store("app"),
    apply: (steps: readonly Step[], options?: ApplyOptions): Promise<Applied> =>
      applyPlan(planOf(steps), hands, options),
  };
}

test("a tag that moves after the repository was read is left", async () => {
  const { app, apply } = scene((hands) => ({
    async inventory(...args) {
      const found = await hands.inventory(...args);
      await putImage(app, two, "1");
      return found;
    },
  }));
  await putImage(app, one, "1");
  const { endings } = await apply([removeTag("tag", "1", one)]);
  expect(endings.get("tag")).toEqual({ outcome: "stale", why: `${place}:1 names ${digestIn(two)} now` });
  expect((await app.head("1"))?.digest).toBe(digestIn(two));
});

test("a tag that goes by another hand at the last moment is gone, and that is no failure", async () => {
  const { app, apply } = scene((hands) => ({
    async deleteTag(...args) {
      await hands.deleteTag(...args);
      await hands.deleteTag(...args);
    },
  }));
  await putImage(app, one, "1");
  expect(outcomes(await apply([removeTag("tag", "1", one)]))).toEqual({ tag: "already" });
});

test("of what the registry told nothing of, nobody says that it is gone; and its parts stay", async () => {
  const index = indexOf([one, two]);
  const { app, apply } = scene((hands) => ({
    async *deleteManifests(at, digests, call) {
      const told = digests.filter((digest) => digest !== digestIn(index));
      yield* hands.deleteManifests(at, told, call);
    },
  }));
  await putImage(app, index, "1");
  await putImage(app, three, "2");
  const steps = [remove("index", index, ["1"]), remove("a", one, []), remove("b", two, []), remove("c", three, ["2"])];
  const applied = await apply(steps);
  expect(applied.endings.get("index")).toMatchObject({ outcome: "failed", why: "the registry told nothing of it" });
  expect(outcomes(applied)).toMatchObject({ a: "skipped", b: "skipped", c: "done" });
  for (const of of [index, one, two]) expect(await app.head(digestIn(of))).toBeDefined();
});

test("an index that could not go keeps its parts, also those whose turn comes later", async () => {
  const index = indexOf([one]);
  const note = artifact("note", one.manifest.descriptor);
  const { app, apply } = scene(undefined, (ref) => {
    if (ref === digestIn(index)) throw new RegistryError("DENIED", "it is locked");
  });
  await putImage(app, index, "1");
  await putImage(app, note);
  await putImage(app, two, "2");
  const steps = [
    remove("index", index, ["1"]),
    remove("other", two, ["2"]),
    remove("part", one, [], ["other"]),
    remove("note", note, [], ["other"]),
  ];
  expect(outcomes(await apply(steps))).toEqual({ index: "failed", other: "done", part: "stale", note: "stale" });
  for (const of of [index, one, note]) expect(await app.head(digestIn(of))).toBeDefined();
});

test("what is stopped at its last deletion ends as stopped, not as done", async () => {
  const stop = new AbortController();
  const { app, apply } = scene(() => ({
    async *deleteManifests() {
      stop.abort();
      yield { digest: digestIn(one), outcome: "failed" } as const;
    },
  }));
  await putImage(app, one, "1");
  await expect(apply([remove("a", one, ["1"])], { signal: stop.signal })).rejects.toThrow();
});

test("a registry that does not answer is not asked for each of very many tags that are to go", async () => {
  let asked = 0;
  const { app, apply } = scene(undefined, () => {
    asked += 1;
    throw new RegistryError("UNAVAILABLE", "not now");
  });
  const tags = Array.from({ length: 50 }, (_, i) => `t${i}`);
  await putImage(app, one);
  for (const tag of tags) await app.putManifest(one.manifest, { tag });
  const { endings } = await apply(
    tags.map((tag) => removeTag(tag, tag, one)),
    { jobs: 1 },
  );
  // One more may be under way when the tenth has failed.
  expect([10, 11]).toContain(asked);
  expect([...endings.values()].filter(({ outcome }) => outcome === "skipped")).toHaveLength(50 - asked);
});

test("a repository of which something cannot be read is not taken for empty", async () => {
  const unread: Inventory = {
    repository: place,
    manifests: new Map(),
    tags: new Map(),
    listsUntagged: false,
    gaps: [{ at: `${place}:1`, why: "503" }],
  };
  const { apply } = scene(() => ({ inventory: () => Promise.resolve(unread) }));
  const { endings } = await apply([{ id: "1", do: "delete repository", at: place, why: "it was created" }]);
  expect(endings.get("1")).toEqual({ outcome: "stale", why: `${place} is not empty` });
});

test("the journal is told of each step before it is done, and how each ended", async () => {
  const { app, apply } = scene();
  await putImage(app, one, "1");
  await putImage(app, two, "2");
  const lines: string[] = [];
  const journal: Journal = {
    async begin({ id }, { tag, tags }) {
      const isThere = (await app.head(id)) !== undefined;
      lines.push(`begin ${id}: ${isThere ? "there" : "not there"}, ${JSON.stringify(tag ?? tags ?? null)}`);
    },
    end: ({ id }, { outcome }) => void lines.push(`end ${id}: ${outcome}`),
  };
  const steps = [removeTag("1", "1", one), remove("2", two, ["2"], ["1"]), { ...setTag("3", "3", one), after: ["2"] }];
  await apply(steps, { journal });
  expect(lines).toEqual([
    `begin 1: there, "${digestIn(one)}"`,
    "end 1: done",
    'begin 2: there, ["2"]',
    "end 2: done",
    "begin 3: not there, null",
    "end 3: done",
  ]);
});

test("what was to be done when all was stopped is not even tried, though it was written down", async () => {
  const tried: string[] = [];
  const { app, apply } = scene(() => ({
    deleteTag: async (_place, tag) => void tried.push(tag),
    async *deleteManifests(_place, digests) {
      tried.push(...digests);
      yield* [];
    },
  }));
  await putImage(app, one, "1");
  await putImage(app, two, "2");
  for (const step of [removeTag("tag", "1", one), remove("manifest", two, ["2"])]) {
    const stop = new AbortController();
    const journal: Journal = { begin: async () => stop.abort(), end: () => {} };
    await expect(apply([step], { journal, signal: stop.signal })).rejects.toThrow();
  }
  expect(tried).toEqual([]);
});

test("when all is done, all places that were written to have it on their disks", async () => {
  const flushed: string[] = [];
  const { app, apply } = scene((hands) => ({
    open(at) {
      const spot = hands.open(at);
      return {
        ...spot,
        store: { ...spot.store, flush: async () => void flushed.push(`${spot.place}: ${[...tags].join()}`) },
      };
    },
  }));
  const tags = new Set<string>();
  await putImage(app, one, "1");
  await apply([setTag("new", "2", one)], { onEvent: (event) => event.type === "step" && tags.add(event.step.id) });
  expect(new Set(flushed)).toEqual(new Set([`${place}: new`]));
});
