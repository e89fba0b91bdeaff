import { expect, test } from "vitest";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { checkTags } from "../../../src/policy/tags/check-tags.ts";
import { noHistory, parseTagHistory, recordTags, type TagHistory } from "../../../src/policy/tags/history.ts";
import { planFixes } from "../../../src/policy/tags/plan-fixes.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const repository = "registry.example/app";

/** A repository: images by a letter, with their tags. */
function inventory(
  images: Readonly<Record<string, readonly string[]>>,
  more: Readonly<Record<string, Partial<Held>>> = {},
  rest: Partial<Inventory> = {},
): Inventory {
  const held = Object.entries(images).map(([letter, tags]): Held => ({
    digest: digest(letter),
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    size: 1,
    blobs: [],
    children: [],
    tags,
    ...more[letter],
  }));
  return {
    repository,
    manifests: new Map(held.map((one) => [one.digest, one])),
    tags: new Map(held.flatMap(({ digest: named, tags }) => tags.map((tag) => [tag, named] as const))),
    listsUntagged: true,
    gaps: [],
    ...rest,
  };
}

const found = (images: Inventory, history?: TagHistory): readonly string[] =>
  checkTags(images, history).map(({ severity, rule, at }) => `${severity} ${rule} ${at.slice(repository.length)}`);

test.each<[string, Readonly<Record<string, readonly string[]>>, readonly string[]]>([
  [
    "a repository as it should be",
    { a: ["1.0.0"], b: ["1.1.0", "1.1", "1", "latest"], c: ["main", "sha-860c190"] },
    [],
  ],
  ["nothing but latest", { a: ["latest"] }, ["warning only-latest "]],
  ["nothing but the latest of variants", { a: ["latest"], b: ["latest-alpine"] }, ["warning only-latest "]],
  [
    "dates alone, of every form",
    { a: ["20260102"], b: ["2026-01-03"], c: ["2026.01.04", "latest"] },
    ["info only-dates "],
  ],
  ["dates alone, with latest", { a: ["20260102"], b: ["2026-01-03", "latest"] }, ["info only-dates "]],
  ["no tags", {}, []],
  ["an alias that is behind", { a: ["1.2.3", "1.2"], b: ["1.2.4", "1"] }, ["warning alias-behind :1.2"]],
  ["latest that is behind", { a: ["1.2.3", "latest"], b: ["1.3.0"] }, ["warning alias-behind :latest"]],
  ["an alias with v", { a: ["v1.2.3", "v1"], b: ["v1.3.0"] }, ["warning alias-behind :v1"]],
  ["an alias of nothing that is there", { a: ["3.1"], b: ["1.3.0"] }, []],
  ["variants each have their own", { a: ["1.0.0", "1"], b: ["1.1.0-alpine", "1-alpine"] }, []],
  ["a pre-release moves no alias", { a: ["1.0.0", "1", "latest"], b: ["1.1.0-rc.1"] }, []],
  ["a pre-release as latest", { a: ["1.0.0-rc.1", "latest"] }, ["warning prerelease-latest :latest"]],
  ["with and without v", { a: ["v1.0.0"], b: ["1.1.0"] }, ["info mixed-prefix "]],
  ["upper and lower case", { a: ["Main"], b: ["main"] }, ["warning case-only "]],
  ["an image that tags moved on from", { a: [], b: ["1.0.0"] }, ["info left-behind "]],
])("%s", (_, images, findings) => {
  expect(found(inventory(images))).toEqual(findings);
});

test("what belongs to tagged images is not left behind, nor a tag of attachments looked at", () => {
  const more = { i: { children: [digest("c")] }, s: { subject: digest("i") }, o: { subject: digest("z") } };
  const images = inventory({ i: ["1.0.0"], c: [], s: [], o: [], t: [`sha256-${"c".repeat(64)}.sig`] }, more);
  expect(found(images)).toEqual([]);
});

test("an index left behind counts once, and not its images", () => {
  const images = inventory({ i: [], c: [], a: ["1.0.0"] }, { i: { children: [digest("c")] } });
  const [finding] = checkTags(images);
  expect(finding?.message).toBe(`no tag leads to ${digest("i")}: tags moved on from them`);
});

test("a version that came after the next one was probably published again", () => {
  const pushed = (day: string): Partial<Held> => ({ pushed: Date.parse(`2026-01-${day}`) });
  const images = { a: ["1.0.0"], b: ["1.0.1"], c: ["1.1.0"], d: ["0.9.0"] };
  const more = { a: pushed("05"), b: pushed("04"), c: pushed("01"), d: pushed("09") };
  const findings = checkTags(inventory(images, more));
  expect(findings.map(({ severity, at, message }) => [severity, at, message])).toEqual([
    [
      "warning",
      `${repository}:1.0.0`,
      "the image of 1.0.0 came on 2026-01-05, after that of 1.0.1: it was probably published again",
    ],
  ]);
});

