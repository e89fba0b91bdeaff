import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Inventory } from "../../src/graph/inventory.ts";
import { needed } from "../../src/graph/needed.ts";
import { freedBy } from "../../src/graph/usage.ts";
import { usageOf } from "../../src/graph/usage-of.ts";
import { anyInventory, digest, inventoryOf, type Sketch } from "./inventories.ts";

const repository = (name: string, sketches: Readonly<Record<string, Sketch>>): Inventory => ({
  ...inventoryOf(sketches),
  repository: `registry.example/${name}`,
});

test("images, what they share, and what each would free", () => {
  const app = repository("app", {
    i: { size: 10, tags: ["1.0", "latest"], children: ["a", "b"] },
    a: { size: 20, blobs: { base: 1000, a: 300 } },
    b: { size: 30, blobs: { b: 400 } },
    sbom: { size: 5, subject: "a", blobs: { sbom: 50 } },
    sig: { size: 6, tags: [`${digest("i").replace(":", "-")}.sig`] },
    old: { size: 7, tags: ["0.9"], blobs: { base: 1000, both: 70 } },
    lost: { size: 8, blobs: { both: 70, lost: 9 } },
  });
  const base = repository("base", { base: { size: 3, tags: ["3"], blobs: { base: 1000 } } });
  const { size, shared, repositories, layers } = usageOf([base, app]);
  expect(size).toBe(3 + 1000 + 10 + 20 + 300 + 30 + 400 + 55 + 6 + 7 + 70 + 8 + 9);
  expect(shared).toBe(1000);
  expect(repositories).toMatchObject([
    {
      repository: "registry.example/app",
      size: size - 3,
      frees: size - 3 - 1000,
      shared: 70,
      tags: 4,
      manifests: 7,
      images: [
        {
          digest: digest("i"),
          tags: ["1.0", "latest"],
          size: 10 + 20 + 1000 + 300 + 30 + 400 + 55 + 6,
          frees: 10 + 20 + 300 + 30 + 400 + 55 + 6,
          sharedWith: ["registry.example/base:3", "registry.example/app:0.9"],
        },
        {
          digest: digest("old"),
          tags: ["0.9"],
          size: 7 + 1070,
          frees: 7,
          sharedWith: ["registry.example/base:3", "registry.example/app:1.0", `registry.example/app@${digest("lost")}`],
        },
        { digest: digest("lost"), tags: [], size: 8 + 79, frees: 17, sharedWith: ["registry.example/app:0.9"] },
      ],
    },
    { repository: "registry.example/base", size: 1003, frees: 3, shared: 0 },
  ]);
  expect(layers).toEqual([
    {
      digest: digest("blob base"),
      size: 1000,
      images: 3,
      repositories: 2,
      among: ["registry.example/base:3", "registry.example/app:1.0", "registry.example/app:0.9"],
    },
    {
      digest: digest("blob both"),
      size: 70,
      images: 2,
      repositories: 1,
      repository: "registry.example/app",
      among: ["registry.example/app:0.9", `registry.example/app@${digest("lost")}`],
    },
  ]);
});

test("in any repository all is counted once, and deleting an image frees what is said", () => {
  fc.assert(
    fc.property(anyInventory, (inventory) => {
      const { size, repositories, layers } = usageOf([inventory]);
      const [usage] = repositories;
      const all = [...inventory.manifests.keys()];
      const total = [...freedBy(inventory, all).values()].reduce((sum, bytes) => sum + bytes, 0);
      expect([size, usage!.size, usage!.frees]).toEqual([total, total, total]);
      expect(usage!.images.reduce((sum, { frees }) => sum + frees, usage!.shared)).toBe(total);
      expect(layers.reduce((sum, layer) => sum + layer.size, 0)).toBe(usage!.shared);
      const roots = usage!.images.map((image) => ({ digest: image.digest, why: "" }));
      for (const image of usage!.images) {
        const stay = needed(
          inventory,
          roots.filter((root) => root.digest !== image.digest),
        );
        const freed = freedBy(
          inventory,
          all.filter((one) => !stay.has(one)),
        );
        expect([...freed.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(image.frees);
      }
    }),
  );
});

test("twice the same repository elsewhere frees nothing", () => {
  const [a, b] = ["a", "b"].map((name) => repository(name, { i: { tags: ["1"], blobs: { x: 5 } } })) as [
    Inventory,
    Inventory,
  ];
  const { size, shared, repositories } = usageOf([a, b]);
  expect([size, shared]).toEqual([105, 105]);
  expect(repositories.map((one) => [one.size, one.frees])).toEqual([
    [105, 0],
    [105, 0],
  ]);
});
