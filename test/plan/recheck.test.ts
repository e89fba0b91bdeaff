import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Gap, Held, Inventory } from "../../src/graph/inventory.ts";
import { needed, subjectOfTag } from "../../src/graph/needed.ts";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { deletionWaves, recheckDeletions } from "../../src/plan/recheck.ts";
import type { DeleteManifest, DeleteTag } from "../../src/plan/plan.ts";
import { deletionsBut } from "./scene.ts";

const repository = "registry.example/app";
const digestFor = (n: number): Digest => digestOf(Buffer.from(String(n)));

type Node = Partial<Pick<Held, "children" | "subject" | "tags">>;

function inventoryOf(nodes: readonly Node[], gaps: readonly Gap[] = []): Inventory {
  const all = nodes.map((node, i): Held => {
    const digest = digestFor(i);
    return { digest, mediaType: "application/json", size: 1, blobs: [], children: [], tags: [], ...node };
  });
  const tags = new Map(all.flatMap(({ digest, tags: its }) => its.map((tag) => [tag, digest] as const)));
  return { repository, manifests: new Map(all.map((one) => [one.digest, one])), tags, listsUntagged: true, gaps };
}

const manifestStep = (n: number, tags: readonly string[] = []): DeleteManifest => ({
  id: `m${n}`,
  do: "delete manifest",
  at: `${repository}@${digestFor(n)}`,
  digest: digestFor(n),
  tags,
  why: "old",
});
const tagStep = (tag: string, n: number): DeleteTag => ({
  id: `t${tag}`,
  do: "delete tag",
  at: `${repository}:${tag}`,
  digest: digestFor(n),
  why: "old",
});
const verdictsOf = (...[steps, inventory, options]: Parameters<typeof recheckDeletions>) =>
  Object.fromEntries(
    [...recheckDeletions(steps, inventory, options)].map(([id, verdict]) => [id, Object.values(verdict).join(": ")]),
  );

test("what the plan expects goes", () => {
  const steps = [manifestStep(0, ["a"]), manifestStep(1), tagStep("b", 2)];
  const inventory = inventoryOf([{ tags: ["a"], children: [digestFor(1)] }, {}, { tags: ["b", "c"] }]);
  expect(verdictsOf(steps, inventory)).toEqual({ m0: "go", m1: "go", tb: "go" });
});

test("what is not there was done already", () => {
  expect(verdictsOf([manifestStep(7), tagStep("a", 7)], inventoryOf([{}]))).toEqual({ m7: "already", ta: "already" });
});

test("a tag that names something else now is left alone", () => {
  expect(verdictsOf([tagStep("a", 1)], inventoryOf([{ tags: ["a"] }, {}]))).toEqual({
    ta: `stale: ${repository}:a names ${digestFor(0)} now`,
  });
});

test("a manifest that got a tag since stays, with its parts and what is attached to it", () => {
  const inventory = inventoryOf([{ tags: ["a", "new"], children: [digestFor(1)] }, {}, { subject: digestFor(0) }]);
  const verdicts = verdictsOf([manifestStep(0, ["a"]), manifestStep(1), manifestStep(2)], inventory);
  expect(verdicts).toEqual({
    m0: "stale: it has the tag new, which the plan does not know of",
    m1: `stale: it is needed: a part of the index ${digestFor(0)}`,
    m2: `stale: it is needed: attached to ${digestFor(0)}`,
  });
});

test("parts of an index that came since stay", () => {
  const inventory = inventoryOf([{}, { tags: ["new"], children: [digestFor(0)] }]);
  expect(verdictsOf([manifestStep(0)], inventory)).toEqual({
    m0: `stale: it is needed: a part of the index ${digestFor(1)}`,
  });
});

test("nothing goes where something cannot be read", () => {
  const inventory = inventoryOf([{ tags: ["a"] }], [{ at: `${repository}:broken`, why: "500" }]);
  const why = `stale: ${repository}:broken cannot be read, so that nobody knows what it needs: 500`;
  expect(verdictsOf([manifestStep(0, ["a"]), tagStep("a", 0)], inventory)).toEqual({ m0: why, ta: why });
});

test("what is protected stays, with all it needs, whether it is listed or not", () => {
  const inventory = inventoryOf([{ tags: ["a"], children: [digestFor(1)] }, {}]);
  const protectedRoots = [0, 7].map((n) => ({ digest: digestFor(n), why: "protected by a" }));
  const steps = [manifestStep(0, ["a"]), manifestStep(1), tagStep("a", 0), manifestStep(7)];
  expect(verdictsOf(steps, inventory, { protectedRoots })).toEqual({
    m0: "stale: protected by a",
    m1: `stale: it is needed: a part of the index ${digestFor(0)}`,
    ta: "stale: protected by a",
    m7: "stale: protected by a",
  });
});

