import { appendFile, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import type { Before } from "../../src/plan/before.ts";
import { readJournal, withJournal } from "../../src/plan/journal.ts";
import type { Step } from "../../src/plan/plan.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { planOf } from "./scene.ts";

const digest = digestOf(Buffer.from("x"));
const step = (id: string): Step => ({
  id,
  do: "tag",
  at: `registry.example/app:${id}`,
  digest,
  before: null,
  why: "why",
});
const plan = planOf([step("1"), step("2")]);
const before: Before = { tag: null };

const journalPath = async (): Promise<string> => join(await temporaryDirectory(), "below", "journal.jsonl");

test("a journal tells what was begun and how it ended", async () => {
  const path = await journalPath();
  await withJournal(path, plan, async (journal) => {
    expect(journal.isBegun).toBe(false);
    await Promise.all([journal.begin(step("1"), before), journal.begin(step("2"), before)]);
    expect(journal.isBegun).toBe(true);
    journal.end(step("1"), { outcome: "done", bytes: 5, digest });
  });
  expect(
    (await readFile(path, "utf8"))
      .split("\n")
      .map((line) => (line === "" ? "" : Object.keys(JSON.parse(line) as object).join(" "))),
  ).toEqual([
    "line version digest kind made",
    "line step before",
    "line step before",
    "line id outcome bytes digest",
    "",
  ]);
  expect(await readJournal(path)).toMatchObject({
    kind: "retain",
    made: plan.made,
    steps: [
      { step: step("1"), tries: [{ before, outcome: "done", digest }] },
      { step: step("2"), tries: [{ before }] },
    ],
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a step is in the file, whole, when its begin settles", async () => {
  const path = await journalPath();
  await withJournal(path, plan, async (journal) => {
    await journal.begin(step("1"), before);
    expect(
      (await readFile(path, "utf8")).endsWith(`${JSON.stringify({ line: "begin", step: step("1"), before })}\n`),
    ).toBe(true);
  });
});

test("a journal in which nothing was begun does not come to be", async () => {
  const path = await journalPath();
  await withJournal(path, plan, async (journal) => journal.end(step("1"), { outcome: "already" }));
  expect(await readdir(join(path, ".."))).toEqual([]);
});

test("the same plan goes on in its journal, behind a line that a kill cut short", async () => {
  const path = await journalPath();
  await withJournal(path, plan, (journal) => journal.begin(step("1"), before));
  await appendFile(path, '{"line":"begin","st');
  expect((await readJournal(path)).steps).toHaveLength(1);
  await withJournal(path, plan, async (journal) => {
    expect(journal.isBegun).toBe(true);
    await journal.begin(step("1"), { tag: digest });
    journal.end(step("1"), { outcome: "failed", why: "no", error: new Error("no") });
  });
  expect((await readJournal(path)).steps).toEqual([
    { step: step("1"), tries: [{ before }, { before: { tag: digest }, outcome: "failed" }] },
  ]);
});

test("what was found done when a plan was applied again may have been done the first time", async () => {
  const path = await journalPath();
  await withJournal(path, plan, (journal) => journal.begin(step("1"), before));
  await withJournal(path, plan, async (journal) => journal.end(step("1"), { outcome: "already" }));
  expect((await readJournal(path)).steps).toEqual([{ step: step("1"), tries: [{ before }] }]);
});

test("a journal whose first line was cut short begins again", async () => {
  const path = await journalPath();
  await withJournal(path, plan, (journal) => journal.begin(step("1"), before));
  await truncate(path, 20);
  await expect(readJournal(path)).rejects.toMatchObject({ code: "INVALID" });
  await withJournal(path, plan, (journal) => journal.begin(step("2"), before));
  expect((await readJournal(path)).steps).toEqual([{ step: step("2"), tries: [{ before }] }]);
});

test("another plan's journal is left alone", async () => {
  const path = await journalPath();
  await withJournal(path, plan, (journal) => journal.begin(step("1"), before));
  const text = await readFile(path, "utf8");
  const other = withJournal(path, planOf([step("1")]), (journal) => journal.begin(step("1"), before));
  await expect(other).rejects.toMatchObject({ code: "INVALID", message: `${path} is the journal of another plan` });
  expect(await readFile(path, "utf8")).toBe(text);
});

test("any other file is left alone", async () => {
  const path = join(await temporaryDirectory(), "notes.txt");
  await writeFile(path, "buy milk\n");
  await expect(withJournal(path, plan, async () => {})).rejects.toMatchObject({ code: "INVALID" });
  expect(await readFile(path, "utf8")).toBe("buy milk\n");
});

test("who applies the same plan waits, and says so", async () => {
  const path = await journalPath();
  const order: string[] = [];
  const said: string[] = [];
  const first = withJournal(path, plan, async (journal) => {
    await journal.begin(step("1"), before);
    while (said.length === 0) await sleep(1);
    order.push("first");
  });
  while ((await readdir(join(path, "..")).catch(() => [])).length < 2) await sleep(1);
  const onWait = (message: string): void => void said.push(message);
  await Promise.all([first, withJournal(path, plan, async () => void order.push("second"), { onWait })]);
  expect(order).toEqual(["first", "second"]);
  expect(said).toEqual([
    expect.stringMatching(/^the journal .* is being changed by process \d+ on .*: waiting for its end$/),
  ]);
});

test("a place that cannot be written to is named", async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, "file"), "");
  const path = join(folder, "file", "journal.jsonl");
  const failed = withJournal(path, plan, async () => {});
  await expect(failed).rejects.toThrow(`cannot write the journal ${path}: `);
  await mkdir(join(folder, "directory"));
  await expect(withJournal(join(folder, "directory"), plan, async () => {})).rejects.toThrow("it is a directory");
  await expect(readJournal(join(folder, "none"))).rejects.toThrow("there is no such file or directory");
});

