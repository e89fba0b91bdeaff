import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatPlan, parsePlan } from "../../../src/plan/schema.ts";
import { planPromotion } from "../../../src/policy/promote/plan-promotion.ts";
import { receiptType } from "../../../src/policy/promote/receipt.ts";
import type { Promotion } from "../../../src/policy/promote/state.ts";
import { digest, now, policy, promotion, tag } from "./support.ts";

const dev = "registry.example/dev/app";
const prod = "registry.example/prod/app";

test("to another repository: one copy, the other tags behind it, and a receipt behind all", () => {
  const tags = [tag("1.2.3"), tag("1.2", "1.2.2", { alias: true }), tag("stable", "1.2.2")];
  const { steps, kept, notes } = planPromotion(policy, [promotion({ tags, stage: "prod" })], now);
  expect({ kept, notes }).toEqual({ kept: [], notes: [] });
  expect(steps).toEqual([
    {
      id: "1",
      do: "copy",
      at: `${prod}:1.2.3`,
      why: "for prod: a new tag",
      from: `${dev}:1.2.3@${digest("1.2.3")}`,
      digest: digest("1.2.3"),
      before: null,
    },
    {
      id: "2",
      do: "tag",
      at: `${prod}:1.2`,
      why: "for prod: it moves from 1.2.2 to 1.2.3",
      digest: digest("1.2.3"),
      before: digest("1.2.2"),
      after: ["1"],
    },
    {
      id: "3",
      do: "tag",
      at: `${prod}:stable`,
      why: "for prod: it moves from 1.2.2 to 1.2.3",
      digest: digest("1.2.3"),
      before: digest("1.2.2"),
      after: ["1"],
    },
    {
      id: "4",
      do: "attach",
      at: `${prod}@${digest("1.2.3")}`,
      why: "the receipt of this promotion",
      digest: digest("1.2.3"),
      artifactType: receiptType,
      annotations: {
        "org.opencontainers.image.created": "2026-11-20T14:05:00.000Z",
        "dev.gantry.promotion.kind": "promotion",
        "dev.gantry.promotion.who": "alice",
        "dev.gantry.promotion.stage": "prod",
        "dev.gantry.promotion.tags": "1.2.3,1.2,stable",
      },
      document: {
        version: 1,
        kind: "promotion",
        when: "2026-11-20T14:05:00.000Z",
        who: { name: "alice" },
        digest: digest("1.2.3"),
        from: `${dev}:1.2.3@${digest("1.2.3")}`,
        to: prod,
        stage: "prod",
        tags: [
          { tag: "1.2.3", before: null },
          { tag: "1.2", before: digest("1.2.2") },
          { tag: "stable", before: digest("1.2.2") },
        ],
        release: "1.2.3",
        gates: [],
        tool: "gantry 0.1.0",
      },
      after: ["1", "2", "3"],
    },
  ]);
});

test("in its own repository an image only gets tags", () => {
  const { steps } = planPromotion(policy, [promotion({ to: dev, tags: [tag("prod", "1.2.2"), tag("live")] })], now);
  expect(steps.map(({ do: what, at, after }) => [what, at, after])).toEqual([
    ["tag", `${dev}:prod`, undefined],
    ["tag", `${dev}:live`, undefined],
    ["attach", `${dev}@${digest("1.2.3")}`, ["1", "2"]],
  ]);
});

test("a repository that is not there comes first", () => {
  const { steps } = planPromotion(policy, [promotion({ create: true, tags: [tag("1.2.3"), tag("1")] })], now);
  expect(steps.map(({ do: what, after }) => [what, after])).toEqual([
    ["create repository", undefined],
    ["copy", ["1"]],
    ["tag", ["2"]],
    ["attach", ["2", "3"]],
  ]);
});

test("and is created once for all images that go there", () => {
  const two = [promotion({ create: true }), promotion({ create: true }, "1.2.4")];
  expect(planPromotion(policy, two, now).steps.map(({ do: what, after }) => [what, after])).toEqual([
    ["create repository", undefined],
    ["copy", ["1"]],
    ["attach", ["2"]],
    ["copy", ["1"]],
    ["attach", ["4"]],
  ]);
});