test("a version that its service keeps from being moved now is nothing to worry about, whenever it came", () => {
  const pushed = (day: string): number => Date.parse(`2026-01-${day}`);
  const more = { a: { pushed: pushed("05"), immutable: true }, b: { pushed: pushed("04") } };
  expect(found(inventory({ a: ["1.0.0"], b: ["1.0.1"] }, more))).toEqual(["info overwritten :1.0.0"]);
});

test("platforms that the version before has", () => {
  const more = { a: { platforms: ["linux/amd64", "linux/arm64"] }, b: { platforms: ["linux/amd64"] }, c: {} };
  const [finding, ...others] = checkTags(inventory({ a: ["1.0.0"], b: ["1.1.0"], c: ["1.2.0"] }, more));
  expect(finding).toMatchObject({
    at: `${repository}:1.1.0`,
    message: "1.1.0 is not there for linux/arm64, and 1.0.0 is",
  });
  expect(others).toEqual([]);
});

test("history knows versions that were overwritten, left behind and removed", () => {
  const first = recordTags(
    noHistory,
    inventory({ a: ["1.0.0", "latest"], b: ["1.1.0"] }),
    new Date("2026-01-01T00:00:00Z"),
  );
  const now = inventory({ a: [], c: ["1.0.0", "latest"] });
  expect(found(now, first)).toEqual(["error overwritten :1.0.0", "info removed :1.1.0", "info left-behind "]);
  const second = recordTags(first, now, new Date("2026-01-02T00:00:00Z"));
  expect(second.repositories[repository]).toEqual({
    "1.0.0": {
      digest: digest("c"),
      since: "2026-01-02T00:00:00.000Z",
      before: [{ digest: digest("a"), until: "2026-01-02T00:00:00.000Z" }],
    },
    "1.1.0": {
      digest: null,
      since: "2026-01-02T00:00:00.000Z",
      before: [{ digest: digest("b"), until: "2026-01-02T00:00:00.000Z" }],
    },
    latest: {
      digest: digest("c"),
      since: "2026-01-02T00:00:00.000Z",
      before: [{ digest: digest("a"), until: "2026-01-02T00:00:00.000Z" }],
    },
  });
  expect(found(now, second)).toEqual(["error overwritten :1.0.0", "info left-behind "]);
  expect(checkTags(now, second).at(-1)?.message).toContain(`${digest("a")} (latest once)`);
  expect(recordTags(second, now, new Date("2026-01-03T00:00:00Z"))).toEqual(second);
  expect(parseTagHistory({ name: "h", value: JSON.parse(JSON.stringify(second)) })).toEqual(second);
});

test("what cannot be read is told, and not taken for gone", () => {
  const first = recordTags(noHistory, inventory({ a: ["1.0.0"] }), new Date("2026-01-01T00:00:00Z"));
  const gaps = [{ at: `${repository}:1.0.0`, why: "503" }];
  const now = inventory({ b: ["1.1.0"] }, {}, { gaps });
  expect(found(now, first)).toEqual(["warning unreadable :1.0.0"]);
  const second = recordTags(first, now, new Date("2026-01-02T00:00:00Z"));
  expect(second.repositories[repository]?.["1.0.0"]).toEqual(first.repositories[repository]?.["1.0.0"]);
});

test("a history that is none is refused", () => {
  expect(() => parseTagHistory({ name: "h", value: { version: 2, repositories: {} } })).toThrow(
    /h: version: is a version/,
  );
  expect(() =>
    parseTagHistory({ name: "h", value: { version: 1, repositories: { a: { b: { digest: "x", since: "" } } } } }),
  ).toThrow(/repositories\.a\.b\.digest/);
});

test("what is behind is planned to move on, and after that nothing is", () => {
  const images = inventory({ a: ["1.2.3", "1.2", "latest"], b: ["1.2.4"] });
  const plan = planFixes([{ inventory: images, findings: checkTags(images) }], new Date("2026-01-01T00:00:00Z"));
  expect(plan.steps.map(({ id, do: what, at }) => [id, what, at])).toEqual([
    ["1", "tag", `${repository}:1.2`],
    ["2", "tag", `${repository}:latest`],
  ]);
  expect(plan.steps[0]).toMatchObject({ digest: digest("b"), before: digest("a"), rule: "alias-behind" });
  const after = inventory({ a: ["1.2.3"], b: ["1.2.4", "1.2", "latest"] });
  expect(planFixes([{ inventory: after, findings: checkTags(after) }], new Date()).steps).toEqual([]);
});
