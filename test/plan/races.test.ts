import { expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { applyPlan } from "../../src/plan/apply.ts";
import type { Hands } from "../../src/plan/hands.ts";
import { image, putImage, type TestImage } from "../support/images.ts";
import { inProcess } from "./in-process.ts";
import { planOf } from "./scene.ts";

const [one, two] = [image("one"), image("two")];
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
