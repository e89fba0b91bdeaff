import { expect, test } from "vitest";
import { immutableBy } from "../../../src/policy/tags/immutable.ts";
import { planImmutability, type ImmutableForm } from "../../../src/policy/tags/plan-immutability.ts";

const now = new Date("2026-11-20T14:05:00Z");
const repository = "registry.example/app";
const mutable = { tags: "mutable" } as const;
const [wildcard, doublestar, regex, names]: readonly ImmutableForm[] = [
  { patterns: "wildcard", most: 5, stars: 2 },
  { patterns: "doublestar" },
  { patterns: "regex" },
  { patterns: "names" },
];
const versions = String.raw`^[a-zA-Z_-]*\d{1,7}\.\d{1,9}\.\d{1,9}$`;

test("a range of versions is about tags with three numbers", () => {
  const isFixed = immutableBy(["semver:>=1", "rel-*", "/x+/"]);
  const tags = ["1.2.3", "v1.2.3", "1.2", "1", "0.9.0", "1.2.3-rc.1", "rel-1", "xx", "latest"];
  expect(tags.filter(isFixed)).toEqual(["1.2.3", "v1.2.3", "rel-1", "xx"]);
  expect(() => immutableBy(["semver:x.y.z.w"])).toThrow(/no range of versions/);
});

test.each<[ImmutableForm | undefined, readonly string[], readonly string[] | undefined, readonly string[]]>([
  [wildcard, ["v*", "{a,b}-*"], ["v*", "a-*", "b-*"], []],
  [wildcard, ["v?", "semver:*", "/v.+/", "*.*.*"], undefined, ["v?", "semver:*", "/v.+/", "*.*.*"]],
  [wildcard, ["a", "b", "c", "{d,e,f}", "g"], ["a", "b", "c", "g"], ["{d,e,f}"]],
  [doublestar, ["v?", "v[0-9]*", "{a,b}"], ["v?", "v[0-9]*", "a", "b"], []],
  [doublestar, ["/v.+/", "{a,{b,c}}"], undefined, ["/v.+/", "{a,{b,c}}"]],
  [regex, ["v*", "/rel-.+/", "semver:*"], ["^(?:v[^/]*)$", "^(?:rel-.+)$", versions], []],
  [regex, ["semver:>=1", "/(?=x)y/"], undefined, ["semver:>=1", "/(?=x)y/"]],
  [names, ["1.0.0", "v*"], ["1.0.0"], ["v*"]],
  [undefined, ["v*"], undefined, ["v*"]],
])("%j: of %j, %j are said, and %j lost", (form, patterns, except, lost) => {
  const plan = planImmutability(
    patterns,
    { repository, service: "Service", before: mutable, ...(form && { form }) },
    now,
  );
  const [step] = plan.steps;
  expect(step?.do === "set immutability" ? step.except : undefined).toEqual(except);
  expect(plan.notes.map(({ message }) => message.split(" ")[0])).toEqual(lost);
});

test("every tag is said to any service", () => {
  const plan = planImmutability(["v*", "*"], { repository, service: "Service", before: mutable }, now);
  expect(plan.steps).toEqual([
    { id: "1", do: "set immutability", at: repository, tags: "immutable", before: mutable, why: "no tag ever moves" },
  ]);
});

test("what holds already is no step, and what holds for more is noted", () => {
  const before = { tags: "mutable", except: ["b", "a"], scope: "project library" } as const;
  const state = { repository, service: "Service", form: doublestar!, before };
  expect(planImmutability(["{a,b}"], state, now)).toEqual({
    version: 1,
    kind: "tags",
    made: "2026-11-20T14:05:00.000Z",
    from: "tags.immutable",
    steps: [],
    kept: [{ at: repository, why: "its service keeps these tags already" }],
    notes: [{ level: "warning", at: repository, message: "it holds for project library" }],
  });
  expect(planImmutability(["a"], state, now).steps).toEqual([
    {
      id: "1",
      do: "set immutability",
      at: repository,
      tags: "mutable",
      except: ["a"],
      patterns: "doublestar",
      before: { tags: "mutable", except: ["b", "a"] },
      why: "tags like a never move",
    },
  ]);
});
