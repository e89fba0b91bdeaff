import * as fc from "fast-check";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Inventory } from "../../src/graph/inventory.ts";
import { subjectOfTag } from "../../src/graph/needed.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { readJournal } from "../../src/plan/journal.ts";
import type { CopyImage, SetTag, Step } from "../../src/plan/plan.ts";
import { parsePlan } from "../../src/plan/schema.ts";
import { planUndo } from "../../src/plan/undo.ts";
import type { Store } from "../../src/store/store.ts";
import { testRegistry } from "../cli/support.ts";
import { allOf } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { inProcess, type Place } from "./in-process.ts";
import { madeOf, pieces, putAll, tagNames, type Made } from "./pieces.ts";
import { applyWithJournal, deletionsBut, outcomes, planOf, stateOf, testClient } from "./scene.ts";

vi.setConfig({ testTimeout: 60_000 });

const now = new Date("2026-11-21T00:00:00Z");

/** A registry over a socket, through a client, with journals on the disk. */
async function overSocket(): Promise<Place> {
  const [{ host, store }, client, folder] = [await testRegistry(), testClient(), await temporaryDirectory()];
  return {
    host,
    store,
    inventory: (place) => client.inventory(place),
    apply: (plan, name) => applyWithJournal(client, plan, join(folder, name)),
    journal: (name) => readJournal(join(folder, name)),
  };
}

const digestsOf = (all: readonly Made[]): ReadonlySet<Digest> =>
  new Set(all.flatMap(({ image }) => allOf(image).map(({ manifest }) => manifest.descriptor.digest)));
const kept = fc.uniqueArray(fc.constantFrom(...tagNames), { maxLength: 2 });
const moves = fc.array(fc.record({ tag: fc.constantFrom("a", "b", "x", "y"), to: fc.nat() }), { maxLength: 3 });

test.each<readonly [string, number, () => Place | Promise<Place>]>([
  ["in this process", 100, inProcess],
  ["over a socket", 10, overSocket],
])("what is undone is as it was, byte for byte, and undoing that does it again: %s", async (_, numRuns, open) => {
  const registry = await open();
  let run = 0;
  const property = fc.asyncProperty(fc.record({ all: pieces.map(madeOf), kept, moves }), async (scene) => {
    run += 1;
    const [app, copy] = [`app${run}`, `copy${run}`];
    const [store, place] = [registry.store(app), `${registry.host}/${app}`];
    await putAll(store, scene.all);
    const inventory = await registry.inventory(place);
    const before = await stateOf(store, digestsOf(scene.all));
    const steps: Step[] = deletionsBut((tag) => scene.kept.includes(tag), inventory);
    const gone = new Set(steps.flatMap((step) => (step.do === "delete manifest" ? step.digest : [])));
    const stays = [...inventory.manifests.keys()].filter((digest) => !gone.has(digest));
    for (const [i, { tag, to }] of scene.moves.entries()) {
      const digest = stays[to % Math.max(1, stays.length)];
      const found = inventory.tags.get(tag) ?? null;
      const at = `${place}:${tag}`;
      if (!digest || digest === found || steps.some((one) => one.at === at)) continue;
      if (found !== null && !scene.kept.includes(tag)) continue;
      steps.push({ id: `move ${i}`, do: "tag", at, digest, before: found, why: "moves" } satisfies SetTag);
    }
    const [first] = stays;
    if (first) {
      const at = `${registry.host}/${copy}:1`;
      const step: CopyImage = {
        id: "copy",
        do: "copy",
        from: `${place}@${first}`,
        at,
        digest: first,
        before: null,
        why: "new",
        // Else it would be chance whether a signature that loses its tag goes along.
        after: steps.map(({ id }) => id),
      };
      steps.push(step);
    }
    const plan = planOf(steps);

    const applied = await registry.apply(plan, `${run} plan`);
    expect([...applied.endings.values()].filter(({ outcome }) => outcome !== "done")).toEqual([]);
    const after = await stateOf(store, digestsOf(scene.all));
    const again = await registry.apply(plan, `${run} plan`);
    expect(new Set(Object.values(outcomes(again)))).toEqual(new Set(steps.length > 0 ? ["already"] : []));
    expect(await stateOf(store, digestsOf(scene.all))).toEqual(after);

    if (steps.length === 0) return;
    const back = planUndo(await registry.journal(`${run} plan`), "journal", now);
    expect(parsePlan({ name: "undo", value: back })).toEqual(back);
    const undone = await registry.apply(back, `${run} undo`);
    expect([...undone.endings].filter(([, { outcome }]) => outcome !== "done" && outcome !== "already")).toEqual([]);
    expect(await stateOf(store, digestsOf(scene.all))).toEqual(before);
    expect((await stateOf(registry.store(copy), [])).tags).toEqual({});

    const forth = planUndo(await registry.journal(`${run} undo`), "journal", now);
    const redone = await registry.apply(forth, `${run} redo`);
    expect([...redone.endings].filter(([, { outcome }]) => outcome !== "done" && outcome !== "already")).toEqual([]);
    expect(await stateOf(store, digestsOf(scene.all))).toEqual(after);
  });
  await fc.assert(property, { numRuns });
});

/** Throws where a tag names what is not there whole. */
async function checkWhole(store: Store, made: ReadonlyMap<Digest, Made["image"]>): Promise<void> {
  for await (const tag of store.tags()) {
    const { digest } = (await store.head(tag))!;
    for (const { manifest } of allOf(made.get(digest)!)) {
      expect(await store.head(manifest.descriptor.digest), `${tag}: ${manifest.descriptor.digest}`).toBeDefined();
    }
  }
}

