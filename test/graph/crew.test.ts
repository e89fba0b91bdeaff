import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { crew } from "../../src/graph/crew.ts";

test("no more tasks at a time than told, in the order they came, those that tasks add too", async () => {
  const workers = crew(2);
  const [log, most]: [string[], number[]] = [[], []];
  let running = 0;
  const task = (name: string, then?: () => void) => async (): Promise<void> => {
    log.push(name);
    most.push(++running);
    await turn();
    then?.();
    running -= 1;
  };
  workers.add(task("a", () => workers.add(task("d"))));
  workers.add(task("b"));
  workers.add(task("c"));
  await workers.done();
  expect(log).toEqual(["a", "b", "c", "d"]);
  expect(Math.max(...most)).toBe(2);
  await workers.done();
});

test("the first failure is thrown once what was begun has ended; the rest is not begun", async () => {
  const workers = crew(2);
  const log: string[] = [];
  workers.add(async () => {
    throw new Error("first");
  });
  workers.add(async () => {
    await turn();
    log.push("begun");
  });
  workers.add(async () => void log.push("not begun"));
  await expect(workers.done()).rejects.toThrow("first");
  expect(log).toEqual(["begun"]);
});

test("stopped, what was not begun is dropped", async () => {
  const workers = crew(1);
  const log: string[] = [];
  for (const name of ["a", "b"]) workers.add(async () => void log.push(name));
  workers.stop();
  await workers.done();
  expect(log).toEqual(["a"]);
});
