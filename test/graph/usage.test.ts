import * as fc from "fast-check";
import { expect, test } from "vitest";
import { freedBy } from "../../src/graph/usage.ts";
import { anyInventory, digest, inventoryOf, someOf } from "./inventories.ts";

test("what a kept manifest has is not freed; what the deleted ones share counts in the first", () => {
  const inventory = inventoryOf({
    kept: { blobs: { base: 1000, kept: 1 } },
    one: { size: 10, blobs: { base: 1000, both: 500, one: 7 } },
    two: { size: 20, blobs: { base: 1000, both: 500, two: 3 } },
  });
  const [one, two] = [digest("one"), digest("two")];
  expect(freedBy(inventory, [one, two])).toEqual(
    new Map([
      [one, 10 + 500 + 7],
      [two, 20 + 3],
    ]),
  );
  expect([...freedBy(inventory, [two, one, two])]).toEqual([
    [two, 20 + 500 + 3],
    [one, 10 + 7],
  ]);
  expect(freedBy(inventory, [two])).toEqual(new Map([[two, 20 + 3]]));
});

test("a blob that one manifest has twice is freed once; what is not there frees nothing", () => {
  const inventory = inventoryOf({ a: { blobs: { same: 5 } } });
  const held = inventory.manifests.get(digest("a"))!;
  const twice = new Map([[held.digest, { ...held, blobs: [...held.blobs, ...held.blobs] }]]);
  expect(freedBy({ ...inventory, manifests: twice }, [digest("gone"), digest("a")])).toEqual(
    new Map([[digest("a"), 105]]),
  );
});

test("the bytes freed are those before less those after, in whatever order", () => {
  const total = (manifests: Iterable<{ size: number; blobs: readonly { digest: string; size: number }[] }>): number => {
    const all = [...manifests];
    const blobs = new Map(all.flatMap((one) => one.blobs.map((blob) => [blob.digest, blob.size])));
    return [...all.map((one) => one.size), ...blobs.values()].reduce((sum, size) => sum + size, 0);
  };
  fc.assert(
    fc.property(
      anyInventory.chain((inventory) => fc.tuple(fc.constant(inventory), someOf(inventory))),
      ([inventory, deleted]) => {
        const freed = freedBy(inventory, deleted);
        const after = [...inventory.manifests.values()].filter((one) => !deleted.includes(one.digest));
        expect([...freed.keys()]).toEqual(deleted);
        expect([...freed.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(
          total(inventory.manifests.values()) - total(after),
        );
      },
    ),
  );
});