test("after a line that could not be written, nothing is begun any more", async () => {
  const path = await journalPath();
  await withJournal(path, plan, async (journal) => {
    await mkdir(path, { recursive: true });
    await expect(journal.begin(step("1"), before)).rejects.toThrow("it is a directory");
    await expect(journal.begin(step("2"), before)).rejects.toThrow("it is a directory");
  });
});

describe("what is no journal is refused by line and field", () => {
  const header = { line: "plan", version: 1, digest, kind: "retain", made: plan.made };
  const begin = { line: "begin", step: step("1"), before };
  const cases: readonly (readonly [string, readonly unknown[], string])[] = [
    ["nothing", [], "is no journal: it has no whole line"],
    ["no JSON", [header, "\u0000oops"], ":2: this is no line of a journal"],
    ["a step first", [begin], ":1: line: a journal begins with the plan that it is of"],
    [
      "two plans",
      [header, { ...header, digest: digestOf(Buffer.from("y")) }],
      ":2: digest: the journal is of another plan further up",
    ],
    [
      "a later version",
      [{ ...header, version: 2 }],
      ":1: version: is a version that this Gantry does not know: it has to be 1",
    ],
    ["a step that nobody knows", [header, { ...begin, step: { do: "format disk" } }], ":2: step.do: "],
    ["a field that nobody knows", [header, { ...begin, force: true }], ':2: force: "force" is not known here'],
    [
      "a manifest that is no base64",
      [header, { ...begin, before: { manifest: { digest, mediaType: "a", bytes: "{" } } }],
      ":2: before.manifest.bytes: is no base64",
    ],
    ["a digest that is none", [header, { ...begin, before: { tag: "latest" } }], ":2: before.tag: is no digest"],
  ];

  test.each(cases)("%s", async (_, lines, message) => {
    const path = join(await temporaryDirectory(), "journal");
    await writeFile(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
    await expect(readJournal(path)).rejects.toThrow(`${path}${message.startsWith(":") ? "" : " "}${message}`);
  });

  test("a line without end", async () => {
    const path = join(await temporaryDirectory(), "journal");
    await writeFile(path, Buffer.alloc(40_000_000, "x"));
    await expect(readJournal(path)).rejects.toThrow("is no journal: a line of it is too long");
  });
});
