import { describe, expect, test } from "vitest";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { digestOf, type Digest } from "../../../src/oci/digest.ts";
import type { Plan, Step } from "../../../src/plan/plan.ts";
import { protection } from "../../../src/policy/protect.ts";
import { planRetention, type RetentionState } from "../../../src/policy/retain/plan-retention.ts";
import type { RetentionPolicy } from "../../../src/policy/retain/retention.ts";
import { digest, inventory, now, type Sketch } from "./scene.ts";

const old: RetentionPolicy = { version: 1, rules: [{ delete: { olderThan: "30d" } }] };

function planned(
  of: Readonly<Record<string, Sketch>>,
  policy: RetentionPolicy = old,
  state: Partial<RetentionState> = {},
): Plan & { readonly does: readonly string[] } {
  const from = inventory(of);
  const plan = planRetention(policy, { inventories: [from], ...state }, now);
  const names = new Map(Object.keys(of).map((name) => [digest(name), name]));
  const does = plan.steps.map(
    (step) => `${step.do} ${isTag(step) ? step.at.split(":")[1] : names.get(step.at.split("@")[1] as Digest)}`,
  );
  return { ...plan, does };
}

const isTag = ({ do: what }: Step): boolean => what === "delete tag";
const hex = (name: string): string => digest(name).replace(":", "-");

