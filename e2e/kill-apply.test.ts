import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Digest } from "../src/oci/digest.ts";
import { formatPlan, type Plan, type Step } from "../src/plan/index.ts";
import type { Store } from "../src/store/store.ts";
import { allOf, artifact, image, indexOf, putImage, type TestImage } from "../test/support/images.ts";
import { planOf, stateOf, testClient } from "../test/plan/scene.ts";
import { dice } from "./support/dice.ts";
import { startGantryRegistry } from "./support/registries.ts";
import { gantryPath, run, start } from "./support/run.ts";

// `gantry apply`, killed with SIGKILL again and again: in the end all is as planned, once, and undo puts all of it back.
const rounds = 5;
const killsEach = 11;
const seed = 20_261_129;

let work: string;
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-kill-apply-"));
});
afterEach(async () => {
  await rm(work, { recursive: true, force: true });
});

interface Scene {
  readonly plan: Plan;
  readonly digests: readonly Digest[];
  /** The tags that there are to be, and the manifests that are to be gone. */
  readonly tags: Readonly<Record<string, string>>;
  readonly gone: readonly Digest[];
}

const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;

/** Images of two platforms, each signed; of every three, one goes, one loses a tag, and one gets another and one that moves. */
async function populate(store: Store, place: string, round: number): Promise<Scene> {
  const steps: Step[] = [];
  const tags: Record<string, string> = {};
  const gone: Digest[] = [];
  const digests: Digest[] = [];
  const set = async (of: TestImage, tag: string): Promise<void> => store.putManifest(of.manifest, { tag });
  for (let n = 0; n < 24; n++) {
    const name = `${round}/${n}`;
    const app = indexOf([image(`${name}/a`, { layers: 1 }), image(`${name}/b`, { layers: 1 })]);
    const signature = artifact(name, app.manifest.descriptor);
    await putImage(store, app, `v${n}`);
    await putImage(store, signature);
    const all = [...allOf(app), signature].map(digestIn);
    digests.push(...all);
    const common = { at: `${place}:v${n}`, digest: digestIn(app), why: "why" } as const;
    if (n % 3 === 0) {
      await set(app, `also-v${n}`);
      for (const digest of all) {
        const its = digest === digestIn(app) ? [`also-v${n}`, `v${n}`] : [];
        steps.push({
          id: `${n} ${digest}`,
          do: "delete manifest",
          at: `${place}@${digest}`,
          digest,
          tags: its,
          why: "old",
        });
      }
      gone.push(...all);
    } else if (n % 3 === 1) {
      await set(app, "moving");
      steps.push({ ...common, id: `${n} untag`, do: "delete tag" });
    } else {
      steps.push({ ...common, id: `${n} tag`, do: "tag", at: `${place}:new-v${n}`, before: null });
      tags[`v${n}`] = tags[`new-v${n}`] = digestIn(app);
      if (n === 23)
        steps.push({
          ...common,
          id: "move",
          do: "tag",
          at: `${place}:moving`,
          before: (await store.head("moving"))!.digest,
        });
      if (n === 23) tags["moving"] = digestIn(app);
    }
  }
  return { plan: planOf(steps), digests, tags, gone };
}

/** How many steps a journal has begun. */
async function begunIn(journal: string): Promise<number> {
  const text = await readFile(journal, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line.startsWith('{"line":"begin"')).length;
}

test(
  `gantry apply, killed ${rounds * killsEach} times, does its plan once, and undo takes it back`,
  { timeout: 400_000 },
  async () => {
    const random = dice(seed);
    const registry = await startGantryRegistry({ folder: work });
    const client = testClient();
    let halfWay = 0;
    for (let round = 0; round < rounds; round++) {
      const place = `${registry.host}/app${round}`;
      const { store } = client.open(place);
      const { plan, digests, tags, gone } = await populate(store, place, round);
      const before = await stateOf(store, digests);
      const [file, journal, undoJournal] = [
        join(work, `plan${round}.json`),
        join(work, `journal${round}`),
        join(work, `undo${round}`),
      ];
      await writeFile(file, formatPlan(plan));

      for (let kill = 0; kill < killsEach; kill++) {
        const known = await begunIn(journal);
        const applying = start(gantryPath, ["apply", file, "--yes", "--jobs", "1", "--journal", journal]);
        // From the first step of this run on, as long as there are some left.
        for (
          const late = Date.now() + 3000;
          (await begunIn(journal)) === known && applying.alive() && Date.now() < late;
        )
          await sleep(2);
        await sleep(random.below(25));
        if (applying.alive() && (await begunIn(journal)) < plan.steps.length) halfWay += 1;
        applying.kill("SIGKILL");
        await applying.ended;
      }
      const applied = await run(gantryPath, ["apply", file, "--yes", "--journal", journal]);
      expect(applied, `seed ${seed}, round ${round}`).toMatchObject({ code: 0 });
      const after = await stateOf(store, digests);
      expect(after.tags).toEqual(tags);
      expect(Object.keys(after.manifests).toSorted()).toEqual(
        digests.filter((digest) => !gone.includes(digest)).toSorted(),
      );

      const undone = await run(gantryPath, ["undo", journal, "--yes", "--journal", undoJournal]);
      expect(undone, `seed ${seed}, round ${round}`).toMatchObject({ code: 0 });
      expect(await stateOf(store, digests)).toEqual(before);
    }
    // Most kills have to hit while there was work left: else the test says little.
    expect(halfWay).toBeGreaterThanOrEqual(15);
    await registry.stop();
  },
);
