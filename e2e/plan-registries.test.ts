import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Digest } from "../src/oci/digest.ts";
import { readJournal } from "../src/plan/journal.ts";
import type { Step } from "../src/plan/plan.ts";
import { planUndo } from "../src/plan/undo.ts";
import { applyWithJournal, deletionsBut, outcomes, planOf, stateOf, testClient } from "../test/plan/scene.ts";
import { allOf, artifact, image, putImage, twoPlatforms, type TestImage } from "../test/support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { startDockerRegistry, type RunningRegistry } from "./support/registries.ts";
import { must, run } from "./support/run.ts";

describeWith("docker-registry", "plans at Docker's registry", () => {
  let work: string;
  let registry: RunningRegistry;
  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-plans-"));
    registry = await startDockerRegistry({ folder: work });
  });
  afterEach(async () => {
    await registry.stop();
    await rm(work, { recursive: true, force: true });
  });

  const [app, kept] = [twoPlatforms("app"), image("kept")];
  const signature = artifact("signature", app.manifest.descriptor);
  const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;

  async function scene() {
    const client = testClient();
    const place = `${registry.host}/app`;
    const { store } = client.open(place);
    await putImage(store, app, "old");
    await putImage(store, signature, digestIn(app).replace(":", "-").concat(".sig"));
    await putImage(store, kept, "kept");
    // The registry does not list referrers: they are in an index under a tag, which goes with the image.
    const inventory = await client.inventory(place);
    const steps: readonly Step[] = deletionsBut((tag) => tag === "kept", inventory);
    expect(steps).toHaveLength(allOf(app).length + 2);
    const going = steps.flatMap((step) => (step.do === "delete manifest" ? [step.digest] : []));
    const before = await stateOf(store, [...going, digestIn(kept)]);
    return { client, place, store, steps, going, before, journal: join(work, "journal") };
  }

  test("an image with its parts and its signature goes, and comes back byte for byte", async () => {
    const { client, store, place, steps, going, before, journal } = await scene();
    const tag: Step = { id: "tag", do: "tag", at: `${place}:new`, digest: digestIn(kept), before: null, why: "new" };
    const applied = await applyWithJournal(client, planOf([...steps, tag]), journal);
    expect(applied.complete, JSON.stringify([...applied.endings])).toBe(true);
    expect(await stateOf(store, going)).toEqual({
      tags: { kept: digestIn(kept), new: digestIn(kept) },
      manifests: {},
    });

    const undone = await client.apply(planUndo(await readJournal(journal), journal, new Date()));
    // It cannot take a single tag away. The index of referrers comes with the signature.
    const failed = Object.entries(outcomes(undone)).filter(
      ([, outcome]) => outcome !== "done" && outcome !== "already",
    );
    expect(failed).toEqual([["undo tag", "failed"]]);
    expect(undone.endings.get("undo tag")!.why).toMatch(/;/);
    expect(await stateOf(store, [...going, digestIn(kept)])).toEqual({
      ...before,
      tags: { ...before.tags, new: digestIn(kept) },
    });
  });

  test("what its garbage collection took does not come back, and that is said", async () => {
    const { client, store, steps, journal } = await scene();
    expect((await applyWithJournal(client, planOf(steps), journal)).complete).toBe(true);
    await must(run(peer("docker-registry")!.path, ["garbage-collect", join(dirname(registry.dataDir), "config.yml")]));
    const undone = await client.apply(planUndo(await readJournal(journal), journal, new Date()));
    const ended = [...undone.endings.values()];
    expect(new Set(ended.map(({ outcome }) => outcome))).toEqual(new Set(["failed", "skipped"]));
    expect(ended.find(({ outcome }) => outcome === "failed")!.why).toContain(
      "cannot come back: the registry does not have all of its content any more; copy it from where else it is",
    );
    expect((await stateOf(store, [])).tags).toEqual({ kept: digestIn(kept) });
  });
});
