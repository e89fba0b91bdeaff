import * as fc from "fast-check";
import { expect, test } from "vitest";
import { previousOf, tagHistory, type ReceiptsOf } from "../../../src/policy/promote/history.ts";
import { planPromotion } from "../../../src/policy/promote/plan-promotion.ts";
import { planRollback, type RollbackTag } from "../../../src/policy/promote/plan-rollback.ts";
import { applyTo, digest, now, policy, promotion, tag, type Place } from "./support.ts";

const prod = "registry.example/prod/app";
const receiptsIn =
  ({ receipts }: Place): ReceiptsOf =>
  async (of) =>
    receipts.get(of) ?? [];

let minutes = 0;
const later = (): Date => new Date(now.getTime() + minutes++ * 60_000);

function promoteTo(place: Place, release: string): void {
  const stable = { ...tag("stable"), names: place.tags.get("stable") ?? null };
  applyTo(place, planPromotion({ ...policy, force: true }, [promotion({ tags: [stable] }, release)], later()));
}

async function rollBack(place: Place): Promise<boolean> {
  const names = place.tags.get("stable") ?? null;
  const history = await tagHistory("stable", names, prod, receiptsIn(place));
  const to = previousOf(history, "stable")?.digest ?? null;
  const plan = planRollback(policy, { repository: prod, tags: [{ tag: "stable", names, to, isThere: true }] }, later());
  applyTo(place, plan);
  return plan.steps.length > 0;
}

test("the history of a tag goes from image to image, the last first, and a rollback is part of it", async () => {
  const place: Place = { tags: new Map(), receipts: new Map() };
  for (const release of ["1.0.0", "1.1.0", "1.2.0"]) promoteTo(place, release);
  expect(await rollBack(place)).toBe(true);
  expect(place.tags.get("stable")).toBe(digest("1.1.0"));
  const history = await tagHistory("stable", digest("1.1.0"), prod, receiptsIn(place));
  expect(history.map(({ receipt }) => [receipt.kind, receipt.digest, receipt.tags[0]!.before])).toEqual([
    ["rollback", digest("1.1.0"), digest("1.2.0")],
    ["promotion", digest("1.2.0"), digest("1.1.0")],
    ["promotion", digest("1.1.0"), digest("1.0.0")],
    ["promotion", digest("1.0.0"), null],
  ]);
});

test("a rollback goes back as a stack does: each goes one promotion further, whatever came between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("1.0.0", "1.1.0", "1.2.0", "back"), { maxLength: 12 }), async (moves) => {
      const place: Place = { tags: new Map(), receipts: new Map() };
      const stack: string[] = [];
      for (const move of moves) {
        if (move === "back") {
          const can = stack.length > 1;
          expect(await rollBack(place)).toBe(can);
          if (can) stack.pop();
        } else if (stack.at(-1) !== move) {
          promoteTo(place, move);
          stack.push(move);
        }
        expect(place.tags.get("stable")).toBe(stack.length === 0 ? undefined : digest(stack.at(-1)!));
      }
    }),
    { numRuns: 200 },
  );
});

test("receipts that lead in a circle, all of the future, end", async () => {
  const place: Place = { tags: new Map(), receipts: new Map() };
  for (const release of ["1.1.0", "1.0.0", "1.1.0"]) promoteTo(place, release);
  place.receipts.set(digest("1.1.0"), place.receipts.get(digest("1.1.0"))!.slice(1));
  for (const all of place.receipts.values()) {
    for (const one of all) Object.assign(one.receipt, { when: "2099-01-01T00:00:00Z" });
  }
  const history = await tagHistory("stable", digest("1.1.0"), prod, receiptsIn(place));
  expect(history.map(({ receipt }) => receipt.digest)).toEqual([digest("1.1.0"), digest("1.0.0")]);
});

test("a receipt of another repository, which came along with a copy, tells nothing", async () => {
  const place: Place = { tags: new Map(), receipts: new Map() };
  promoteTo(place, "1.0.0");
  expect(await tagHistory("stable", digest("1.0.0"), "registry.example/staging/app", receiptsIn(place))).toEqual([]);
});

const back = (more: Partial<RollbackTag> = {}): RollbackTag => ({
  tag: "stable",
  names: digest("1.2.4"),
  to: digest("1.2.3"),
  isThere: true,
  ...more,
});

test("tags go back, each to what it named, with a receipt at each image; what was new stays", () => {
  const tags = [
    back({ releases: { names: "1.2.4", to: "1.2.3" } }),
    back({ tag: "1", to: digest("1.1.0") }),
    back({ tag: "1.2.4", to: null }),
  ];
  const plan = planRollback({ ...policy, reason: "it is slow" }, { repository: prod, stage: "prod", tags }, now);
  expect(plan.kind).toBe("rollback");
  expect(plan.steps.map(({ do: what, at, after }) => [what, at, after])).toEqual([
    ["tag", `${prod}:stable`, undefined],
    ["attach", `${prod}@${digest("1.2.3")}`, ["1"]],
    ["tag", `${prod}:1`, undefined],
    ["attach", `${prod}@${digest("1.1.0")}`, ["3"]],
  ]);
  expect(plan.steps[0]!.why).toBe("it goes back from 1.2.4 to 1.2.3");
  expect(plan.steps[2]!.why).toBe(`it goes back from ${digest("1.2.4")} to ${digest("1.1.0")}`);
  expect(plan.steps[1]).toMatchObject({
    document: {
      release: "1.2.3",
      kind: "rollback",
      stage: "prod",
      digest: digest("1.2.3"),
      from: `${prod}@${digest("1.2.3")}`,
      tags: [{ tag: "stable", before: digest("1.2.4") }],
      reason: "it is slow",
    },
  });
  expect(plan.kept).toEqual([
    { at: `${prod}:1.2.4`, digest: digest("1.2.4"), why: "it was new with that promotion, and stays" },
  ]);
});

test.each([
  [{ isThere: false }, `${digest("1.2.3")}, which it named before, is not there any more`],
  [{ immutable: "the configuration" }, "it must not move: so says the configuration (--force moves it all the same)"],
])("where one cannot go back, none does: %j", (more, message) => {
  const plan = planRollback(policy, { repository: prod, tags: [back({ tag: "1" }), back(more)] }, now);
  expect(plan.steps).toEqual([]);
  expect(plan.notes).toEqual([{ level: "refused", at: `${prod}:stable`, message }]);
});