test("what is there already stays, with why, and needs no gate", () => {
  const gates = [{ gate: "age", passed: false, message: "too young" }];
  const plan = planPromotion(policy, [promotion({ tags: [tag("1.2.3", "1.2.3")], gates })], now);
  expect(plan).toMatchObject({
    steps: [],
    notes: [],
    kept: [{ at: `${prod}:1.2.3`, digest: digest("1.2.3"), why: "it names this image already" }],
  });
});

test("a gate that has not passed refuses all tags of the image there", () => {
  const gates = [
    { gate: "age", passed: true, message: "it was built 3d ago" },
    { gate: "requires sbom", passed: false, message: "no sbom is attached" },
  ];
  const other = promotion({ to: "registry.example/eu/app" });
  const tags = [tag("1.2.3"), tag("stable", "1.2.2")];
  const { steps, notes, kept } = planPromotion(policy, [promotion({ gates, tags }), other], now);
  expect(kept).toEqual([
    { at: `${prod}:stable`, digest: digest("1.2.2"), why: `${dev}:1.2.3@${digest("1.2.3")} was refused` },
  ]);
  expect(notes).toEqual([
    {
      level: "refused",
      at: prod,
      message: `${dev}:1.2.3@${digest("1.2.3")}: requires sbom: no sbom is attached`,
    },
  ]);
  expect(steps.map(({ at }) => at)).toEqual([
    "registry.example/eu/app:1.2.3",
    `registry.example/eu/app@${digest("1.2.3")}`,
  ]);
});

test.each([
  ["1.2", "1.2.5", false],
  ["stable", "1.2.5", false],
  ["stable", "2.0.0-rc.1", false],
  ["stable", "1.2.3-rc.1", true],
  ["stable", "1.2.2", true],
])("%s at %s, for 1.2.3: moves %s", (name, at, moves) => {
  const one = promotion({ tags: [tag("1.2.3"), tag(name, at)] });
  const plan = planPromotion(policy, [one], now);
  expect(plan.steps.some((step) => step.at === `${prod}:${name}`)).toBe(moves);
  if (moves) return;
  expect(plan.steps).toEqual([]);
  expect(plan.notes).toEqual([
    {
      level: "refused",
      at: prod,
      message: `${one.from}: ${name} is at ${at} and would go back to 1.2.3 (--force moves it all the same)`,
    },
  ]);
  const forced = planPromotion({ ...policy, force: true }, [one], now);
  expect(forced.steps.map((step) => step.at)).toContain(`${prod}:${name}`);
});

test("how gates were passed stands in the notes and the receipt", () => {
  const gates = [{ gate: "age", passed: true, message: "it was built 3d ago", when: "2026-11-20T14:04:00Z" }];
  const { steps, notes } = planPromotion(policy, [promotion({ gates })], now);
  expect(notes).toEqual([
    { level: "info", at: prod, message: `${dev}:1.2.3@${digest("1.2.3")}: age: it was built 3d ago` },
  ]);
  expect(steps.at(-1)).toMatchObject({ do: "attach", document: { gates } });
});

test("an alias that is further on is left alone, and nothing is refused for it", () => {
  const tags = [tag("1.2.3"), tag("1.2", "1.2.2", { alias: true }), tag("1", "1.9.0", { alias: true })];
  const plan = planPromotion(policy, [promotion({ tags })], now);
  expect(plan.notes).toEqual([]);
  expect(plan.steps.map(({ at }) => at)).toEqual([`${prod}:1.2.3`, `${prod}:1.2`, `${prod}@${digest("1.2.3")}`]);
  expect(plan.kept).toEqual([{ at: `${prod}:1`, digest: digest("1.9.0"), why: "it names a later version: 1.9.0" }]);
});

test("what cannot be told is said: a version that is written over, a tag of which nobody knows the version", () => {
  const tags = [tag("1.2.3", "other", { release: undefined as never }), tag("stable", "other", { release: "main" })];
  const { steps, notes } = planPromotion(policy, [promotion({ tags })], now);
  expect(steps).toHaveLength(3);
  expect(notes).toEqual([
    { level: "warning", at: `${prod}:1.2.3`, message: `it is a version, and named ${digest("other")} before` },
    {
      level: "warning",
      at: `${prod}:stable`,
      message: `nothing tells the version of ${digest("other")}, which it names now: it may go backwards`,
    },
  ]);
});

