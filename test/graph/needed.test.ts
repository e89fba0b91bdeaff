import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Inventory } from "../../src/graph/inventory.ts";
import { needed, subjectOfTag, type Root } from "../../src/graph/needed.ts";
import { readInventory } from "../../src/graph/read-inventory.ts";
import { digestOf, type Digest } from "../../src/oci/digest.ts";
import { recheckDeletions } from "../../src/plan/recheck.ts";
import type { DeleteManifest } from "../../src/plan/plan.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { disasters } from "./disasters.ts";
import { anyInventory, digest, inventoryOf, someOf, type Sketch } from "./inventories.ts";

const roots = (...digests: readonly Digest[]): Root[] => digests.map((one) => ({ digest: one, why: "kept" }));
const names = (
  inventory: Inventory,
  sketch: Readonly<Record<string, Sketch>>,
  ...kept: readonly string[]
): string[] => {
  const stay = needed(inventory, roots(...kept.map(digest)));
  return Object.keys(sketch).filter((name) => stay.has(digest(name)));
};
const digestTag = (name: string, suffix = ""): string => `${digest(name).replace(":", "-")}${suffix}`;

describe("what stays with what", () => {
  const table: readonly (readonly [string, Readonly<Record<string, Sketch>>, readonly string[], readonly string[]])[] =
    [
      [
        "the parts of an index, however deep",
        { i: { children: ["j"] }, j: { children: ["a", "b"] }, a: {}, b: {}, c: {} },
        ["i"],
        ["i", "j", "a", "b"],
      ],
      [
        "of an index that goes, only the part that is kept",
        { i: { children: ["a", "b"] }, a: {}, b: {} },
        ["a"],
        ["a"],
      ],
      [
        "referrers, and theirs",
        { a: {}, r: { subject: "a" }, s: { subject: "r" }, b: {}, t: { subject: "b" } },
        ["a"],
        ["a", "r", "s"],
      ],
      ["referrers of parts", { i: { children: ["a"] }, a: {}, r: { subject: "a" } }, ["i"], ["i", "a", "r"]],
      [
        "the subject of a referrer, and what else hangs on it",
        { a: {}, r: { subject: "a" }, s: { subject: "a" } },
        ["r"],
        ["a", "r", "s"],
      ],
      [
        "what digest tags name",
        { a: {}, sig: { tags: [digestTag("a", ".sig")] }, list: { tags: [digestTag("a")] } },
        ["a"],
        ["a", "sig", "list"],
      ],
      ["what a kept digest tag is about", { a: {}, sig: { tags: [digestTag("a", ".sig")] } }, ["sig"], ["a", "sig"]],
      [
        "nothing for a tag about what is not there",
        { a: {}, sig: { tags: [digestTag("gone", ".sig")] } },
        ["sig"],
        ["sig"],
      ],
      ["a referrer whose subject is not there", { r: { subject: "gone" }, s: { subject: "gone" } }, ["r"], ["r"]],
      [
        "cycles end",
        { i: { children: ["j"] }, j: { children: ["i"] }, a: { subject: "b" }, b: { subject: "a" } },
        ["i", "a"],
        ["i", "j", "a", "b"],
      ],
      [
        "an attestation goes with its index, though it is about a part that stays",
        { i: { children: ["a", "attestation"] }, a: {}, attestation: {} },
        ["a"],
        ["a"],
      ],
      ["what is not there needs nothing", { a: {} }, ["gone"], []],
    ];
  test.each(table)("%s", (_, sketch, kept, stays) => {
    expect(names(inventoryOf(sketch), sketch, ...kept)).toEqual(stays);
  });

  test("each need says as what, by whom, and why", () => {
    const inventory = inventoryOf({ i: { children: ["a"] }, a: {}, r: { subject: "a" } });
    const [i, a, r] = ["i", "a", "r"].map(digest) as [Digest, Digest, Digest];
    expect(needed(inventory, [{ digest: i, why: "it has the tag 1.0" }])).toEqual(
      new Map([
        [i, { as: "root", by: i, why: "it has the tag 1.0" }],
        [a, { as: "child", by: i, why: `a part of the index ${i}` }],
        [r, { as: "referrer", by: a, why: `attached to ${a}` }],
      ]),
    );
  });

  test("the cut tags of a sha512 digest are about all digests that they fit", () => {
    const long = digestOf("long", "sha512");
    const tag = `sha512-${long.slice(7, 71)}`;
    const inventory = inventoryOf({ a: {}, sig: { tags: [`${tag}.sig`] }, list: { tags: [tag] } });
    const held = { ...inventory.manifests.get(digest("a"))!, digest: long };
    const all = { ...inventory, manifests: new Map([...inventory.manifests, [long, held]]) };
    expect([...needed(all, roots(long)).keys()].toSorted()).toEqual([digest("list"), digest("sig"), long].toSorted());
  });
});

