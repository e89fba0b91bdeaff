import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { applyPlan } from "../../src/plan/apply.ts";
import type { Hands } from "../../src/plan/hands.ts";
import type { CopyImage } from "../../src/plan/plan.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { planOf } from "./scene.ts";

test("sources do not wait for each other: who copies knows how many images go at a time", async () => {
  const digest = digestOf(Buffer.from("one"));
  const count = 20;
  const steps = Array.from({ length: count }, (_, i): CopyImage => {
    const [from, at] = [`a.example/r${i}@${digest}`, `b.example/r${i}:1`];
    return { id: `${i}`, do: "copy", from, at, digest, before: null, why: "new" };
  });
  const store = memoryStore();
  const unused = (): never => {
    throw new Error("not asked for");
  };
  let under = 0;
  let jobs: number | undefined;
  const together = Promise.withResolvers<void>();
  const hands: Hands = {
    open: (at) => ({ place: at.replace(/[:@].*/, ""), store, tag: "1" }),
    inventory: unused,
    deleteTag: unused,
    deleteManifests: unused,
    createRepository: unused,
    deleteRepository: unused,
    immutability: unused,
    setImmutability: unused,
    async *copy(going, options) {
      jobs = options?.jobs;
      under += 1;
      if (under === count) together.resolve();
      await Promise.race([together.promise, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
      for (const { id } of going) yield under === count ? { id } : { id, error: new Error(`${under} at a time`) };
    },
  };
  expect((await applyPlan(planOf(steps), hands, { jobs: 5 })).complete).toBe(true);
  expect(jobs).toBe(5);
});
