import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PlanEvent } from "../../src/plan/apply.ts";
import { readJournal } from "../../src/plan/journal.ts";
import type { CopyImage } from "../../src/plan/plan.ts";
import { layoutStore, ociArchiveStore } from "../../src/store/index.ts";
import { damagedArchive } from "../support/damaged-archive.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { applyWithJournal, outcomes, planOf, testClient } from "./scene.ts";

/** Copies of one image from a layout to these places, in this order. */
async function copies(folder: string, to: readonly string[]): Promise<readonly CopyImage[]> {
  const app = image("app");
  await putImage(layoutStore(`${folder}/source`), app, "1");
  const { digest } = app.manifest.descriptor;
  return to.map((at): CopyImage => {
    return { id: at, do: "copy", from: `oci:${folder}/source@${digest}`, at, digest, before: null, why: "new" };
  });
}

test("a place that cannot be written in the end fails its own steps alone, and each ends once", async () => {
  const folder = await temporaryDirectory();
  const damaged = join(folder, "damaged.tar");
  await damagedArchive(damaged);
  const before = await readFile(damaged);
  const [bad, too] = [`oci-archive:${damaged}:1`, `oci-archive:${damaged}:2`];
  const [good, layout] = [`oci-archive:${folder}/good.tar:1`, `oci:${folder}/layout:1`];
  const events: string[] = [];
  const onEvent = (event: PlanEvent): void => {
    if (event.type === "step") events.push(`${event.step.at} ${event.ending.outcome}`);
  };
  const expected = { [bad]: "failed", [too]: "failed", [good]: "done", [layout]: "done" };
  const journal = join(folder, "journal");
  const plan = planOf(await copies(folder, Object.keys(expected)));
  const applied = await applyWithJournal(testClient(), plan, journal, { onEvent });
  expect([applied.complete, outcomes(applied)]).toEqual([false, expected]);
  expect(applied.endings.get(bad)).toMatchObject({
    why: expect.stringMatching(/stays as it was, .*; copy that image into it anew, or write to another file$/),
    error: { code: "UNVERIFIED" },
  });
  const told = Object.entries(expected).map(([at, outcome]) => `${at} ${outcome}`);
  expect(events.toSorted()).toEqual(told.toSorted());
  const { steps } = await readJournal(journal);
  const tries = steps.flatMap(({ step, tries: its }) => its.map(({ outcome }) => `${step.at} ${outcome}`));
  expect(tries.toSorted()).toEqual(told.toSorted());
  expect(await readFile(damaged)).toEqual(before);
  const store = ociArchiveStore(`${folder}/good.tar`);
  expect(await Array.fromAsync(store.tags())).toEqual(["1"]);
  await store.close();
});

test("what was stopped leaves no draft beside an archive", async () => {
  const folder = await temporaryDirectory();
  const steps = await copies(folder, [`oci-archive:${folder}/app.tar:1`]);
  const stop = new AbortController();
  const onEvent = ({ type }: PlanEvent): void => {
    if (type === "blob") stop.abort();
  };
  const stopped = testClient().apply(planOf(steps), { signal: stop.signal, onEvent });
  await expect(stopped).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["source"]);
});