describe("what goes along, and what stays", () => {
  test("a cut tag of a sha512 digest is no tag of an image: it stays with what it is about, and goes with it", () => {
    const long = digestOf("long", "sha512");
    const signature = `sha512-${long.slice(7, 71)}.sig`;
    const steps = (age: number): readonly unknown[] => {
      const from = inventory({ image: { tags: ["v1"], age }, sig: { tags: [signature], age: 40 } });
      const image: Held = { ...from.manifests.get(digest("image"))!, digest: long };
      const manifests = new Map([[long, image] as const, [digest("sig"), from.manifests.get(digest("sig"))!] as const]);
      const tags = new Map([...from.tags, ["v1", long] as const]);
      const plan = planRetention(
        { ...old, rules: [{ ...old.rules[0]!, allowEmpty: true }] },
        { inventories: [{ ...from, manifests, tags }] },
        now,
      );
      return plan.steps.map((step) => step.at.split("@")[1]);
    };
    expect(steps(10)).toEqual([]);
    expect(steps(40)).toEqual([long, digest("sig")]);
  });

  test("an index goes before its parts, and what is attached goes after what it is attached to", () => {
    const { steps, does } = planned({
      keep: { tags: ["new"] },
      index: { tags: ["1.0", "1"], age: 40, children: ["amd64", "arm64"] },
      amd64: { age: 40 },
      arm64: { age: 40 },
      sbom: { age: 40, subject: "amd64" },
      signature: { age: 40, tags: [`${hex("index")}.sig`] },
    });
    expect(does.toSorted()).toEqual([
      "delete manifest amd64",
      "delete manifest arm64",
      "delete manifest index",
      "delete manifest sbom",
      "delete manifest signature",
    ]);
    const idOf = (name: string): string => steps.find((step) => "digest" in step && step.digest === digest(name))!.id;
    const stepOf = (name: string) => steps.find(({ id }) => id === idOf(name));
    expect(stepOf("index")).toMatchObject({ do: "delete manifest", tags: ["1.0", "1"], rule: "rules[0]" });
    expect(stepOf("index")).not.toHaveProperty("after");
    for (const name of ["amd64", "arm64", "signature"]) expect(stepOf(name)).toMatchObject({ after: [idOf("index")] });
    expect(stepOf("sbom")).toMatchObject({ after: [idOf("amd64")], why: `attached to ${digest("amd64")}, which goes` });
    expect(stepOf("amd64")).toMatchObject({
      why: `a part of the index ${digest("index")}, which goes`,
      rule: "rules[0]",
    });
  });

  test("parts that the index of another tag has, too, stay", () => {
    const { does } = planned({
      old: { tags: ["old"], age: 40, children: ["shared", "own"] },
      new: { tags: ["new"], age: 1, children: ["shared"] },
      shared: { age: 40 },
      own: { age: 40 },
    });
    expect(does).toEqual(["delete manifest old", "delete manifest own"]);
  });

  test("a tag goes alone where its manifest has another, or an index needs it", () => {
    const { does, kept } = planned(
      {
        twice: { tags: ["pr-1", "1.0"], age: 40 },
        index: { tags: ["2.0"], age: 1, children: ["part"] },
        part: { tags: ["2.0-amd64"], age: 40 },
      },
      { version: 1, rules: [{ tags: ["1.0"], keep: { always: true } }, ...old.rules] },
    );
    expect(does).toEqual(["delete tag 2.0-amd64", "delete tag pr-1"]);
    expect(kept.map(({ at }) => at)).toEqual(["registry.example/app:1.0", "registry.example/app:2.0"]);
  });

  test("what a kept artifact is attached to stays, but for its tag", () => {
    const { does } = planned({ image: { tags: ["1.0"], age: 40 }, sbom: { tags: ["sbom"], age: 1, subject: "image" } });
    expect(does).toEqual(["delete tag 1.0"]);
  });

  test("an image stays, though not its tags, while what a sha256- tag attaches to it has a tag that stays", () => {
    const { does } = planned({
      image: { tags: ["1.0"], age: 40 },
      signature: { tags: [`${hex("image")}.sig`, "signature"], age: 1 },
    });
    expect(does).toEqual(["delete tag 1.0"]);
  });

  test("a tag that cannot go alone stays, and that is said when it is planned", () => {
    const two = { twice: { tags: ["1.0", "new"], age: 40 } };
    const planOf = (sketches: Readonly<Record<string, Sketch>>, tagDeletion: Inventory["tagDeletion"]) => {
      const inventories = [inventory(sketches, tagDeletion && { tagDeletion })];
      const rules = [{ tags: ["*.*"], delete: { olderThan: "30d" } }];
      const { steps, kept, notes } = planRetention({ version: 1, rules }, { inventories }, now);
      return {
        does: steps.map((step) => `${step.do} ${step.at.split(":").at(-1)}`),
        kept: kept.map(({ at, why }) => `${at.split(":").at(-1)}: ${why}`).sort(),
        notes: notes.map(({ level, message }) => `${level}: ${message}`),
      };
    };
    expect(planOf(two, undefined)).toMatchObject({ does: ["delete tag 1.0"], notes: [] });
    expect(planOf(two, "not everywhere")).toMatchObject({
      does: ["delete tag 1.0"],
      notes: [
        "info: 1 tag is to go from an image that stays, which not every registry can do: where this one cannot, that fails, and nothing else with it",
      ],
    });
    const alone = "its image stays, and this registry cannot take away one tag";
    expect(planOf(two, "impossible")).toEqual({
      does: [],
      kept: [`1.0: ${alone}`, "new: no rule is for it"],
      notes: ["warning: 1 tag that the policy is against stays: this registry takes away whole images alone"],
    });
    const part = { index: { tags: ["new"], children: ["part"] }, part: { tags: ["1.0", "1.1"], age: 40 } };
    expect(planOf(two, "takes the image along").does).toEqual(["delete tag 1.0"]);
    const found = planOf(part, "takes the image along");
    const last = `with its last tag the image would go, and it is needed: a part of the index ${digest("index")}`;
    expect(found).toMatchObject({ does: [], kept: [`1.0: ${last}`, `1.1: ${last}`, "new: no rule is for it"] });
  });

  test("sha256- tags are of no rule: neither counted, nor taken while their images stay", () => {
    const { does } = planned({ image: { tags: ["1.0"] }, signature: { tags: [`${hex("image")}.sig`], age: 40 } });
    expect(does).toEqual([]);
  });

  test("manifests that are attached to one another in a ring stay", () => {
    const { does } = planned(
      {
        image: { tags: ["new"] },
        one: { tags: [hex("two")], age: 40 },
        two: { tags: [hex("one")], age: 40 },
      },
      {
        version: 1,
        rules: [
          { untagged: true, delete: { olderThan: "1d" } },
          { orphaned: true, delete: { olderThan: "1d" } },
        ],
      },
    );
    expect(does).toEqual([]);
  });

  test("images in use, immutable, locked and protected ones stay with all their tags", () => {
    const { does, kept } = planned(
      {
        used: { tags: ["a", "b"], age: 40 },
        fixed: { tags: ["c"], age: 40, immutable: true },
        locked: { tags: ["d"], age: 40, state: "locked" },
        named: { tags: ["e"], age: 40 },
        pinned: { tags: ["f"], age: 40 },
        gone: { tags: ["g"], age: 40 },
      },
      old,
      {
        inUse: [{ reference: "registry.example/app:a", by: "pod web" }],
        protect: protection(["e*", digest("pinned")]),
      },
    );
    expect(does).toEqual(["delete manifest gone"]);
    expect(kept.map(({ at, why }) => `${at.split(":")[1]} ${why}`)).toEqual([
      "a in use by pod web",
      "b in use by pod web",
      "c it is immutable",
      "d it is locked",
      "e protected by e*",
      `f protected by ${digest("pinned")}`,
    ]);
  });

  test.each([
    ["a part by its repository and digest", `registry.example/app@${digest("x")}`],
    ["a part by its digest", digest("x")],
    ["its configuration", digest("blob x")],
    ["its configuration, in the repository", `registry.example/app@${digest("blob x")}`],
    ["a part that is not there", digest("missing")],
  ])("with %s in use, the indexes that are made of it stay, with their tags and signatures", (_, reference) => {
    const { does, kept } = planned(
      {
        new: { tags: ["new"] },
        outer: { tags: ["1"], age: 40, children: ["index"] },
        index: { tags: ["1.0"], age: 40, children: ["x", "y", "missing"] },
        signature: { tags: [`${hex("index")}.sig`], age: 40 },
        other: { tags: ["0.9"], age: 40, children: ["y"] },
        x: {},
        y: {},
      },
      old,
      { inUse: [{ reference, by: "pod web" }] },
    );
    expect(does).toEqual(["delete manifest other"]);
    const whys = kept.map(({ at, why }) => `${at.slice("registry.example/app:".length)} ${why}`);
    expect(whys).toEqual(expect.arrayContaining(["1 in use by pod web", "1.0 in use by pod web"]));
  });

  test("bytes are those that only what goes has, what they share in the first", () => {
    const { steps } = planned({
      new: { tags: ["new"], blobs: ["base", "new"] },
      one: { tags: ["1"], age: 50, blobs: ["base", "shared", "1"] },
      two: { tags: ["2"], age: 50, blobs: ["base", "shared", "2"] },
    });
    expect(steps.map(({ bytes }) => bytes)).toEqual([2100, 1100]);
  });
});

