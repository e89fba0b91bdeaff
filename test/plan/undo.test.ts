import { describe, expect, test } from "vitest";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import type { JournalRecord, Try } from "../../src/plan/journal-lines.ts";
import type { Step } from "../../src/plan/plan.ts";
import { parsePlan } from "../../src/plan/schema.ts";
import { planUndo } from "../../src/plan/undo.ts";
import { image, twoPlatforms, type TestImage } from "../support/images.ts";
import { planOf } from "./scene.ts";

const now = new Date("2026-11-21T00:00:00Z");

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

  test("of a directory or an archive, nothing; that is named", () => {
    const copyTo = (id: string, place: string): Step => ({
      ...common,
      id,
      do: "copy",
      from: at(fresh),
      at: place,
      before: null,
    });
    const { steps, notes } = undoOf(
      [copyTo("1", "oci:layout:1"), { before: { tag: null }, outcome: "done" }],
      [copyTo("2", "oci-archive:a.tar:1"), { before: { tag: null }, outcome: "done" }],
      [copyTo("3", "dir:image"), { before: { existed: false }, outcome: "done" }],
      [copyTo("4", "dir:there"), { before: { existed: true }, outcome: "done" }],
    );
    expect(steps.map(({ do: what, at: place }) => [what, place])).toEqual([["delete tag", "oci:layout:1"]]);
    expect(notes).toEqual([
      { level: "warning", at: "dir:image", message: expect.stringContaining("remove it") },
      { level: "warning", at: "oci-archive:a.tar:1", message: expect.stringContaining("into a new one") },
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
