import { expect, test } from "vitest";
import { failureLimit } from "../../../src/server/access/failures.ts";

function limited(): {
  take: (key?: string) => number;
  giveBack: (key?: string) => void;
  pass: (seconds: number) => void;
} {
  let time = 1_700_000_000_000;
  const limit = failureLimit({ burst: 3, interval: 5000, now: () => time });
  return {
    take: (key = "a") => limit.take(key),
    giveBack: (key = "a") => limit.giveBack(key),
    pass: (seconds) => {
      time += seconds * 1000;
    },
  };
}

test("a burst passes, then one an interval", () => {
  const { take, pass } = limited();
  expect([take(), take(), take(), take(), take()]).toEqual([0, 0, 0, 5, 5]);
  pass(4);
  expect(take()).toBe(1);
  pass(1);
  expect([take(), take()]).toEqual([0, 5]);
  pass(3600);
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 5]);
});

test("what is given back does not count", () => {
  const { take, giveBack } = limited();
  for (let i = 0; i < 20; i++) {
    expect(take()).toBe(0);
    giveBack();
  }
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 5]);
});

test("each key is counted for itself, and strangers cannot fill the memory", () => {
  const { take } = limited();
  expect([take("a"), take("a"), take("a"), take("a")]).toEqual([0, 0, 0, 5]);
  expect(take("b")).toBe(0);
  for (let i = 0; i < 10_000; i++) take(`stranger ${i}`);
  expect(take("a"), "the oldest was forgotten").toBe(0);
});
