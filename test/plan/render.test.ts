import { expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import type { Ending } from "../../src/plan/act.ts";
import type { Plan, Step } from "../../src/plan/plan.ts";
import { planMarkdown } from "../../src/plan/render/markdown.ts";
import { nameIn, placeOf, summary } from "../../src/plan/render/summary.ts";
import { appliedTable, noteLines, planTable } from "../../src/plan/render/table.ts";
import { planTree } from "../../src/plan/render/tree.ts";
import { planOf } from "./scene.ts";

const [one, two] = [digestOf(Buffer.from("1")), digestOf(Buffer.from("2"))];
const app = "registry.example/team/app";
const steps: readonly Step[] = [
  { id: "1", do: "delete tag", at: `${app}:1.0-rc1`, digest: one, why: "not one of the newest 3", rule: "rules[0]" },
  {
    id: "2",
    do: "delete manifest",
    at: `${app}@${two}`,
    digest: two,
    tags: ["old", "older"],
    why: "pushed 90 days ago",
    bytes: 34_000_000,
  },
  { id: "3", do: "tag", at: "registry.example:5000/web:stable", digest: one, before: two, why: "1.2 is stable" },
  {
    id: "4",
    do: "copy",
    from: `hub.example/lib:1@${one}`,
    at: "oci:images:1",
    digest: one,
    before: null,
    platforms: ["linux/amd64"],
    why: "new",
    bytes: 1200,
    after: ["3"],
  },
];
const plan = planOf(steps, {
  from: "retain.yaml",
  kept: [
    { at: `${app}:1.0`, digest: one, why: "one of the newest 3", rule: "rules[0]" },
    { at: `${app}:1.1`, digest: one, why: "one of the newest 3", rule: "rules[0]" },
    { at: `${app}@${two}`, digest: two, why: "a part of an index" },
  ],
  notes: [{ level: "refused", at: app, message: "broken\u001B[2J cannot be read" }],
});
const look = { color: false };

test.each([
  [`${app}:1.0`, app, ":1.0"],
  [`${app}@${one}`, app, `@${one}`],
  [`${app}:1.0@${one}`, `${app}:1.0`, `@${one}`],
  ["registry.example:5000/app", "registry.example:5000/app", ""],
  ["oci:images", "oci:images", ""],
  ["oci:images:1", "oci:images", ":1"],
  [`oci:images@${one}`, "oci:images", `@${one}`],
])("%s is in its place", (at, place, name) => {
  expect([placeOf(at), nameIn(at)]).toEqual([place, name]);
});

test("a plan in one line", () => {
  expect(summary(plan)).toBe(
    "1 tag goes, 1 manifest goes, 1 tag is set, 1 image is copied; frees 34.0 MB, moves 1.2 kB; 3 stay",
  );
  expect(summary(planOf([]))).toBe("nothing to do");
});

test("the table is by repository, with what stays by reason", () => {
  expect(planTable(plan, look)).toBe(`  DO               WHAT                             BYTES  WHY
registry.example/team/app  1 tag goes, 1 manifest goes; frees 34.0 MB
  delete tag       :1.0-rc1                             -  not one of the newest 3
  delete manifest  @sha256:d4735e3a265e           34.0 MB  pushed 90 days ago; with old, older
registry.example:5000/web
  tag              :stable = sha256:6b86b273ff34        -  1.2 is stable
oci:images
  copy             :1                              1.2 kB  new, from hub.example/lib:1@${one}

kept
  2  one of the newest 3 (rules[0])
  1  a part of an index

1 tag goes, 1 manifest goes, 1 tag is set, 1 image is copied; frees 34.0 MB, moves 1.2 kB; 3 stay
`);
  const named = planTable(plan, look, { kept: true }).split("\n");
  expect(named).toContain(`${`${app}:1.0`.padEnd(97)}  one of the newest 3`);
  expect(planTable(planOf([]), look)).toBe("nothing to do\n");
});

test("on a terminal of 80 columns no line is longer, and reasons stand in the next", () => {
  const step: Step = { ...steps[1]!, why: `it is a part of the index ${one}, which was pushed more than 90 days ago` };
  expect(planTable(planOf([step]), { color: false, width: 80 })).toBe(`  DO               WHAT                    BYTES
registry.example/team/app
  delete manifest  @sha256:d4735e3a265e  34.0 MB
      it is a part of the index sha256:6b86b273ff34, which was pushed more than
      90 days ago; with old, older

1 manifest goes; frees 34.0 MB
`);
  expect(planTable(planOf([step]), { color: false, width: 100 }))
    .toBe(`  DO               WHAT                    BYTES  WHY
registry.example/team/app
  delete manifest  @sha256:d4735e3a265e  34.0 MB  it is a part of the index sha256:6b86b273ff34,
                                                  which was pushed more than 90 days ago; with old,
                                                  older

1 manifest goes; frees 34.0 MB
`);
});

test("on a terminal of 40 columns what has no room beside other things stands in the next line", () => {
  const narrow = { color: false, width: 40 };
  expect(planTable(planOf(steps, { kept: plan.kept }), narrow)).toBe(`  DO WHAT BYTES
registry.example/team/app
  1 tag goes, 1 manifest goes; frees
  34.0 MB
  delete tag :1.0-rc1 -
      not one of the newest 3
  delete manifest @sha256:d4735e3a265e
    34.0 MB
      pushed 90 days ago; with old,
      older
registry.example:5000/web
  tag :stable = sha256:6b86b273ff34 -
      1.2 is stable
oci:images
  copy :1 1.2 kB
      new, from
      hub.example/lib:1@sha256:6b86b273ff34

kept
  2  one of the newest 3 (rules[0])
  1  a part of an index

1 tag goes, 1 manifest goes, 1 tag is
set, 1 image is copied; frees 34.0 MB,
moves 1.2 kB; 3 stay
`);
  const endings = new Map([["2", { outcome: "already" } as const]]);
  expect(appliedTable(planOf(steps.slice(1, 2)), { endings, complete: true }, narrow))
    .toBe(`  STEP     DO               WHAT
registry.example/team/app
  already delete manifest
    @sha256:d4735e3a265e
      pushed 90 days ago; with old,
      older

1 done already
`);
});

const many = Array.from({ length: 100_000 }, (_, i): Step => {
  const digest = digestOf(Buffer.from(`${i}`));
  const at = `registry.example/app${i % 50}@${digest}`;
  return {
    id: `${i}`,
    do: "delete manifest",
    at,
    digest,
    tags: [],
    why: `pushed ${i} days ago`,
    rule: "old",
    bytes: 1000,
  };
});

test("of a hundred thousand steps, those alike in a repository share a line", () => {
  const text = planTable(planOf(many), look);
  expect(text.split("\n").slice(0, 3)).toEqual(
    [
      "  DO               WHAT         BYTES   WHY",
      "registry.example/app0",
      "  delete manifest  2000 of them  2.0 MB  old: such as pushed 0 days ago",
    ].map((line, i) => (i === 0 ? "  DO               WHAT           BYTES  WHY" : line)),
  );
  expect(text.split("\n")).toHaveLength(1 + 2 * 50 + 3);
  expect(text).toContain("100000 manifests go; frees 100 MB");
});

test("of very many steps that were applied, those are listed that were not done", () => {
  const endings = new Map(many.map(({ id }) => [id, { outcome: "done" } as const]));
  const stale = { outcome: "stale", why: "it has a new tag" } as const;
  const text = appliedTable(
    planOf(many),
    { endings: new Map<string, Ending>([...endings, ["7", stale]]), complete: false },
    look,
  );
  expect(text).toBe(
    `  STEP   DO               WHAT                  WHY\nregistry.example/app7\n  stale  delete manifest  @sha256:7902699be42c  it has a new tag\n\n99999 done, 1 stale\n`,
  );
});

test("what became of few steps is told of each", () => {
  const endings = new Map(
    steps.map(({ id }, i) => [
      id,
      i === 1 ? ({ outcome: "failed", why: "no" } as const) : ({ outcome: "done" } as const),
    ]),
  );
  expect(
    appliedTable(planOf(steps.slice(0, 2)), { endings: new Map([...endings].slice(0, 2)), complete: false }, look),
  ).toBe(
    `  STEP    DO               WHAT                  WHY
registry.example/team/app  1 tag goes, 1 manifest goes; frees 34.0 MB
  done    delete tag       :1.0-rc1              not one of the newest 3
  failed  delete manifest  @sha256:d4735e3a265e  no

1 done, 1 failed
`,
  );
});

test("the tree has all that there is to tell of each step", () => {
  expect(planTree(plan, look)).toBe(`retain, made 2026-11-20T14:05:00Z from retain.yaml: ${summary(plan)}
├─ registry.example/team/app  1 tag goes, 1 manifest goes; frees 34.0 MB
│  ├─ delete tag :1.0-rc1
│  │  ├─ why not one of the newest 3
│  │  ├─ rule rules[0]
│  │  └─ names ${one}
│  └─ delete manifest @${two}  34.0 MB
│     ├─ why pushed 90 days ago
│     └─ with its tags old, older
├─ registry.example:5000/web  1 tag is set
│  └─ tag :stable
│     ├─ why 1.2 is stable
│     ├─ to ${one}
│     └─ now ${two}
├─ oci:images  1 image is copied; moves 1.2 kB
│  └─ copy :1  1.2 kB
│     ├─ why new
│     ├─ from hub.example/lib:1@${one}
│     ├─ digest ${one}
│     ├─ now not there
│     ├─ platforms linux/amd64
│     └─ after 3
├─ kept: one of the newest 3 (rules[0])  2
│  ├─ registry.example/team/app:1.0
│  └─ registry.example/team/app:1.1
└─ kept: a part of an index  1
   └─ registry.example/team/app@${two}
`);
});

test("Markdown for a pull request: a summary, notes, a table for each repository, what stays folded away", () => {
  const text = planMarkdown(plan);
  expect(text.split("\n").slice(0, 18)).toEqual([
    "### Plan: retain",
    "",
    "**1 tag goes, 1 manifest goes, 1 tag is set, 1 image is copied; frees 34.0 MB, moves 1.2 kB; 3 stay**",
    "",
    "Made 2026-11-20T14:05:00Z from <code>retain.yaml</code>.",
    "",
    "- **refused**: <code>registry.example/team/app</code>: broken&#92;u001b&#91;2J cannot be read",
    "",
    "<details open><summary><code>registry.example/team/app</code>: 1 tag goes, 1 manifest goes; frees 34.0 MB</summary>",
    "",
    "| do | what | bytes | why |",
    "|---|---|--:|---|",
    "| delete tag | <code>1.0-rc1</code> |  | not one of the newest 3 (rules&#91;0&#93;) |",
    `| delete manifest | <code>@${two}</code> | 34.0 MB | pushed 90 days ago; with <code>old</code>, <code>older</code> |`,
    "",
    "</details>",
    "",
    "<details open><summary><code>registry.example:5000/web</code>: 1 tag is set</summary>",
  ]);
  expect(text).toContain(
    `<details><summary>kept: 2, one of the newest 3 (rules&#91;0&#93;)</summary>\n\n- <code>${app}:1.0</code>: one of`,
  );
});

test("names and reasons from elsewhere are text in Markdown, and nothing else", () => {
  const why =
    "<img src=x> **b** [l](http://evil.example) `c` | @admin #1\n# title ![i](x) www.evil.example &lt; ~~s~~ _e_";
  const hostile: Plan = planOf([{ ...steps[0]!, why }], { notes: [{ level: "info", message: why }] });
  const text = planMarkdown(hostile);
  const plainText =
    "&#60;img src=x&#62; &#42;&#42;b&#42;&#42; &#91;l&#93;(http&#58;//evil.example) &#96;c&#96; &#124; @<!-- -->admin #<!-- -->1" +
    "&#92;n#<!-- --> title !&#91;i&#93;(x) www&#46;evil.example &#38;lt; &#126;&#126;s&#126;&#126; &#95;e&#95;";
  expect(text).toContain(`- **info**: ${plainText}\n`);
  expect(text).toContain(`| delete tag | <code>1.0-rc1</code> |  | ${plainText} (rules&#91;0&#93;) |\n`);
});

test("Markdown of very many steps fits into a comment, and says what it leaves out", () => {
  const text = planMarkdown(planOf(many, { kept: plan.kept }));
  expect(text.length).toBeLessThan(65_536);
  expect(text).toContain("100000 manifests go; frees 100 MB; 3 stay");
  expect(text).toMatch(/… and \d+ more steps/);
  expect(text).toContain("The rest is too long to be shown here.");
});

test("notes are one line each, without control characters", () => {
  expect(noteLines(plan)).toEqual([`refused: ${app}: broken\\u001b[2J cannot be read`]);
});
