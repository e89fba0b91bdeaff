import { expect, test } from "vitest";
import type { Ending } from "../../src/plan/act.ts";
import type { Step } from "../../src/plan/plan.ts";
import { inTurn, type Work } from "../../src/plan/schedule.ts";

const step = (id: string, ...after: string[]): Step => ({ id, do: "create repository", at: id, why: "why", after });
const done: Ending = { outcome: "done" };

/** Work that goes on when the test says so, and what came of it. */
function scene(steps: readonly Step[], keyOf: Work["keyOf"] = () => undefined) {
  const batches: string[][] = [];
  const finish = new Map<string, (ending?: Ending) => void>();
  const ended = inTurn(steps, (settle) => ({
    keyOf,
    onEnd: () => {},
    run(batch) {
      batches.push(batch.map(({ id }) => id));
      return Promise.all(
        batch.map(
          (one) =>
            new Promise<void>((resolve, reject) => {
              finish.set(one.id, (ending = done) => {
                if (ending.error !== undefined) return reject(ending.error);
                settle(one, ending);
                resolve();
              });
            }),
        ),
      ).then(() => undefined);
    },
  }));
  const end = async (id: string, ending?: Ending): Promise<void> => {
    finish.get(id)!(ending);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    batches,
    end,
    outcomes: async () => [...(await ended)].map(([id, { outcome }]) => `${id} ${outcome}`),
    ended,
  };
}

test("what waits for one step does not wait for another that takes long", async () => {
  const { batches, end, outcomes } = scene([
    step("slow"),
    step("quick"),
    step("next", "quick"),
    step("last", "next", "slow"),
  ]);
  await end("quick");
  await end("next");
  expect(batches).toEqual([["slow"], ["quick"], ["next"]]);
  await end("slow");
  await end("last");
  expect(await outcomes()).toEqual(["quick done", "next done", "slow done", "last done"]);
});

test("where a step is not done, all that comes after it is skipped at once, and nothing else", async () => {
  const { end, outcomes, ended } = scene([step("a"), step("b"), step("c", "a"), step("d", "c", "b"), step("e", "b")]);
  await end("a", { outcome: "stale", why: "it moved" });
  await end("b", { outcome: "already" });
  await end("e");
  expect(await outcomes()).toEqual(["a stale", "c skipped", "d skipped", "b already", "e done"]);
  expect((await ended).get("d")).toEqual({
    outcome: "skipped",
    why: "create repository c, which comes first, was not done",
  });
});

test("steps of one key go together, when none of them waits any more", async () => {
  const steps = [step("x1"), step("a"), step("x2", "a"), step("b"), step("x3", "b")];
  const { batches, end, outcomes } = scene(steps, ({ id }) => (id.startsWith("x") ? "x" : undefined));
  await end("a");
  expect(batches).toEqual([["a"], ["b"]]);
  await end("b", { outcome: "failed" });
  expect(batches.at(-1)).toEqual(["x1", "x2"]);
  await end("x1");
  await end("x2");
  expect(await outcomes()).toEqual(["a done", "b failed", "x3 skipped", "x1 done", "x2 done"]);
});

test("steps of one key that wait for each other go one after the other", async () => {
  const { batches, end, outcomes } = scene([step("x1"), step("x2", "x1"), step("y", "x2")], ({ id }) => id[0]);
  await end("x1");
  await end("x2");
  await end("y");
  expect(batches).toEqual([["x1"], ["x2"], ["y"]]);
  expect(await outcomes()).toEqual(["x1 done", "x2 done", "y done"]);
});

test("an error ends everything, but what is under way settles first", async () => {
  const { batches, end, ended } = scene([step("a"), step("b"), step("c", "b")]);
  const error = new Error("the disk is full");
  let isOver = false;
  ended.catch(() => (isOver = true));
  await end("a", { outcome: "failed", error });
  expect(isOver).toBe(false);
  await end("b");
  await expect(ended).rejects.toBe(error);
  expect(batches).toEqual([["a"], ["b"]]);
});

test("a hundred thousand steps, half of them in a chain that breaks, take no time", async () => {
  const chain = Array.from({ length: 50_000 }, (_, i) => (i === 0 ? step("c0") : step(`c${i}`, `c${i - 1}`)));
  const free = Array.from({ length: 50_000 }, (_, i) => step(`f${i}`));
  const endings = await inTurn([...chain, ...free], (settle) => ({
    keyOf: () => undefined,
    onEnd: () => {},
    run: async ([one]) => settle(one!, one!.id === "c0" ? { outcome: "failed" } : done),
  }));
  const outcomes = Map.groupBy(endings.values(), ({ outcome }) => outcome);
  expect([...outcomes].map(([outcome, its]) => [outcome, its.length])).toEqual([
    ["failed", 1],
    ["skipped", 49_999],
    ["done", 50_000],
  ]);
});

test("nothing to do is done", async () => {
  expect((await scene([]).ended).size).toBe(0);
});