test.each([
  [digestTag("a"), digest("a")],
  [digestTag("a", ".sig"), digest("a")],
  [digestTag("a", ".att.old"), digest("a")],
  [digestTag("a", "."), undefined],
  [digestTag("a", "-x"), undefined],
  [digestTag("a").slice(0, -1), undefined],
  [digestTag("a").toUpperCase(), undefined],
  [`sha512-${"a".repeat(64)}`, undefined],
  ["latest", undefined],
])("the tag %s is about %s", (tag, subject) => {
  expect(subjectOfTag(tag)).toBe(subject);
});

describe("in any graph", () => {
  const any = anyInventory.chain((inventory) => fc.tuple(fc.constant(inventory), someOf(inventory), someOf(inventory)));

  test("nothing that is needed needs what is not", () => {
    fc.assert(
      fc.property(any, ([inventory, kept]) => {
        const stay = needed(inventory, roots(...kept));
        const there = (one: Digest): boolean => inventory.manifests.has(one);
        for (const one of kept) expect(stay.has(one)).toBe(true);
        for (const held of inventory.manifests.values()) {
          const ends = [
            ...(held.subject ? [held.subject] : []),
            ...held.tags.flatMap((tag) => subjectOfTag(tag) ?? []),
          ];
          // Attachments and what they are about stay or go together.
          for (const end of ends.filter(there)) expect(stay.has(end)).toBe(stay.has(held.digest));
          if (stay.has(held.digest))
            for (const child of held.children.filter(there)) expect(stay.has(child)).toBe(true);
        }
      }),
    );
  });

  test("only what leads back to a root is needed, and each reason is true", () => {
    fc.assert(
      fc.property(any, ([inventory, kept]) => {
        const stay = needed(inventory, roots(...kept));
        for (const [one, { as, by }] of stay) {
          const [held, whose] = [inventory.manifests.get(one)!, inventory.manifests.get(by)!];
          const about = (a: typeof held, b: Digest): boolean => a.tags.some((tag) => subjectOfTag(tag) === b);
          const isTrue = {
            root: kept.includes(one) && by === one,
            child: whose.children.includes(one),
            referrer: held.subject === by,
            "digest tag": about(held, by),
            subject: whose.subject === one || about(whose, one),
          };
          expect(isTrue[as]).toBe(true);
          expect(stay.has(by)).toBe(true);
        }
      }),
    );
  });

  test("with more roots more is needed; what is needed needs nothing else", () => {
    fc.assert(
      fc.property(any, ([inventory, some, more]) => {
        const stay = needed(inventory, roots(...some));
        const both = needed(inventory, roots(...some, ...more));
        const other = needed(inventory, roots(...more));
        expect(new Set(both.keys())).toEqual(new Set([...stay.keys(), ...other.keys()]));
        expect(new Set(needed(inventory, roots(...stay.keys())).keys())).toEqual(new Set(stay.keys()));
      }),
    );
  });
});

describe("cleaning up", () => {
  /** Deletes all that no kept tag needs. */
  const deletions = (inventory: Inventory, keepTags: readonly string[]): DeleteManifest[] => {
    const stay = needed(inventory, roots(...keepTags.map((tag) => inventory.tags.get(tag)!)));
    return [...inventory.manifests.values()]
      .filter((held) => !stay.has(held.digest))
      .map(({ digest: one, tags }): DeleteManifest => ({
        do: "delete manifest",
        id: one,
        at: `memory@${one}`,
        digest: one,
        tags,
        why: "no rule keeps it",
      }));
  };

  test.each(disasters.map((one) => [one.name, one] as const))("breaks nothing: %s", async (_, disaster) => {
    const store = memoryStore();
    await disaster.put(store);
    const inventory = await readInventory(store);
    const going = deletions(inventory, disaster.keepTags);
    expect(going.map((step) => step.digest).toSorted()).toEqual(disaster.mayGo.toSorted());
    const verdicts = recheckDeletions(going, inventory);
    expect([...verdicts.values()]).toEqual(going.map(() => ({ verdict: "go" })));
    // One that is needed among them stays, whatever the plan says.
    const wrong = disaster.mustStay.map((one): DeleteManifest => ({
      ...going[0]!,
      id: one,
      at: `memory@${one}`,
      digest: one,
      tags: [],
    }));
    for (const step of wrong.filter(({ digest: one }) => inventory.manifests.get(one)!.tags.length > 0)) {
      expect(recheckDeletions([...going, step], inventory).get(step.id)).toMatchObject({ verdict: "stale" });
    }
  });
});

test("a hundred thousand manifests, in a long chain and a wide index, take no more than a moment", () => {
  const of = (i: number): Digest => `sha256:${i.toString(16).padStart(64, "0")}`;
  const half = 50_000;
  const { manifests } = inventoryOf({ a: {} });
  const plain = manifests.get(digest("a"))!;
  const wide = { ...plain, digest: of(0), children: Array.from({ length: half }, (_, i) => of(i + 1)) };
  const parts = wide.children.map((one) => ({ ...plain, digest: one }));
  const chain = parts.map((_, i) => ({ ...plain, digest: of(half + 1 + i), subject: i === 0 ? of(0) : of(half + i) }));
  const all = [wide, ...parts, ...chain];
  const inventory = { ...inventoryOf({}), manifests: new Map(all.map((held) => [held.digest, held])) };
  expect(needed(inventory, roots(of(0))).size).toBe(all.length);
});
