import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { subjectOfTag } from "../../../src/graph/needed.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { isDeletion, type Plan } from "../../../src/plan/plan.ts";
import { lifecycleDialects, type LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { planRetention } from "../../../src/policy/retain/plan-retention.ts";
import { sceneOf } from "./arbitraries.ts";
import { retention } from "../../cli/lifecycle-scene.ts";
import { applied, digest, inventory, now, type Sketch } from "./scene.ts";

const plan = (dialect: LifecycleDialect, document: unknown, from: Inventory): Plan =>
  planRetention({ dialect, document }, { inventories: [from], allowEmpty: true }, now);

/** Plans and applies until there is nothing to do: what was there before each plan, and the plan. Each leaves less. */
function runsOf(dialect: LifecycleDialect, document: unknown, first: Inventory) {
  const runs: { readonly from: Inventory; readonly plan: Plan }[] = [];
  for (let from = first; ;) {
    const next = plan(dialect, document, from);
    if (next.steps.length === 0) return runs;
    runs.push({ from, plan: next });
    const left = applied(from, next.steps);
    expect(left.manifests.size + left.tags.size).toBeLessThan(from.manifests.size + from.tags.size);
    from = left;
  }
}

const isPlain = (tag: string): boolean => subjectOfTag(tag) === undefined;
const subjectsOf = ({ subject, tags }: Held): Digest[] => [
  ...(subject ? [subject] : []),
  ...tags.flatMap((tag) => subjectOfTag(tag) ?? []),
];

/** What a service has of a repository: images and their parts, however deep; what is attached is nothing to it. */
function listedBy(dialect: LifecycleDialect, { manifests, tags: named }: Inventory): readonly LifecycleImage[] {
  const all = [...manifests.values()];
  const parts = new Set(all.flatMap(({ children }) => children));
  const isTop = (held: Held): boolean => {
    const subjects = subjectsOf(held);
    if (held.tags.some(isPlain)) return true;
    if (parts.has(held.digest)) return false;
    if (subjects.length === 0) return true;
    return dialect === "zot" && !subjects.some((one) => manifests.has(one));
  };
  const listed = new Set(all.filter(isTop));
  for (const { children } of listed) {
    for (const child of children) if (manifests.has(child)) listed.add(manifests.get(child)!);
  }
  const byTag = ["gitlab", "quay", "zot"].includes(dialect);
  const text = (time: number): string => new Date(time).toISOString();
  return [...listed].flatMap((held): LifecycleImage[] => {
    // In the repository's order: of tags that are equally old, a count takes the later ones.
    const tags = [...named].flatMap(([tag, at]) => (at === held.digest && isPlain(tag) ? [tag] : []));
    // Of parts, what an image's index was pulled for counts for it.
    const pulls = [held, ...held.children.flatMap((child) => manifests.get(child) ?? [])].flatMap(
      ({ pulled }) => pulled ?? [],
    );
    const [subject] = subjectsOf(held);
    const image: LifecycleImage = {
      digest: held.digest,
      tags,
      ...(parts.has(held.digest) && { isPart: true }),
      pushed: text(held.pushed!),
      ...(subject && { subject }),
      ...(pulls.length > 0 && { pulled: text(Math.max(...pulls)) }),
      ...(held.immutable && { immutable: true }),
    };
    return byTag && tags.length > 1 ? tags.map((tag) => ({ ...image, tags: [tag] })) : [image];
  });
}

/** The tags, and the digests of images without one, that the service would delete now. */
function deletedBy(dialect: LifecycleDialect, document: unknown, from: Inventory): ReadonlySet<string> {
  const decisions = simulateLifecycle(dialect, document, listedBy(dialect, from), {
    now: now.getTime(),
    repository: "app",
  });
  const deleted = decisions.filter(({ action }) => action === "delete");
  return new Set(deleted.flatMap(({ image }) => (image.tags.length > 0 ? image.tags : [image.digest!])));
}

/** Whether something that stays is another thing to a service than before: no part of an index any more, or without a name. */
function changes(from: Inventory, left: Inventory): boolean {
  const partsIn = ({ manifests }: Inventory): ReadonlySet<Digest> =>
    new Set([...manifests.values()].flatMap(({ children }) => children));
  const [before, after] = [partsIn(from), partsIn(left)];
  const isNamed = ({ tags }: Held): boolean => tags.some(isPlain);
  return [...left.manifests.values()].some(
    (one) =>
      (before.has(one.digest) && !after.has(one.digest)) || (isNamed(from.manifests.get(one.digest)!) && !isNamed(one)),
  );
}

/** They look at tags alone, or at nothing that has one: with nothing that goes does anything else change. */
const settled: readonly LifecycleDialect[] = ["acr", "gitlab", "quay"];

describe.each(lifecycleDialects)("a document of %s", (dialect) => {
  const scene = sceneOf(dialect);

  test("takes what its service would take and what belongs to that, run after run, until there is nothing to do", () => {
    fc.assert(
      fc.property(scene, ({ document, inventory: first }) => {
        for (const {
          from,
          plan: { steps },
        } of runsOf(dialect, document, first)) {
          const deleted = deletedBy(dialect, document, from);
          const gone = new Set(steps.flatMap((step) => (step.do === "delete manifest" ? [step.digest] : [])));
          const parts = new Set([...gone].flatMap((one) => from.manifests.get(one)!.children));
          for (const step of steps.filter(isDeletion)) {
            const held = from.manifests.get(step.digest)!;
            const tags = step.do === "delete tag" ? [step.at.split(":").at(-1)!] : held.tags.filter(isPlain);
            const belongs = parts.has(held.digest) || subjectsOf(held).some((one) => gone.has(one));
            const wanted = tags.length > 0 || belongs ? tags : [held.digest];
            for (const one of wanted) expect(deleted).toContain(one);
          }
        }
      }),
    );
  });

  const unless = settled.includes(dialect) ? "" : ", unless that made a part an image of its own, or took a last tag";
  test(`is done in one run, but for the last tags of what is needed${unless}`, () => {
    fc.assert(
      fc.property(scene, ({ document, inventory: first }) => {
        const [run, ...more] = runsOf(dialect, document, first);
        if (!run || (unless && changes(run.from, applied(run.from, run.plan.steps)))) return;
        // Another of its tags can go next time, where fewer count.
        if (run.plan.kept.some(({ why }) => why.startsWith("with its last tag the image would go"))) return;
        expect(more).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("what a second run takes, as the service would", () => {
  const everyDay = { countType: "sinceImagePushed", countUnit: "days", countNumber: 1 };
  const rule = { rulePriority: 1, selection: { tagStatus: "any", ...everyDay }, action: { type: "expire" } };
  const always = { ...retention.rules[0]!, template: "always", params: {} };
  const only = (pattern: string): object => [{ kind: "doublestar", decoration: "matches", pattern }];
  const newest = { ...retention.rules[0]!, params: { latestPushedK: 1 } };
  const multi: Readonly<Record<string, Sketch>> = {
    index: { tags: ["v1"], age: 3, children: ["part"] },
    part: { tags: ["v1-amd64"], age: 3 },
    new: { tags: ["v2"], age: 0 },
  };

  test.each<readonly [string, LifecycleDialect, unknown, Readonly<Record<string, Sketch>>, readonly string[][]]>([
    [
      // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageFailure.html, ImageReferencedByManifestList
      "ECR refuses to delete a part with a tag while its index is there",
      "ecr",
      { rules: [rule] },
      multi,
      [["v1"], ["v1-amd64"]],
    ],
    [
      // GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE: https://github.com/GoogleCloudPlatform/gcr-cleaner/issues/118
      "so does Artifact Registry",
      "artifact-registry",
      { cleanupPolicies: { old: { id: "old", action: "DELETE", condition: { olderThan: "86400s" } } } },
      multi,
      [["v1"], ["v1-amd64"]],
    ],
    [
      // https://github.com/goharbor/harbor, src/controller/artifact/controller.go, deleteDeeply: "referenced by others"
      "and Harbor",
      "harbor",
      { ...retention, rules: [{ ...always, tag_selectors: only("v2") }] },
      multi,
      [["v1"], ["v1-amd64"]],
    ],
    [
      // src/pkg/artifact/dao/dao.go lists what has a tag or is no part: without its index, a part takes a place.
      "with Harbor, an image loses its place to a part that stays, as a kept artifact needs it, when the index is gone",
      "harbor",
      { ...retention, rules: [newest, { ...always, tag_selectors: only("sbom") }] },
      {
        index: { tags: ["v1"], age: 3, children: ["part"] },
        part: { age: 0 },
        sbom: { tags: ["sbom"], age: 9, subject: "part" },
        new: { tags: ["v2"], age: 1 },
      },
      [["v1"], ["v2"]],
    ],
    [
      // https://github.com/project-zot/zot, pkg/storage/gc/gc.go: parts are skipped when manifests without tags go, but are among
      // those that GetRetainedUntaggedFromMetaDB counts.
      "with zot, an image without a tag loses its place to a part whose last tag went",
      "zot",
      {
        policies: [
          { repositories: ["**"], keepTags: [{ patterns: ["^v"] }], keepUntagged: { mostRecentlyPushedCount: 1 } },
        ],
      },
      {
        index: { tags: ["v1"], age: 3, children: ["part"] },
        part: { tags: ["amd64"], age: 3 },
        bare: { age: 9 },
      },
      [["amd64"], ["bare"]],
    ],
  ])("%s", (_, dialect, document, sketches, expected) => {
    const names = new Map(Object.keys(sketches).map((name) => [digest(name), name]));
    const runs = runsOf(dialect, document, inventory(sketches)).map(({ plan: { steps } }) =>
      steps.filter(isDeletion).flatMap((step) => {
        if (step.do === "delete tag") return [step.at.split(":").at(-1)!];
        return step.tags.length > 0 ? step.tags : [names.get(step.digest)!];
      }),
    );
    expect(runs).toEqual(expected);
  });

  test("with Quay, both last tags of what is needed stay, and one of them goes next time", () => {
    const policies = [
      { method: "number_of_tags", value: 2 },
      { method: "creation_date", value: "1d", tagPattern: "^v.*$", tagPatternMatches: false },
    ];
    const sketches = {
      image: { age: 3 },
      signature: { tags: ["v1.0", "latest"], age: 2, subject: "image" },
      new: { tags: ["a"], age: 1.5 },
    };
    const from = inventory(sketches, { tagDeletion: "takes the image along" });
    const ats = runsOf("quay", { policies }, from).map(({ plan: { steps } }) =>
      steps.map(({ at }) => at.split("/")[1]),
    );
    expect(ats).toEqual([[`app@${digest("new")}`], ["app:latest"]]);
  });
});
