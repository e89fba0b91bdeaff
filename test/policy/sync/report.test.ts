import { expect, test } from "vitest";
import type { Plan } from "../../../src/plan/plan.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { formatReport } from "../../../src/policy/sync/report.ts";

const digest = digestOf(Buffer.from("image"));
const copy = (id: string, at: string) =>
  ({ id, do: "copy", at, from: `a.example/x@${digest}`, digest, why: "it is not there", rule: "x" }) as const;
const plan: Plan = {
  version: 1,
  kind: "sync",
  made: "2026-11-20T14:05:00Z",
  from: "sync.yaml",
  steps: [copy("1", "b.example/x:1"), copy("2", "b.example/x:2"), { ...copy("3", "b.example/x:3"), after: ["2"] }],
  kept: [{ at: "b.example/x:0", why: "it is there", rule: "x" }],
  notes: [
    { level: "refused", at: "a.example/y", rule: "y: z", message: "y: z: it cannot be read: no: such" },
    { level: "info", message: "said on the screen alone" },
  ],
};
const hostile = 'no <b>|\u001b[31m & "more"\n';
const applied = {
  complete: false,
  endings: new Map([
    ["1", { outcome: "done", bytes: 12 }],
    ["2", { outcome: "failed", why: hostile }],
    ["3", { outcome: "skipped", why: "2 was not done" }],
  ] as const),
};

test("JSON: each image with what became of it", () => {
  const report = JSON.parse(formatReport("json", plan, applied));
  expect(report).toMatchObject({
    version: 1,
    made: "2026-11-20T14:05:00Z",
    from: "sync.yaml",
    complete: false,
    counts: { done: 1, failed: 1, skipped: 1, refused: 1, kept: 1 },
    bytes: 12,
  });
  expect(report.images[0]).toEqual({
    rule: "x",
    at: "b.example/x:1",
    what: "copy",
    outcome: "done",
    why: "it is not there",
    digest,
    bytes: 12,
  });
  expect(JSON.parse(formatReport("json", { ...plan, notes: [] })).counts).toEqual({ planned: 3, kept: 1 });
});

test("Markdown: what was not there before, and what a registry said breaks no table", () => {
  expect(formatReport("md", plan, applied).split("\n")).toEqual([
    "# Sync of sync.yaml",
    "",
    "2026-11-20T14:05:00Z: 1 done, 1 failed, 1 skipped, 1 refused, 1 kept.",
    "",
    "| | what | where | why |",
    "|---|---|---|---|",
    "| done | copy | `b.example/x:1` | it is not there |",
    '| failed | copy | `b.example/x:2` | no &lt;b>\\| [31m & "more"  |',
    "| skipped | copy | `b.example/x:3` | 2 was not done |",
    "| refused | look | `a.example/y` | it cannot be read: no: such |",
    "",
  ]);
});

test("JUnit: a suite for each mapping, and what a registry said breaks no XML", () => {
  expect(formatReport("xml", plan, applied).split("\n")).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="gantry sync" tests="5" failures="2" skipped="1">',
    '  <testsuite name="x" tests="4" failures="1" skipped="1" timestamp="2026-11-20T14:05:00Z">',
    '    <testcase classname="x" name="copy b.example/x:1"/>',
    '    <testcase classname="x" name="copy b.example/x:2">',
    '      <failure message="failed: no &lt;b&gt;| [31m &amp; &quot;more&quot; "/>',
    "    </testcase>",
    '    <testcase classname="x" name="copy b.example/x:3">',
    '      <skipped message="skipped: 2 was not done"/>',
    "    </testcase>",
    '    <testcase classname="x" name="keep b.example/x:0"/>',
    "  </testsuite>",
    '  <testsuite name="y: z" tests="1" failures="1" skipped="0" timestamp="2026-11-20T14:05:00Z">',
    '    <testcase classname="y: z" name="look a.example/y">',
    '      <failure message="refused: it cannot be read: no: such"/>',
    "    </testcase>",
    "  </testsuite>",
    "</testsuites>",
    "",
  ]);
});