describe("without tags", () => {
  const untagged: RetentionPolicy = { version: 1, rules: [{ untagged: true, delete: { olderThan: "7d" } }] };

  test("an untagged rule takes what is old and belongs to nobody, with its parts", () => {
    const { does, kept } = planned(
      {
        image: { tags: ["1.0"], age: 90, children: ["part"] },
        part: { age: 90 },
        sbom: { age: 90, subject: "image" },
        moved: { age: 8, children: ["below"] },
        below: { age: 8 },
        fresh: { age: 6 },
      },
      untagged,
    );
    expect(does).toEqual(["delete manifest moved", "delete manifest below"]);
    expect(kept.map(({ at, why }) => `${at} ${why}`)).toEqual([
      "registry.example/app:1.0 no rule is for it",
      `registry.example/app@${digest("fresh")} pushed less than 7d ago`,
    ]);
  });

  test("an orphaned rule takes what is attached to images that are gone, and nothing else", () => {
    const { does } = planned(
      {
        image: { tags: ["1.0"], age: 90 },
        sbom: { age: 90, subject: "image" },
        lost: { age: 90, subject: "no more" },
        signature: { age: 90, tags: [`${hex("no more")}.sig`] },
        moved: { age: 90 },
      },
      { version: 1, rules: [{ orphaned: true, delete: { olderThan: "1d" } }] },
    );
    expect(does.toSorted()).toEqual(["delete manifest lost", "delete manifest signature"]);
  });
});

