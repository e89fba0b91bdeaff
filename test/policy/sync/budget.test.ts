import * as fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import { budgetOf, ledger, type Load, type Verdict, type Weight } from "../../../src/policy/sync/budget.ts";
import type { BudgetFile } from "../../../src/policy/sync/sync-file.ts";

const digest = (name: string): Digest => digestOf(Buffer.from(name));
const weight = (parts: Readonly<Record<string, number>>): Weight =>
  new Map(Object.entries(parts).map(([name, size]) => [digest(name), size]));

/** An image by its name, of docker.io for a mirror. */
const load = (image: string, parts?: Readonly<Record<string, number>>, more: Partial<Load> = {}): Load => ({
  image,
  from: "docker.io",
  to: "mirror.example",
  pulls: 1,
  ...(parts && { weight: weight(parts) }),
  ...more,
});

function asked(budget: BudgetFile | undefined, loads: readonly Load[]): readonly string[] {
  const pay = ledger(budget && budgetOf(budget), new Set(["docker.io"]));
  return loads.map((one) => {
    const verdict: Verdict = pay(one);
    if ("later" in verdict) return `later: ${verdict.later}`;
    if ("never" in verdict) return `never: ${verdict.never}`;
    return "unweighed" in verdict ? "unweighed" : `taken ${verdict.bytes ?? "-"}`;
  });
}

const spent = "later: the budget of the run is 100 B";

test.each<[string, BudgetFile | undefined, readonly Load[], readonly string[]]>([
  ["no budget, and room for all", undefined, [load("a")], ["taken -"]],
  [
    "what images share counts once",
    { bytes: "100" },
    [load("a", { base: 60, a: 20 }), load("b", { base: 60, b: 20 })],
    ["taken 80", "taken 20"],
  ],
  [
    "what does not fit holds back all behind it, but for what costs nothing",
    { bytes: "100" },
    [load("a", { a: 60 }), load("b", { b: 50 }), load("c", { c: 1 }), load("a", { a: 60 }, { to: "other.example" })],
    ["taken 60", spent, spent, "taken -"],
  ],
  [
    "what is larger than the budget holds nothing back",
    { bytes: "100" },
    [load("a", { a: 101 }), load("b", { b: 100 })],
    ["never: it takes 101 B, and the budget of the run is 100 B", "taken 100"],
  ],
  ["what is not weighed waits for that", { bytes: "100" }, [load("a")], ["unweighed"]],
  [
    "nothing is weighed once the budget is used up",
    { bytes: "100" },
    [load("a", { a: 60 }), load("b", { b: 50 }), load("c")],
    ["taken 60", spent, spent],
  ],
  [
    "what cannot be weighed is not copied",
    { bytes: "100" },
    [load("a", undefined, { weight: { failed: "503" } }), load("b", { b: 1 })],
    ["never: it cannot be weighed: 503", "taken 1"],
  ],
  [
    "pulls count where they are counted, once for all destinations",
    { pulls: 9 },
    [
      load("a", undefined, { pulls: 9 }),
      load("a", undefined, { to: "b", pulls: 9 }),
      load("b"),
      load("c", undefined, { from: "quay.io" }),
    ],
    ["taken -", "taken -", "later: the budget of the run is 9 pulls", "taken -"],
  ],
  [
    "what is weighed is pulled twice",
    { bytes: "100", pulls: 3 },
    [load("a", { a: 1 }), load("b")],
    ["taken 1", "later: the budget of the run is 3 pulls"],
  ],
  [
    "nothing is weighed for which there are no pulls",
    { bytes: "100", pulls: 5 },
    [load("a"), load("a", undefined, { to: "b" }), load("b"), load("c")],
    ["unweighed", "unweighed", "unweighed", "later: the budget of the run is 5 pulls"],
  ],
  [
    "each registry has its own, for what comes and what goes",
    { registries: { "mirror.example": { bytes: "10" }, "docker.io": { pulls: 4 } } },
    [
      load("a", { a: 9 }),
      load("b", { b: 2 }),
      load("c", { c: 2 }, { to: "other.example" }),
      load("d", { d: 1 }, { from: "quay.io" }),
    ],
    [
      "taken 9",
      "later: the budget of mirror.example is 10 B",
      "taken -",
      "later: the budget of mirror.example is 10 B",
    ],
  ],
  [
    "a registry that is named pays pulls, whoever counts them",
    { registries: { "quay.io": { pulls: 1 } } },
    [load("a", undefined, { from: "quay.io" }), load("b", undefined, { from: "quay.io" })],
    ["taken -", "later: the budget of quay.io is 1 pull"],
  ],
])("%s", (_, budget, loads, verdicts) => {
  expect(asked(budget, loads)).toEqual(verdicts);
});

test("Docker Hub has one name, however it is written", () => {
  expect([...budgetOf({ registries: { "index.docker.io": { pulls: 1 } } }).registries.keys()]).toEqual(["docker.io"]);
});

const sizes = { a: 5, b: 10, c: 20, d: 40, e: 60, f: 1 } as const;
const images = fc.uniqueArray(fc.subarray(Object.keys(sizes) as (keyof typeof sizes)[], { minLength: 1 }), {
  maxLength: 12,
  selector: (names) => names.join(),
});

test("no run goes over its budget, and after enough of them all is there that fits at all", () => {
  fc.assert(
    fc.property(images, fc.integer({ min: 1, max: 140 }), (all, bytes) => {
      let left = all.map((names) => load(names.join(), Object.fromEntries(names.map((name) => [name, sizes[name]]))));
      for (const _ of all) {
        const pay = ledger(budgetOf({ bytes: String(bytes) }), new Set());
        const verdicts = left.map((one) => ({ one, verdict: pay(one) }));
        const moved = new Map(
          verdicts.flatMap(({ one: { weight: of }, verdict }) =>
            "taken" in verdict ? [...(of as ReadonlyMap<Digest, number>)] : [],
          ),
        );
        expect([...moved.values()].reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes);
        left = verdicts.flatMap(({ one, verdict }) => ("later" in verdict ? [one] : []));
      }
      expect(left).toEqual([]);
    }),
  );
});