test("where an image goes with its last tag, that stays for what needs the image", () => {
  const inventory = inventoryOf([{ tags: ["a", "b"] }, { tags: ["index"], children: [digestFor(0)] }]);
  const both = [tagStep("a", 0), tagStep("b", 0)];
  expect(verdictsOf(both, inventory)).toEqual({ ta: "go", tb: "go" });
  const why = `stale: with its last tag the image would go, and it is needed: a part of the index ${digestFor(1)}`;
  const taking = { ...inventory, tagDeletion: "takes the image along" } as const;
  expect(verdictsOf(both, taking)).toEqual({ ta: why, tb: why });
  expect(verdictsOf([both[0]!], taking)).toEqual({ ta: "go" });
});

const graphs = fc
  .array(
    fc.record({
      children: fc.array(fc.nat({ max: 11 }), { maxLength: 3 }),
      subject: fc.option(fc.nat({ max: 11 })),
      tags: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 2 }),
      attachedTo: fc.option(fc.nat({ max: 11 }), { freq: 5 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((nodes) => {
    const taken = new Set<string>();
    return inventoryOf(
      nodes.map(({ children, subject, tags, attachedTo }, i) => {
        const below = (n: number): boolean => n < i;
        const digestTag = attachedTo !== null && below(attachedTo) ? [digestFor(attachedTo).replace(":", "-")] : [];
        const free = [...tags, ...digestTag].filter((tag) => !taken.has(tag));
        free.forEach((tag) => taken.add(tag));
        return {
          children: children.filter(below).map(digestFor),
          ...(subject !== null && below(subject) && { subject: digestFor(subject) }),
          tags: free,
        };
      }),
    );
  });
const picks = fc.array(
  fc.record({ n: fc.nat({ max: 11 }), tags: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e")) }),
);

test("whatever a plan says, nothing goes that something not in the plan needs", () => {
  fc.assert(
    fc.property(graphs, picks, fc.boolean(), (graph, planned, taking) => {
      const inventory: Inventory = { ...graph, ...(taking && { tagDeletion: "takes the image along" }) };
      const steps = [...new Map(planned.map(({ n, tags }) => [n, manifestStep(n, tags)])).values()];
      const tags = [...inventory.tags]
        .filter((_, i) => planned[i])
        .map(([tag, digest], i) => ({ ...tagStep(tag, 0), digest, id: `t${i}` }));
      const verdicts = recheckDeletions([...steps, ...tags], inventory);
      const goes = ({ id }: { readonly id: string }): boolean => verdicts.get(id)!.verdict === "go";
      const gone = new Set(steps.filter(goes).map(({ digest }) => digest));
      const roots = [...inventory.manifests.keys()]
        .filter((digest) => !gone.has(digest))
        .map((digest) => ({ digest, why: "" }));
      for (const digest of needed(inventory, roots).keys()) expect(gone.has(digest)).toBe(false);
      for (const { digest, tags: known } of steps.filter(goes)) {
        expect(known).toEqual(expect.arrayContaining([...inventory.manifests.get(digest)!.tags]));
      }
    }),
  );
});

test("a plan made a moment ago goes whole", () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.constantFrom<string[]>("a", "b", "c", "d", "e")), (inventory, kept) => {
      const steps = deletionsBut((tag) => kept.includes(tag), inventory);
      const verdicts = recheckDeletions(steps, inventory);
      expect([...verdicts.values()].filter(({ verdict }) => verdict !== "go")).toEqual([]);
    }),
  );
});

test("deletions that stop half-way leave no index without its parts and nothing attached to what is gone before it", () => {
  fc.assert(
    fc.property(graphs, fc.array(fc.constantFrom<string[]>("a", "b", "c", "d", "e")), (inventory, kept) => {
      const going = deletionsBut((tag) => kept.includes(tag), inventory).flatMap((step) =>
        step.do === "delete manifest" ? [step.digest] : [],
      );
      const waves = deletionWaves(going, inventory);
      expect(waves.flat().toSorted()).toEqual(going.toSorted());
      const gone = new Set<Digest>();
      for (const wave of waves) {
        wave.forEach((digest) => gone.add(digest));
        for (const { digest, children } of inventory.manifests.values()) {
          if (!gone.has(digest)) expect(children.filter((child) => gone.has(child))).toEqual([]);
        }
        for (const { digest, subject, tags } of inventory.manifests.values()) {
          const subjects = [subject, ...tags.map(subjectOfTag)].filter((one) => one !== undefined && one !== digest);
          if (gone.has(digest)) expect(subjects.filter((one) => !gone.has(one!))).toEqual([]);
        }
      }
    }),
  );
});
