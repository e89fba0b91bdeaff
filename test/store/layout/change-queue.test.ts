import { expect, test } from "vitest";
import { changeQueue, type Change } from "../../../src/store/layout/change-queue.ts";

/** A queue over a text in memory; each commit waits until it is let go. */
function queue(): {
  readonly put: (change: Change<string>, signal?: AbortSignal) => Promise<void>;
  readonly commits: string[];
  readonly letGo: () => void;
} {
  let text = "";
  const commits: string[] = [];
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const put = changeQueue<string>(async (apply) => {
    await gate;
    text = await apply(text);
    commits.push(text);
  });
  return { put, commits, letGo };
}

const adding =
  (more: string): Change<string> =>
  async (text) => ({ document: text + more });

test("changes that wait are committed together, in order", async () => {
  const { put, commits, letGo } = queue();
  const puts = ["a", "b", "c", "d"].map((letter) => put(adding(letter)));
  letGo();
  await Promise.all(puts);
  expect(commits).toEqual(["a", "abcd"]);
});

test("a change that throws fails alone", async () => {
  const { put, commits, letGo } = queue();
  const puts = [put(adding("a")), put(() => Promise.reject(new Error("no"))), put(adding("c"))];
  letGo();
  expect((await Promise.allSettled(puts)).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(commits.at(-1)).toBe("ac");
});

test("a commit that fails fails all of its changes, and none after them", async () => {
  let commits = 0;
  const put = changeQueue<string>(async (apply) => {
    await apply("");
    if ((commits += 1) === 1) throw new Error("disk full");
  });
  await expect(put(adding("a"))).rejects.toThrow("disk full");
  await put(adding("b"));
});

test("what comes after a commit is done before the change is", async () => {
  const { put, commits, letGo } = queue();
  letGo();
  await put(async (text) => ({ document: `${text}a`, after: async () => void commits.push("after") }));
  expect(commits).toEqual(["a", "after"]);
});

test("a change whose signal fires while it waits is given up at once", async () => {
  const { put, commits, letGo } = queue();
  const controller = new AbortController();
  const given = put(adding("a"), controller.signal);
  controller.abort();
  await expect(given).rejects.toMatchObject({ code: "ABORTED" });
  letGo();
  await put(adding("b"));
  expect(commits.at(-1)).toBe("b");
});
