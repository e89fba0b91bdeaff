import * as fc from "fast-check";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { readJournal } from "../../src/plan/journal.ts";
import type { JournalRecord, Try } from "../../src/plan/journal-lines.ts";
import type { CopyImage, SetTag, Step } from "../../src/plan/plan.ts";
import { parsePlan } from "../../src/plan/schema.ts";
import { planUndo } from "../../src/plan/undo.ts";
import { testRegistry } from "../cli/support.ts";
import { image, twoPlatforms, type TestImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import {
  applyWithJournal,
  deletionsBut,
  imagesOf,
  outcomes,
  pieces,
  planOf,
  put,
  stateOf,
  testClient,
} from "./scene.ts";

const now = new Date("2026-11-21T00:00:00Z");

test("what is undone is as it was, byte for byte, and undoing that does it again", async () => {
  const [registry, client, folder] = [await testRegistry(), testClient(), await temporaryDirectory()];
  let run = 0;
  const scene = fc.record({
    all: pieces,
    kept: fc.uniqueArray(fc.constantFrom<string[]>("a", "b", "c", "d", "e", "f"), { maxLength: 2 }),
    moves: fc.array(fc.record({ tag: fc.constantFrom("a", "b", "x", "y"), to: fc.nat() }), { maxLength: 3 }),
  });
  const property = fc.asyncProperty(scene, async ({ all, kept, moves }) => {
    run += 1;
    const [store, other] = [registry.store(`app${run}`), registry.store(`copy${run}`)];
    await put(store, all);
    const inventory = await client.inventory(`${registry.host}/app${run}`);
    const digests = new Set<Digest>(imagesOf(all).map((one) => one.manifest.descriptor.digest));
    const before = await stateOf(store, digests);
    const steps: Step[] = deletionsBut((tag) => kept.includes(tag), inventory);
    const stays = [...inventory.manifests.keys()].filter(
      (digest) => !steps.some((one) => "digest" in one && one.digest === digest),
    );
    for (const [i, { tag, to }] of moves.entries()) {
      const digest = stays[to % Math.max(1, stays.length)];
      const found = inventory.tags.get(tag) ?? null;
      const at = `${registry.host}/app${run}:${tag}`;
      if (!digest || digest === found || steps.some((one) => one.at === at)) continue;
      if (found !== null && !kept.includes(tag)) continue;
      steps.push({ id: `move ${i}`, do: "tag", at, digest, before: found, why: "moves" } satisfies SetTag);
    }
    const [first] = stays;
    if (first) {
      const [from, at] = [`${registry.host}/app${run}@${first}`, `${registry.host}/copy${run}:1`];
      steps.push({ id: "copy", do: "copy", from, at, digest: first, before: null, why: "new" } satisfies CopyImage);
    }
    const plan = planOf(steps);
    const journal = (name: string): string => join(folder, `${run}-${name}.jsonl`);

    const applied = await applyWithJournal(client, plan, journal("plan"));
    expect([...applied.endings.values()].filter(({ outcome }) => outcome !== "done")).toEqual([]);
    const after = await stateOf(store, digests);
    const again = await applyWithJournal(client, plan, journal("plan"));
    expect(new Set(Object.values(outcomes(again)))).toEqual(new Set(steps.length > 0 ? ["already"] : []));
    expect(await stateOf(store, digests)).toEqual(after);

    if (steps.length === 0) return;
    const back = planUndo(await readJournal(journal("plan")), "journal", now);
    expect(parsePlan({ name: "undo", value: back })).toEqual(back);
    const undone = await applyWithJournal(client, back, journal("undo"));
    expect([...undone.endings].filter(([, { outcome }]) => outcome !== "done" && outcome !== "already")).toEqual([]);
    expect(await stateOf(store, digests)).toEqual(before);
    expect((await stateOf(other, [])).tags).toEqual({});

    const forth = planUndo(await readJournal(journal("undo")), "journal", now);
    const redone = await applyWithJournal(client, forth, journal("redo"));
    expect([...redone.endings].filter(([, { outcome }]) => outcome !== "done" && outcome !== "already")).toEqual([]);
    expect(await stateOf(store, digests)).toEqual(after);
  });
  await fc.assert(property, { numRuns: 25 });
});

const app = twoPlatforms("app");
const [old, fresh] = [image("old"), image("fresh")];
const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;
const at = (of: TestImage): string => `registry.example/app@${digestIn(of)}`;
const savedOf = ({ manifest: { descriptor, bytes } }: TestImage) => ({
  digest: descriptor.digest,
  mediaType: descriptor.mediaType,
  bytes: Buffer.from(bytes).toString("base64"),
});

type Tried = readonly [step: Step, ...tries: Try[]];

function recordOf(steps: readonly Tried[]): JournalRecord {
  const header = {
    line: "plan",
    version: 1,
    digest: digestOf(Buffer.from("")),
    kind: "retain",
    made: "2026-11-20T14:05:00Z",
  };
  return { ...header, steps: steps.map(([step, ...tries]) => ({ step, tries })) } as JournalRecord;
}

const undoOf = (...steps: readonly Tried[]) => planUndo(recordOf(steps), "journal", now);

describe("what takes a step back", () => {
  const tag = "registry.example/app:1";
  const common = { why: "why", at: tag, digest: digestIn(fresh) } as const;
  const cases: Readonly<Record<string, readonly [Step, Try, readonly Partial<Step>[]]>> = {
    "a new tag": [
      { ...common, id: "1", do: "tag", before: null },
      { before: { tag: null }, outcome: "done" },
      [{ do: "delete tag", at: tag, digest: digestIn(fresh) }],
    ],
    "a tag that moved": [
      { ...common, id: "1", do: "tag", before: digestIn(old) },
      { before: { tag: digestIn(old) }, outcome: "done" },
      [{ do: "tag", at: tag, digest: digestIn(old), before: digestIn(fresh) }],
    ],
    "a tag that was to move when all was stopped": [
      { ...common, id: "1", do: "tag", before: digestIn(old) },
      { before: { tag: digestIn(old) } },
      [{ do: "tag", at: tag, digest: digestIn(old), before: digestIn(fresh) }],
    ],
    "what was stale": [
      { ...common, id: "1", do: "tag", before: digestIn(old) },
      { before: { tag: digestIn(old) }, outcome: "stale" },
      [],
    ],
    "a tag that lost its last manifest": [
      { ...common, id: "1", do: "tag", before: digestIn(old) },
      { before: { tag: digestIn(old), manifest: savedOf(old) }, outcome: "done" },
      [
        { id: "manifest 1", do: "restore", at: at(old), tags: [] },
        { id: "undo 1", do: "tag", after: ["manifest 1"] },
      ],
    ],
    "a copy of some platforms": [
      { ...common, id: "1", do: "copy", from: at(app), before: null, platforms: ["linux/amd64"] },
      { before: { tag: null }, outcome: "done", digest: digestIn(app) },
      [{ do: "delete tag", at: tag, digest: digestIn(app) }],
    ],
    "a copy by digest": [
      { ...common, id: "1", do: "copy", at: at(fresh), from: at(fresh) },
      { before: { existed: false }, outcome: "done" },
      [{ do: "delete manifest", at: at(fresh), digest: digestIn(fresh), tags: [] }],
    ],
    "a copy of what was there": [
      { ...common, id: "1", do: "copy", at: at(fresh), from: at(fresh) },
      { before: { existed: true }, outcome: "done" },
      [],
    ],
    "a new repository": [
      { id: "1", do: "create repository", at: "registry.example/app", why: "new" },
      { before: {}, outcome: "done" },
      [{ do: "delete repository", at: "registry.example/app" }],
    ],
    "a repository that was there": [
      { id: "1", do: "create repository", at: "registry.example/app", why: "new" },
      { before: {}, outcome: "already" },
      [],
    ],
    immutability: [
      {
        id: "1",
        do: "set immutability",
        at: "registry.example/app",
        why: "safe",
        tags: "immutable",
        except: ["latest"],
      },
      { before: { immutability: { tags: "mutable" } }, outcome: "done" },
      [{ do: "set immutability", tags: "mutable", before: { tags: "immutable", except: ["latest"] } }],
    ],
    "what came back without its manifest": [
      {
        ...common,
        id: "1",
        do: "restore",
        at: at(old),
        digest: digestIn(old),
        mediaType: "a/b",
        manifest: "",
        tags: ["x", "y"],
      },
      { before: { existed: true, tags: ["x", "y"] }, outcome: "done" },
      [
        { id: "undo 1", do: "delete tag", at: "registry.example/app:x", digest: digestIn(old) },
        { id: "undo 1 (2)", do: "delete tag", at: "registry.example/app:y", digest: digestIn(old) },
      ],
    ],
  };

  test.each(Object.entries(cases))("%s", (_, [step, tried, steps]) => {
    expect(undoOf([step, tried])).toMatchObject({ kind: "undo", made: now.toISOString(), steps, notes: [] });
    expect(undoOf([step, tried]).steps).toHaveLength(steps.length);
  });

  test("what nobody can take back is named", () => {
    const copy: Step = { ...common, id: "1", do: "copy", from: at(app), before: null, platforms: ["linux/amd64"] };
    const attached: Step = { ...common, id: "2", do: "attach", at: at(app), artifactType: "a/b", document: {} };
    const rules: Step = { id: "3", do: "set immutability", at: "registry.example/app", why: "safe", tags: "immutable" };
    const { steps, notes } = undoOf(
      [copy, { before: { tag: null } }],
      [attached, { before: {} }],
      [rules, { before: {} }],
    );
    expect(steps).toEqual([]);
    expect(notes.map(({ level, at: place }) => [level, place])).toEqual([
      ["warning", "registry.example/app"],
      ["info", at(app)],
      ["warning", tag],
    ]);
  });

  test("last things first: children before their index, and what came in its place goes before what was there", () => {
    const [child] = app.children;
    const gone = (id: string, of: TestImage, tags: readonly string[]): readonly [Step, Try] => [
      { id, do: "delete manifest", at: at(of), digest: digestIn(of), tags, why: "old" },
      { before: { manifest: savedOf(of), tags }, outcome: "done" },
    ];
    const copy: Step = { ...common, id: "3", do: "copy", from: at(fresh), before: null, after: ["1"] };
    const { steps } = undoOf(gone("1", app, ["1"]), gone("2", child!, []), [copy, { before: { tag: null } }]);
    expect(steps.map(({ id, after }) => [id, after])).toEqual([
      ["undo 2", undefined],
      ["undo 3", undefined],
      ["undo 1", ["undo 3", "undo 2"]],
    ]);
  });

  test("of several tries, the first counts, and the tags of all", () => {
    const step: Step = {
      id: "1",
      do: "delete manifest",
      at: at(old),
      digest: digestIn(old),
      tags: ["a", "b"],
      why: "old",
    };
    const { steps } = undoOf([
      step,
      { before: { manifest: savedOf(old), tags: ["a", "b"] } },
      { before: { manifest: savedOf(old), tags: ["b"] }, outcome: "done" },
    ]);
    expect(steps).toMatchObject([{ do: "restore", tags: ["a", "b"] }]);
  });

  test("steps that come after each other in a circle still come to an end", () => {
    const step = (id: string, after: string): Step => ({ ...common, id, do: "tag", before: null, after: [after] });
    const { steps } = undoOf([step("1", "2"), { before: { tag: null } }], [step("2", "1"), { before: { tag: null } }]);
    expect(steps.map(({ id }) => id).toSorted()).toEqual(["undo 1", "undo 2"]);
    expect(() => parsePlan({ name: "undo", value: planOf(steps, { kind: "undo" }) })).not.toThrow();
  });

  test("a manifest that somebody changed is refused", () => {
    const step: Step = { id: "1", do: "delete manifest", at: at(old), digest: digestIn(old), tags: [], why: "old" };
    const manifest = { ...savedOf(fresh), digest: digestIn(old) };
    expect(() => undoOf([step, { before: { manifest, tags: [] } }])).toThrow("the journal was changed: of its step 1,");
  });
});