test("whatever tags are moved between plan and apply, they stay, each image whole; and what did go comes back", async () => {
  const registry = inProcess();
  let run = 0;
  const anyMoves = fc.array(fc.record({ tag: fc.constantFrom(...tagNames, "x"), to: fc.nat() }), {
    minLength: 1,
    maxLength: 4,
  });
  const property = fc.asyncProperty(fc.record({ all: pieces.map(madeOf), kept, moves: anyMoves }), async (scene) => {
    run += 1;
    const store = registry.store(`app${run}`);
    await putAll(store, scene.all);
    const inventory = await registry.inventory(`${registry.host}/app${run}`);
    const steps = deletionsBut((tag) => scene.kept.includes(tag), inventory);
    const made = new Map(
      scene.all.flatMap(({ image }) => allOf(image).map((one) => [one.manifest.descriptor.digest, one] as const)),
    );
    const all = [...made.values()];
    for (const { tag, to } of scene.moves) await store.putManifest(all[to % all.length]!.manifest, { tag });
    const before = await stateOf(store, made.keys());

    const { endings } = await registry.apply(planOf(steps), `${run} plan`);
    const after = await stateOf(store, made.keys());
    for (const [tag, digest] of Object.entries(before.tags)) {
      if (inventory.tags.get(tag) !== digest) expect(after.tags[tag]).toBe(digest);
    }
    expect([...endings.values()].filter(({ outcome }) => outcome === "failed" || outcome === "skipped")).toEqual([]);
    await checkWhole(store, made);

    if (steps.length === 0 || [...endings.values()].every(({ outcome }) => outcome === "stale")) return;
    await registry.apply(planUndo(await registry.journal(`${run} plan`), "journal", now), `${run} undo`);
    expect(await stateOf(store, made.keys())).toEqual(before);
  });
  await fc.assert(property, { numRuns: 100 });
});

/** Throws where an index is there without a part of it, or something attached is gone before its subject. */
function checkGraph({ manifests }: Inventory, there: ReadonlySet<string>): void {
  for (const held of manifests.values()) {
    if (there.has(held.digest)) {
      for (const part of held.children) expect(there).toContain(part);
      continue;
    }
    for (const subject of [held.subject, ...held.tags.map(subjectOfTag)]) expect(there).not.toContain(subject);
  }
}

test.each(["stays dead", "refuses some"] as const)(
  "a registry that %s half-way leaves no index without a part, and no image without what is attached; then all goes on",
  async (kind) => {
    let fails: (ref: string) => boolean = () => false;
    const registry = inProcess((ref) => {
      if (fails(ref)) throw new RegistryError(kind === "stays dead" ? "UNAVAILABLE" : "DENIED", "not now");
    });
    let [run, stopped] = [0, 0];
    const scene = fc.record({ all: pieces.map(madeOf), kept, at: fc.nat({ max: 8 }) });
    const property = fc.asyncProperty(scene, async ({ all, kept: keeps, at }) => {
      run += 1;
      const store = registry.store(`app${run}`);
      await putAll(store, all);
      const inventory = await registry.inventory(`${registry.host}/app${run}`);
      const plan = planOf(deletionsBut((tag) => keeps.includes(tag), inventory));
      const before = await stateOf(store, digestsOf(all));
      let count = 0;
      const dies = (): boolean => count++ >= at;
      const refuses = (ref: string): boolean => (ref.codePointAt(ref.length - 1)! + at) % 4 === 0;
      fails = kind === "stays dead" ? dies : refuses;
      const first = await registry.apply(plan, `${run} plan`);
      fails = () => false;
      const half = await stateOf(store, digestsOf(all));
      if (!first.complete) stopped += 1;
      checkGraph(inventory, new Set(Object.keys(half.manifests)));

      const second = await registry.apply(plan, `${run} plan`);
      expect(second.complete, JSON.stringify([...second.endings])).toBe(true);
      for (const step of plan.steps) {
        if (step.do === "delete manifest") expect(await store.head(step.digest)).toBeUndefined();
      }
      if (plan.steps.length === 0) return;
      const back = planUndo(await registry.journal(`${run} plan`), "journal", now);
      expect((await registry.apply(back, `${run} undo`)).complete).toBe(true);
      expect(await stateOf(store, digestsOf(all))).toEqual(before);
    });
    await fc.assert(property, { numRuns: 60 });
    expect(stopped).toBeGreaterThan(10);
  },
);

test("two that apply one plan at the same time do it once, whatever there is", async () => {
  const registry = inProcess();
  let run = 0;
  const property = fc.asyncProperty(fc.record({ all: pieces.map(madeOf), kept }), async ({ all, kept: keeps }) => {
    run += 1;
    const store = registry.store(`app${run}`);
    await putAll(store, all);
    const inventory = await registry.inventory(`${registry.host}/app${run}`);
    const plan = planOf(deletionsBut((tag) => keeps.includes(tag), inventory));
    const both = await Promise.all(["one", "other"].map((name) => registry.apply(plan, `${run} ${name}`)));
    for (const { complete, endings } of both) expect(complete, JSON.stringify([...endings])).toBe(true);
    const gone = new Set(plan.steps.flatMap((step) => (step.do === "delete manifest" ? [step.digest] : [])));
    const left = await stateOf(store, inventory.manifests.keys());
    expect(Object.keys(left.manifests).toSorted()).toEqual(
      [...inventory.manifests.keys()].filter((digest) => !gone.has(digest)).toSorted(),
    );
    expect(Object.keys(left.tags).every((tag) => !gone.has(inventory.tags.get(tag)!))).toBe(true);
  });
  await fc.assert(property, { numRuns: 60 });
});
