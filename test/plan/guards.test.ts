import { expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { applyPlan } from "../../src/plan/apply.ts";
import type { Hands } from "../../src/plan/hands.ts";
import type { Step } from "../../src/plan/plan.ts";
import { image, indexOf, putImage, type TestImage } from "../support/images.ts";
import { inProcess } from "./in-process.ts";
import { planOf } from "./scene.ts";

const [one, two, three] = [image("one"), image("two"), image("three")];
const digestIn = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;

test("a tag that moves after the repository was read is left", async () => {
  const { host, store, hands } = inProcess();
  await putImage(store("app"), one, "1");
  const inventory: Hands["inventory"] = async (...place) => {
    const found = await hands.inventory(...place);
    await putImage(store("app"), two, "1");
    return found;
  };
  const at = `${host}/app:1`;
  const step = { id: "tag", do: "delete tag", at, digest: digestIn(one), why: "old" } as const;
  const { endings } = await applyPlan(planOf([step]), { ...hands, inventory });
  expect(endings.get("tag")).toEqual({ outcome: "stale", why: `${at} names ${digestIn(two)} now` });
  expect((await store("app").head("1"))?.digest).toBe(digestIn(two));
});

test("of what the registry told nothing of, nobody says that it is gone; and its parts stay", async () => {
  const { host, store, hands } = inProcess();
  const index = indexOf([one, two]);
  await putImage(store("app"), index, "1");
  await putImage(store("app"), three, "2");
  const silent = digestIn(index);
  const deleteManifests: Hands["deleteManifests"] = async function* (place, digests, call) {
    yield* hands.deleteManifests(
      place,
      digests.filter((digest) => digest !== silent),
      call,
    );
  };
  const steps = [index, one, two, three].map((of, i): Step => {
    const digest = digestIn(of);
    const tags = of === index ? ["1"] : of === three ? ["2"] : [];
    return { id: `${i}`, do: "delete manifest", at: `${host}/app@${digest}`, digest, tags, why: "old" };
  });
  const { endings } = await applyPlan(planOf(steps), { ...hands, deleteManifests });
  expect(endings.get("0")).toMatchObject({ outcome: "failed", why: "the registry told nothing of it" });
  expect(["1", "2", "3"].map((id) => endings.get(id)!.outcome)).toEqual(["skipped", "skipped", "done"]);
  for (const of of [index, one, two]) expect(await store("app").head(digestIn(of))).toBeDefined();
});
