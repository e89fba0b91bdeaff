import { expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import type { Hands } from "../../src/plan/hands.ts";
import type { CopyImage, Plan, SetTag, Step } from "../../src/plan/plan.ts";
import { planUndo } from "../../src/plan/undo.ts";
import type { Store } from "../../src/store/store.ts";
import { stepCopier, type CopySpot } from "../../src/sync/copy-steps.ts";
import { artifactManifest, image, putImage } from "../support/images.ts";
import { inProcess } from "./in-process.ts";
import { outcomes, planOf } from "./scene.ts";

const app = image("app");
const { digest } = app.manifest.descriptor;
const signature = artifactManifest("signature", app.manifest.descriptor);
const at = "registry.example/there:1";
const from = `registry.example/here:1@${digest}`;
const copy: CopyImage = { id: "1", do: "copy", from, at, digest, before: null, why: "new" };

type Faults = (store: Store) => Partial<Store>;
interface Broken {
  readonly source?: Faults;
  readonly destination?: Faults;
}

/** Two repositories, the first with a signed image; a plan is applied where some calls to one of them fail. */
async function scene() {
  const place = inProcess();
  const [here, there] = [place.store("here"), place.store("there")];
  await putImage(here, app, "1");
  await putImage(here, signature);
  return {
    there,
    byOthers: () => putImage(there, app, "1"),
    apply: async (step: Step, { source, destination }: Broken = {}): Promise<string | undefined> => {
      const open = breaking(place.hands, destination);
      const hands = {
        ...place.hands,
        open,
        copy: stepCopier({ source: breaking(place.hands, source), destination: open }),
      };
      return outcomes(await place.apply(planOf([step]), "journal", hands))["1"];
    },
    undo: async (): Promise<Plan> => planUndo(await place.journal("journal"), "journal", new Date()),
  };
}

/** Opens places whose stores have those faults. */
function breaking(hands: Hands, faults: Faults = () => ({})): (at: string) => CopySpot {
  return (text) => {
    const spot = hands.open(text) as CopySpot;
    return { ...spot, store: { ...spot.store, ...faults(spot.store) } };
  };
}

const silent = (): Promise<never> => Promise.reject(new RegistryError("NETWORK", "no answer"));
const refusing = (): Promise<never> => Promise.reject(new RegistryError("DENIED", "not you", { status: 403 }));

test("what somebody else copied stays, where the copy could not bring what is attached", async () => {
  const { byOthers, apply, undo } = await scene();
  await byOthers();
  const source: Faults = () => ({
    referrers: () => {
      throw new RegistryError("NETWORK", "no answer");
    },
  });
  expect(await apply(copy, { source })).toBe("failed");
  expect((await undo()).steps).toEqual([]);
});

test.each<[string, Broken]>([
  ["the source did not answer", { source: () => ({ manifest: silent }) }],
  ["its content did not come", { destination: () => ({ putBlob: silent }) }],
  ["the destination refused it", { destination: () => ({ putManifest: refusing }) }],
])("what somebody else copied stays, where %s before", async (_, broken) => {
  const { byOthers, apply, undo } = await scene();
  expect(await apply(copy, broken)).toBe("failed");
  await byOthers();
  expect((await undo()).steps).toEqual([]);
});

test("a copy that failed once its tag was set is taken back", async () => {
  const { apply, undo } = await scene();
  const destination: Faults = (store) => ({
    putManifest: (manifest, call) => (manifest.subject ? refusing() : store.putManifest(manifest, call)),
  });
  expect(await apply(copy, { destination })).toBe("failed");
  expect((await undo()).steps).toMatchObject([{ do: "delete tag", at, digest }]);
});

test("where nobody knows whether a tag was set, the plan that takes it back says so", async () => {
  const { apply, undo } = await scene();
  const destination: Faults = (store) => ({
    async putManifest(manifest, call) {
      await store.putManifest(manifest, call);
      await silent();
    },
  });
  expect(await apply(copy, { destination })).toBe("failed");
  const { steps } = await undo();
  expect(steps).toMatchObject([{ do: "delete tag", at, digest }]);
  expect(steps[0]!.why).toContain("may be somebody else's");
});

test("a tag that the registry refused to move is not moved back", async () => {
  const { there, byOthers, apply, undo } = await scene();
  const other = image("other");
  await putImage(there, other, "1");
  await putImage(there, app);
  const before = other.manifest.descriptor.digest;
  const tag: SetTag = { id: "1", do: "tag", at, digest, before, why: "new" };
  expect(await apply(tag, { destination: () => ({ putManifest: refusing }) })).toBe("failed");
  await byOthers();
  expect((await undo()).steps).toEqual([]);
});
