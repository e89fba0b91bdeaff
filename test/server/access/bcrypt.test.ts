import { hashSync } from "bcryptjs";
import { expect, test } from "vitest";
import { bcryptThread } from "../../../src/server/access/bcrypt.ts";

test("compares in order, several at once, and what bcrypt reads: 72 bytes", async () => {
  const compare = bcryptThread();
  const long = "ü".repeat(36);
  const hash = hashSync("right", 4);
  const longHash = hashSync(long, 4).replace(/^\$2b/, "$2y");
  const cases = [
    { password: "right", hash, same: true },
    { password: "wrong", hash, same: false },
    { password: "", hash, same: false },
    { password: long, hash: longHash, same: true },
    { password: `${long}and more`, hash: longHash, same: true },
    { password: long.slice(1), hash: longHash, same: false },
  ];
  const got = await Promise.all(cases.map(({ password, hash }) => compare(password, hash)));
  expect(got).toEqual(cases.map(({ same }) => same));
});

test("leaves the event loop free meanwhile", async () => {
  const compare = bcryptThread();
  const hash = hashSync("right", 10);
  await compare("start the thread", hashSync("x", 4));
  const started = performance.now();
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  await compare("right", hash);
  clearInterval(counting);
  const took = performance.now() - started;
  expect(turns, `${turns} turns in ${took} ms`).toBeGreaterThan(took / 20);
});

test("a thread that fails rejects, and the next comparison has another", async () => {
  const compare = bcryptThread();
  await expect(compare("x", null as unknown as string)).rejects.toThrow("Illegal arguments");
  expect(await compare("x", hashSync("x", 4))).toBe(true);
});
