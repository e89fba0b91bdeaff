import * as fc from "fast-check";
import { expect, test } from "vitest";
import { testRegistry } from "../cli/support.ts";
import { image, indexOf, putImage, twoPlatforms, type TestImage } from "../support/images.ts";
import { syncScene } from "./scene.ts";

const shared = image("shared");
const images: readonly TestImage[] = [
  image("a"),
  image("b"),
  twoPlatforms("c"),
  indexOf([shared, image("d")]),
  indexOf([shared]),
];
const tags = ["1.0", "1.1", "2.0", "latest", "dev"];
const repository = fc.dictionary(fc.constantFrom(...tags), fc.integer({ min: 0, max: images.length - 1 }));
const settings = fc.record(
  {
    tags: fc.constantFrom([{ include: ["1.*"] }], [{ newest: 2 }], [{ exclude: ["dev"] }, { semver: ">=2" }]),
    platforms: fc.constantFrom(["linux/amd64"], ["linux/amd64", "linux/arm64"]),
    immutable: fc.constant(["1.*"]),
    overwrite: fc.constantFrom("keep" as const, "error" as const),
    prune: fc.constantFrom(true, { only: ["?.*"] }),
    backup: fc.constant("old-{tag}-{digest}"),
  },
  { requiredKeys: [] },
);

test("whatever is where and whatever is wanted: after a sync there is nothing to do, and what stays is whole", async () => {
  const [source, mirror] = [await testRegistry(), await testRegistry()];
  const scene = syncScene();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(repository, repository, settings, async (from, to, wishes) => {
      const name = `run-${run++}`;
      for (const [tag, i] of Object.entries(from)) await putImage(source.store(name), images[i]!, tag);
      for (const [tag, i] of Object.entries(to)) await putImage(mirror.store(name), images[i]!, tag);
      const mapping = { from: `${source.host}/${name}`, to: `${mirror.host}/${name}`, ...wishes };
      const now = new Date("2026-11-20T00:00:00Z");
      const { plan, applied } = await scene.sync(mapping, { now });
      const wrong = [...applied.endings.values()].filter(({ outcome }) => outcome !== "done" && outcome !== "already");
      expect(wrong.map(({ why }) => why).filter((why) => !why?.includes("has no image for"))).toEqual([]);
      if (wrong.length > 0) return;
      const again = await scene.plan(mapping, { now });
      expect(again.steps).toEqual([]);
      const at = [...plan.steps.map((step) => step.at), ...plan.kept.map((one) => one.at)];
      expect(new Set(at).size).toBe(at.length);
      if (Object.keys(from).length + Object.keys(to).length === 0) return;
      const inventory = await scene.client.inventory(`${mirror.host}/${name}`);
      expect(inventory.gaps).toEqual([]);
      for (const digest of inventory.tags.values())
        for (const child of inventory.manifests.get(digest)!.children)
          expect(inventory.manifests.has(child)).toBe(true);
      if (wishes.prune === undefined) expect(Object.keys(to).filter((tag) => !inventory.tags.has(tag))).toEqual([]);
    }),
    { numRuns: 20 },
  );
});
