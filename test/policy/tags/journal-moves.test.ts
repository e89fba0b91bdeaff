import { expect, test } from "vitest";
import type { Digest } from "../../../src/oci/digest.ts";
import type { JournalRecord } from "../../../src/plan/journal-lines.ts";
import { noHistory, withMoves } from "../../../src/policy/tags/history.ts";
import { movesOfJournal } from "../../../src/policy/tags/journal-moves.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const [a, b, c] = [digest("a"), digest("b"), digest("c")];
const repository = "registry.example/app";
const [first, later] = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"];

type Entry = JournalRecord["steps"][number];

function journal(steps: readonly Entry[], made = first): JournalRecord {
  return { line: "plan", version: 1, digest: digest("f"), kind: "tags", made, steps };
}

const common = { id: "1", why: "so" };
const set = (tag: string, named: Digest, before: Digest | null, outcome: "done" | "failed" = "done"): Entry => ({
  step: { ...common, do: "tag", at: `${repository}:${tag}`, digest: named, before },
  tries: [{ before: { tag: before }, outcome }],
});

test.each<[string, Entry, readonly (readonly [string, Digest | null, Digest | null])[]]>([
  ["a tag that was moved", set("1.0.0", b, a), [["1.0.0", a, b]]],
  ["a tag that could not be moved", set("1.0.0", b, a, "failed"), [["1.0.0", a, a]]],
  [
    "a copy whose platforms make another index",
    {
      step: { ...common, do: "copy", from: `x.example/app@${a}`, at: `${repository}:1`, digest: a },
      tries: [{ before: { tag: null }, outcome: "done", digest: c }],
    },
    [["1", null, c]],
  ],
  [
    "a copy by digest alone",
    {
      step: { ...common, do: "copy", from: `x.example/app@${a}`, at: `${repository}@${a}`, digest: a },
      tries: [{ before: {}, outcome: "done" }],
    },
    [],
  ],
  [
    "a tag that was taken away",
    {
      step: { ...common, do: "delete tag", at: `${repository}:old`, digest: a },
      tries: [{ before: {}, outcome: "done" }],
    },
    [["old", a, null]],
  ],
  [
    "a manifest that was deleted, at the second try",
    {
      step: { ...common, do: "delete manifest", at: `${repository}@${a}`, digest: a, tags: ["1", "2"] },
      tries: [{ before: {} }, { before: {}, outcome: "done" }],
    },
    [
      ["1", a, a],
      ["2", a, a],
      ["1", a, null],
      ["2", a, null],
    ],
  ],
  [
    "a manifest that came back",
    {
      step: {
        ...common,
        do: "restore",
        at: `${repository}@${a}`,
        digest: a,
        mediaType: "t",
        manifest: "",
        tags: ["1"],
      },
      tries: [{ before: {}, outcome: "done" }],
    },
    [["1", null, a]],
  ],
  [
    "what is in no registry",
    {
      step: { ...common, do: "delete tag", at: "oci:images:old", digest: a },
      tries: [{ before: {}, outcome: "done" }],
    },
    [],
  ],
  [
    "what is no place at all",
    { step: { ...common, do: "delete tag", at: "::", digest: a }, tries: [{ before: {}, outcome: "done" }] },
    [],
  ],
])("%s", (_, step, moves) => {
  const found = movesOfJournal(journal([step]));
  expect(found).toEqual(moves.map(([tag, before, named]) => ({ repository, tag, before, digest: named, when: first })));
});

test("moves are put in the order of their times, whatever order they come in", () => {
  const moves = [...movesOfJournal(journal([set("1", c, b)], later)), ...movesOfJournal(journal([set("1", b, a)]))];
  expect(withMoves(noHistory, repository, moves).repositories[repository]).toEqual({
    "1": {
      digest: c,
      since: later,
      before: [
        { digest: b, until: later },
        { digest: a, until: first },
      ],
    },
  });
});

test("what was seen after a move stays the last that is known", () => {
  const seen = { version: 1, repositories: { [repository]: { "1": { digest: c, since: later } } } } as const;
  expect(withMoves(seen, repository, movesOfJournal(journal([set("1", b, a)]))).repositories[repository]).toEqual({
    "1": {
      digest: c,
      since: later,
      before: [
        { digest: b, until: first },
        { digest: a, until: first },
      ],
    },
  });
});
