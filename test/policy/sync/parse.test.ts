import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../src/document/yaml.ts";
import { parseSync, type SyncRule } from "../../../src/policy/sync/parse.ts";

const read = (text: string): readonly SyncRule[] => parseSync(parseYaml(text, "sync.yaml"));
const mapping = (text: string): string => `version: 1\nsync:\n  - ${text.replaceAll("\n", "\n    ")}\n`;

test("defaults are in every mapping, and what a mapping says counts more", () => {
  const rules = read(`
version: 1
defaults: { referrers: false, limitRate: 20MB, immutable: ["v*"], prune: { maxDelete: 10% } }
sync:
  - { name: one, from: registry.example/app, to: mirror.example/app, jitter: 5m }
  - { from: [registry.example/app], to: [mirror.example/app], referrers: true, prune: false, limitRate: 1k }
`);
  const plain = rules.map(({ name, referrers, limitRate, prune, jitter }) => ({
    name,
    referrers,
    limitRate,
    prune,
    jitter,
  }));
  expect(plain).toEqual([
    { name: "one", referrers: false, limitRate: 20_000_000, prune: { maxDelete: "10%", protect: [] }, jitter: 300_000 },
    { name: "sync[1]", referrers: true, limitRate: 1000, prune: undefined, jitter: undefined },
  ]);
  expect(rules[1]!.immutable[0]!.fits("v1")).toBe(true);
});

describe("sources", () => {
  const from = (text: string) =>
    read(mapping(`from: ${JSON.stringify(text)}\nto: mirror.example/{repository}`))[0]!.from[0]!;
  test.each([
    ["registry.example/team/app", { place: "registry.example/team/app", ref: undefined }],
    ["app", { place: "docker.io/library/app", ref: undefined }],
    ["registry.example/app:1.0", { place: "registry.example/app", ref: "1.0" }],
    [
      `registry.example/app@sha256:${"a".repeat(64)}`,
      { place: "registry.example/app", ref: `sha256:${"a".repeat(64)}` },
    ],
    ["oci:some/Images:1.0", { place: "oci:some/Images", ref: "1.0" }],
  ])("%s is one place", (text, expected) => {
    const found = from(text);
    expect(found.kind === "place" && { place: found.origin.place, ref: found.ref }).toEqual(expected);
  });

  test.each([
    ["registry.example/team/**", "team/a/b", "other/a", "team/"],
    ["localhost:5000/*", "app", "team/app", ""],
    ["registry.example//^team/\\d+$/", "team/12", "team/x", ""],
    ["registry.example/{a,b}/app", "a/app", "c/app", ""],
  ])("%s is a pattern of repositories", (text, fits, not, prefix) => {
    const found = from(text);
    if (found.kind !== "pattern") throw new Error("no pattern");
    expect([found.prefix, found.repositories.fits(fits), found.repositories.fits(not)]).toEqual([prefix, true, false]);
  });
});

describe("destinations", () => {
  const digest = `sha256:${"b".repeat(64)}` as const;
  const origin = { place: "", registry: "registry.example:5000", repository: "team/app" };
  test.each([
    ["mirror.example/app", "1.0", "mirror.example/app:1.0"],
    ["mirror.example/{registry}/{repository}", "1.0", "mirror.example/registry.example-5000/team/app:1.0"],
    ["mirror.example/hub/{name}:old-{tag}", "1.0", "mirror.example/hub/app:old-1.0"],
    ["mirror.example/app:stable", "1.0", "mirror.example/app:stable"],
    ["mirror.example/{name}", undefined, `mirror.example/app@${digest}`],
    ["mirror.example/{name}:x-{tag}", undefined, `mirror.example/app@${digest}`],
    ["oci:images/{repository}", "1.0", "oci:images/team/app:1.0"],
    ["oci:images:{name}-{tag}", "1.0", "oci:images:app-1.0"],
  ])("%s for %s", (to, tag, at) => {
    const [rule] = read(mapping(`from: registry.example/app\nto: ${JSON.stringify(to)}`));
    expect(rule!.to[0]!.target(origin, { digest, ...(tag !== undefined && { tag }) }).at).toBe(at);
  });
});

test.each([
  ["from: registry.example/app\nto: mirror.example/{what}", "sync.yaml:4:9: sync[0].to: ", "{what} stands for nothing"],
  ["from: registry.example/*\nto: mirror.example/app", "sync.yaml:4:9: sync[0].to: ", "needs {repository} or {name}"],
  [
    "from: registry.example/app\nto: [oci:app, dir:app]\nprune: { only: [a] }",
    "sync.yaml:5:12: sync[0].prune: ",
    "only in registries is anything taken away, and no destination is in one",
  ],
  [
    "from: team/**\nto: mirror.example/{name}",
    "sync.yaml:3:11: sync[0].from: ",
    "a pattern of repositories needs its registry",
  ],
  ["from: registry.example/app\nto: mirror.example/App", "sync.yaml:4:9: sync[0].to: ", "App"],
  [
    "from: registry.example/app\nto: mirror.example/app\ntag: []",
    "sync.yaml:5:10: sync[0].tag: ",
    '"tag" is not known here',
  ],
  [
    "from: registry.example/app\nto: mirror.example/app\ntags: [{ include: ['/(/'] }]",
    "sync[0].tags[0].include[0]",
    "regular expression",
  ],
  [
    "from: registry.example/app\nto: mirror.example/app\ntags: [{ within: 5 years }]",
    "sync[0].tags[0].within",
    "no time such as 12h",
  ],
  [
    "from: registry.example/app\nto: mirror.example/app\ntags: [{ semver: '>=one' }]",
    "sync[0].tags[0].semver",
    "is no range of versions",
  ],
  [
    "from: registry.example/app\nto: mirror.example/app\nprune: { maxDelete: '200%' }",
    "sync[0].prune.maxDelete",
    "neither a number nor a part",
  ],
  ["from: registry.example/app\nto: mirror.example/app\nschedule: sometimes", "sync[0].schedule", "no cron schedule"],
  [
    "from: registry.example/app\nto: mirror.example/app\nschedule: '* * * * * *'",
    "sync[0].schedule",
    "no cron schedule",
  ],
  ["from: registry.example/app\nto: mirror.example/app\ntimezone: Mars/One", "sync[0].timezone", "is no time zone"],
  [
    "from: registry.example/app\nto: mirror.example/app\nbackup: '{tag}'",
    "sync[0].backup",
    "makes no tags to keep backups under",
  ],
  ["from: registry.example/app\nto: mirror.example/app\nplatforms: [linux]", "sync[0].platforms[0]", "linux"],
  ["from: []\nto: mirror.example/app", "sync[0].from", "names nothing"],
  ["from: registry.example/app", "sync[0].to", "is missing"],
])("%s is refused where it stands", (text, place, message) => {
  expect(() => read(mapping(text))).toThrow(place);
  expect(() => read(mapping(text))).toThrow(message);
});

test("two mappings of one name are refused", () => {
  const one = "{ name: a, from: registry.example/app, to: mirror.example/app }";
  expect(() => read(`version: 1\nsync: [${one}, ${one}]`)).toThrow('sync[1].name: "a" is there twice');
});

test("a registry that a budget names twice, in whichever form, is a mistake: one limit would take the place of the other", () => {
  const budget = "budget: {registries: {docker.io: {pulls: 90}, index.docker.io: {bytes: 1GB}}}";
  expect(() => read(`version: 1\n${budget}\nsync: [{from: a.example/b, to: c.example/d}]`)).toThrow(
    'budget.registries."index.docker.io": docker.io is there twice',
  );
});
