import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { groupCommit, type GroupCommit } from "../../../src/server/storage/group-commit.ts";

interface Counted {
  readonly commits: GroupCommit;
  readonly insert: (n: number) => Promise<number>;
  readonly rows: () => readonly number[];
  readonly syncs: () => number;
}

function counted(sync: (count: number) => Promise<void> = async () => {}): Counted {
  const database = new DatabaseSync(":memory:");
  onTestFinished(() => database.close());
  database.exec("CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT");
  let count = 0;
  const commits = groupCommit(database, () => sync(++count));
  const statement = database.prepare("INSERT INTO numbers VALUES (?)");
  return {
    commits,
    insert: (n) =>
      commits.run(() => {
        statement.run(n);
        return n;
      }),
    rows: () =>
      database
        .prepare("SELECT n FROM numbers ORDER BY n")
        .all()
        .map((row) => row["n"] as number),
    syncs: () => count,
  };
}

test("writers that come together share a sync, and each gets its own result", async () => {
  const { insert, rows, syncs } = counted();
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  expect(await Promise.all(numbers.map(insert))).toEqual(numbers);
  expect(rows()).toEqual(numbers);
  expect(syncs()).toBe(1);
});

test("nothing is promised before it is synced, and who comes meanwhile waits for the next sync", async () => {
  const { promise: synced, resolve: finishSync } = Promise.withResolvers<void>();
  const { insert, rows, syncs } = counted((count) => (count === 1 ? synced : Promise.resolve()));
  const done: number[] = [];
  const first = insert(1).then((n) => done.push(n));
  await expect.poll(syncs).toBe(1);
  const others = [2, 3].map(async (n) => done.push(await insert(n)));
  expect(rows()).toEqual([1]);
  expect(done).toEqual([]);
  finishSync();
  await Promise.all([first, ...others]);
  expect(done).toEqual([1, 2, 3]);
  expect(syncs()).toBe(2);
});

test("a change that fails fails alone", async () => {
  const { insert, rows } = counted();
  const results = await Promise.allSettled([insert(1), insert(1), insert(2)]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(rows()).toEqual([1, 2]);
});

test("after a sync that failed nothing is promised any more", async () => {
  const { insert, commits, rows } = counted(async (count) => {
    if (count === 1) throw new Error("EIO");
  });
  await expect(insert(1)).rejects.toMatchObject({
    code: "UNAVAILABLE",
    cause: expect.objectContaining({ message: "EIO" }),
  });
  await expect(insert(2)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await commits.settled();
  expect(rows()).not.toContain(2);
});