describe("brakes", () => {
  const two = { one: { tags: ["1"], age: 40 }, two: { tags: ["2"], age: 50 } };
  const three = { ...two, new: { tags: ["new"] } };
  const refused = (plan: Plan): readonly string[] =>
    plan.notes.flatMap(({ level, message }) => (level === "refused" ? [message] : []));

  test("the last image with a tag does not go unless that is said", () => {
    const plan = planned(two);
    expect(plan.does).toEqual([]);
    expect(refused(plan)).toEqual([expect.stringContaining("would leave no image with a tag of 2")]);
    expect(plan.kept.map(({ why }) => why)).toEqual([
      expect.stringContaining("nothing goes here: "),
      expect.stringContaining("nothing goes here: "),
    ]);
    const both = ["delete manifest one", "delete manifest two"];
    expect(planned(two, old, { allowEmpty: true }).does.toSorted()).toEqual(both);
    const said = { version: 1, rules: [{ ...old.rules[0]!, allowEmpty: true }] } as const;
    expect(planned(two, said).does.toSorted()).toEqual(both);
  });

  test("minKeep and maxDelete hold nothing back or everything", () => {
    expect(refused(planned(three, { ...old, minKeep: 2 }))).toEqual([
      "the policy would leave 1 of 3 images with tags, and minKeep is 2",
    ]);
    expect(planned(three, { ...old, minKeep: 1 }).does).toHaveLength(2);
    expect(refused(planned(three, { ...old, maxDelete: 1 }))).toEqual([
      "the policy would take 2 of 3 tags and images, and maxDelete is 1",
    ]);
    expect(refused(planned(three, { ...old, maxDelete: "50%" }))).toHaveLength(1);
    expect(planned(three, { ...old, maxDelete: "67%" }).does).toHaveLength(2);
  });

  test("maxDelete counts no signatures, on registries with lists of them by tags neither; those of nothing count", () => {
    const signed = (name: string, age: number): Readonly<Record<string, Sketch>> => ({
      [name]: { tags: [name], age },
      [`signature of ${name}`]: { tags: [`${hex(name)}.sig`, `${hex(name)}.att`], age },
      [`sbom of ${name}`]: { subject: name, age },
      [`list of ${name}`]: { tags: [hex(name)], children: [`sbom of ${name}`], age },
    });
    const state = { ...signed("one", 40), ...signed("two", 10), ...signed("three", 10) };
    expect(planned(state, { ...old, maxDelete: 1 }).does).toHaveLength(4);
    expect(refused(planned(state, { ...old, maxDelete: "33%" }))).toEqual([
      "the policy would take 1 of 3 tags and images, and maxDelete is 33%",
    ]);
    expect(planned(state, { ...old, maxDelete: "34%" }).does).toHaveLength(4);
    const orphans = {
      image: { tags: ["1.0"] },
      lost: { age: 90, tags: [`${hex("no more")}.sig`, `${hex("no more")}.att`] },
      young: { tags: [`${hex("no more")}.sbom`] },
    };
    const policy: RetentionPolicy = { version: 1, rules: [{ orphaned: true, delete: { olderThan: "1d" } }] };
    expect(refused(planned(orphans, { ...policy, maxDelete: 0 }))).toEqual([
      "the policy would take 1 of 3 tags and images, and maxDelete is 0",
    ]);
  });

  test("what cannot be read holds back its repository, and no other", () => {
    const inventories = [
      inventory(three, { gaps: [{ at: "registry.example/app@sha256:0", why: "500" }] }),
      inventory(three, { repository: "registry.example/other" }),
    ];
    const plan = planRetention(old, { inventories }, now);
    expect(plan.steps.map(({ at }) => at.split("@")[0])).toEqual(["registry.example/other", "registry.example/other"]);
    expect(refused(plan)).toEqual([
      "registry.example/app@sha256:0 cannot be read, so that nobody knows what it needs: 500",
    ]);
  });

  test("that a registry lists nothing without a tag is said, and no more of rules for that", () => {
    const rules = [
      { untagged: true, delete: { olderThan: "7d" } },
      { orphaned: true, delete: { olderThan: "7d" } },
    ] as const;
    const notes = (listsUntagged: boolean) =>
      planRetention({ version: 1, rules }, { inventories: [inventory(three, { listsUntagged })] }, now).notes;
    expect(notes(true)).toEqual([]);
    expect(notes(false)).toEqual([
      { level: "warning", message: "rules[0]: it selects nothing: these registries list no images without a tag" },
    ]);
  });

  test("a first rule that selects nothing has none before it to blame", () => {
    const typo = { name: "typo", tags: ["relase-*"], keep: { newest: 3 } };
    const elsewhere = { repositories: ["tema/*"], keep: { newest: 3 } };
    expect(planned(three, { version: 1, rules: [elsewhere, typo, ...old.rules] }).notes).toEqual([
      { level: "warning", message: "rules[0]: it is for none of these repositories" },
      { level: "warning", message: "typo: it selects nothing: no tag is as it says" },
    ]);
  });

  test("rules that select nothing are named", () => {
    const rules = [
      ...old.rules,
      { name: "typo", tags: ["relase-*"], keep: { newest: 3 } },
      { repositories: ["tema/*"], keep: { newest: 3 } },
    ];
    expect(planned(three, { version: 1, rules }).notes).toEqual([
      { level: "warning", message: "typo: it selects nothing that is left to it by the rules before it" },
      { level: "warning", message: "rules[2]: it is for none of these repositories" },
    ]);
  });
});
