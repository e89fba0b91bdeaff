import { expect, test } from "vitest";
import { asOf, sizeOverTime } from "../../../src/policy/retain/history.ts";
import { day, digest, inventory, now } from "./scene.ts";

const before = (days: number): Date => new Date(now.getTime() - days * day);

test("a repository as of another day is without what was pushed later", () => {
  const of = inventory({
    new: { tags: ["new"], age: 3 },
    old: { tags: ["old"], age: 9, children: ["part"], pulled: 1 },
    part: { age: Number.NaN },
    late: { age: 2, subject: "old" },
    early: { age: 8, subject: "part" },
    untold: { tags: ["untold"], age: Number.NaN },
  });
  const then = asOf(of, before(5));
  expect([...then.tags.keys()]).toEqual(["old", "untold"]);
  expect(new Set(then.manifests.keys())).toEqual(new Set(["old", "part", "early", "untold"].map(digest)));
  expect(then.manifests.get(digest("old"))!.pulled).toBe(before(5).getTime());
});

test("sizes over time, with a policy that is followed every day", () => {
  const images = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`m${i}`, { tags: [`t${i}`], age: i, blobs: ["base", `m${i}`] }]),
  );
  const policy = { version: 1, rules: [{ keep: { newest: 2 } }] } as const;
  const sizes = sizeOverTime(policy, { inventories: [inventory(images)] }, now);
  expect(sizes.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, i) => before(9 - i)));
  expect(sizes.map((one) => one.without)).toEqual(Array.from({ length: 10 }, (_, i) => 1000 + (i + 1) * 1100));
  expect(sizes.map((one) => one.with)).toEqual([2100, ...Array.from({ length: 9 }, () => 3200)]);
  const late = sizeOverTime(policy, { inventories: [inventory(images)] }, now, { since: before(4) });
  expect(late.map((one) => one.with)).toEqual([2100, 3200, 4300, 5400, 6500, ...Array.from({ length: 5 }, () => 3200)]);
});

test("few points stand for a long time, the last of them for now; without a time there are none", () => {
  const of = inventory({ a: { tags: ["a"], age: 2000 }, b: { tags: ["b"], age: 1 } });
  const policy = { version: 1, rules: [{ keep: { newest: 1 } }] } as const;
  const sizes = sizeOverTime(policy, { inventories: [of] }, now, { points: 20 });
  expect(sizes).toHaveLength(20);
  expect(sizes.at(-1)).toEqual({ at: now, without: 2200, with: 1100 });
  const untold = inventory({ a: { tags: ["a"], age: Number.NaN } });
  expect(sizeOverTime(policy, { inventories: [untold] }, now)).toEqual([]);
});