test("of a set, an alias goes to the latest version, and one receipt says so", () => {
  const of = (release: string): Promotion =>
    promotion({ tags: [tag(release), tag("1.2", undefined, { alias: true })] }, release);
  const { steps } = planPromotion(policy, [of("1.2.4"), of("1.2.10"), of("1.2.9")], now);
  expect(steps.filter(({ at }) => at === `${prod}:1.2`).map((step) => "digest" in step && step.digest)).toEqual([
    digest("1.2.10"),
  ]);
  expect(steps.filter((step) => step.do === "attach")).toHaveLength(3);
});

test("one tag cannot be two images", () => {
  const of = (release: string): Promotion => promotion({ tags: [tag("stable")] }, release);
  expect(() => planPromotion(policy, [of("1.2.4"), of("1.2.5")], now)).toThrow(
    `${prod}:stable would be both ${dev}:1.2.4@${digest("1.2.4")} and ${dev}:1.2.5@${digest("1.2.5")}`,
  );
});

const versions = fc.constantFrom("1.2.2", "1.2.3", "1.3.0", "2.0.0-rc.1", "2.0.0");
const tagNow = fc
  .record({
    name: fc.constantFrom("stable", "latest", "1", "1.2", "prod"),
    names: fc.option(versions, { nil: undefined }),
    alias: fc.boolean(),
    immutable: fc.option(fc.constant("the configuration"), { nil: undefined }),
  })
  .map(({ name, names, alias, immutable }) => tag(name, names, { alias, ...(immutable && { immutable }) }));
const anyPromotion = fc
  .record({
    release: versions,
    place: fc.constantFrom(dev, prod),
    tags: fc.uniqueArray(tagNow, { minLength: 1, maxLength: 4, selector: (one) => one.tag }),
    passed: fc.boolean(),
  })
  .map(({ release, place, tags, passed }) =>
    promotion({ to: place, tags, gates: passed ? [] : [{ gate: "age", passed, message: "too young" }] }, release),
  );

test("no immutable tag moves, and none goes backwards, unless forced; what is refused is refused whole", () => {
  fc.assert(
    fc.property(anyPromotion, (one) => {
      const plan = planPromotion(policy, [one], now);
      const moved = plan.steps.filter((step) => step.do === "tag" || step.do === "copy");
      const rank = ["1.2.2", "1.2.3", "1.3.0", "2.0.0-rc.1", "2.0.0"];
      for (const { at } of moved) {
        const { names, immutable, release } = one.tags.find(({ tag: name }) => at === `${one.to}:${name}`)!;
        expect(names !== null && immutable !== undefined).toBe(false);
        if (release !== undefined) expect(rank.indexOf(release)).toBeLessThan(rank.indexOf(one.release!));
      }
      const refused = plan.notes.some(({ level }) => level === "refused");
      if (refused) expect(plan.steps).toEqual([]);
      if (moved.length > 0) expect(one.gates).toEqual([]);
      expect(plan.steps.filter((step) => step.do === "attach")).toHaveLength(moved.length > 0 ? 1 : 0);
    }),
  );
});

test("planning after applying yields nothing, and a plan reads as it was written", () => {
  fc.assert(
    fc.property(anyPromotion, fc.boolean(), (one, force) => {
      const plan = planPromotion({ ...policy, force }, [one], now);
      expect(parsePlan({ name: "plan", value: JSON.parse(formatPlan(plan)) })).toEqual(plan);
      if (plan.steps.length === 0) return;
      const moved = new Set(plan.steps.map(({ at }) => at));
      const after = one.tags.map((old) => (moved.has(`${one.to}:${old.tag}`) ? tag(old.tag, one.release) : old));
      const again = planPromotion({ ...policy, force }, [{ ...one, tags: after }], now);
      expect(again.steps).toEqual([]);
    }),
  );
});
