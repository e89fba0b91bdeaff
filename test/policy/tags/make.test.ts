import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isTag } from "../../../src/oci/reference.ts";
import type { BuildContext } from "../../../src/policy/tags/context.ts";
import { parseFlavor } from "../../../src/policy/tags/flavor.ts";
import { makeTags } from "../../../src/policy/tags/make.ts";
import { actionDefaults, parseTagRule } from "../../../src/policy/tags/rule.ts";
import published from "./metadata-action.json" with { type: "json" };

const now = new Date(published.now);

function tagsOf(context: BuildContext, lines: readonly string[], flavor: readonly string[] = []): readonly string[] {
  const rules = (lines.length > 0 ? lines : actionDefaults).map(parseTagRule);
  return makeTags(rules, parseFlavor(flavor), context, now).tags.map(({ tag }) => tag);
}

// There, a format without quotes is none, and the date is written in whatever form; here, that is an error.
const unquoted = /\{\{commit_date YYYY/;
const cases = published.cases.filter(({ tags }) => !tags.some((line) => unquoted.test(line)));

test.each(cases)("docker/metadata-action: $name: $tags $flavor", ({ context, tags, flavor, names }) => {
  expect(tagsOf(context as BuildContext, tags, flavor)).toEqual(names);
});

const onTag = (name: string): BuildContext => ({ ref: `refs/tags/${name}`, event: "push", sha: "860c190" });

// https://github.com/docker/metadata-action#typesemver
test.each([
  ["v1.2.3", "{{raw}}", "", "v1.2.3"],
  ["v1.2.3", "{{version}}", "", "1.2.3"],
  ["v1.2.3", "{{major}}.{{minor}}", "", "1.2"],
  ["v1.2.3", "v{{major}}", "", "v1"],
  ["v1.2.3", "{{minor}}", "", "2"],
  ["v1.2.3", "{{patch}}", "", "3"],
  ["p1/v1.2.3", "{{version}}", String.raw`v(\d.\d.\d)$`, "1.2.3"],
  ["v2.0.8-beta.67", "{{raw}}", "", "v2.0.8-beta.67"],
  ["v2.0.8-beta.67", "{{version}}", "", "2.0.8-beta.67"],
  ["v2.0.8-beta.67", "{{major}}", "", "2.0.8-beta.67"],
  ["v2.0.8-beta.67", "{{major}}.{{minor}}", "", "2.0.8-beta.67"],
])("semver: of %s by %s %s: %s", (name, pattern, match, tag) => {
  expect(tagsOf(onTag(name), [`type=semver,pattern=${pattern},match=${match}`], ["latest=false"])).toEqual([tag]);
});

// https://github.com/docker/metadata-action#typepep440
test.each([
  ["1.2.3", "{{raw}}", "", "1.2.3"],
  ["1.2.3", "{{version}}", "", "1.2.3"],
  ["v1.2.3", "{{version}}", "", "1.2.3"],
  ["1.2.3", "{{major}}.{{minor}}", "", "1.2"],
  ["1.2.3", "v{{major}}", "", "v1"],
  ["v1.2.3rc2", "{{raw}}", "", "v1.2.3rc2"],
  ["1.2.3rc2", "{{version}}", "", "1.2.3rc2"],
  ["p1/v1.2.3", "{{version}}", String.raw`v(\d.\d.\d)$`, "1.2.3"],
  ["1.2.3rc2", "{{major}}.{{minor}}", "", "1.2.3rc2"],
  ["1.2.3post1", "{{major}}.{{minor}}", "", "1.2.3.post1"],
  ["1.2.3beta2", "{{major}}.{{minor}}", "", "1.2.3b2"],
  ["1.0dev4", "{{major}}.{{minor}}", "", "1.0.dev4"],
])("pep440: of %s by %s %s: %s", (name, pattern, match, tag) => {
  expect(tagsOf(onTag(name), [`type=pep440,pattern=${pattern},match=${match}`], ["latest=false"])).toEqual([tag]);
});

// https://github.com/docker/metadata-action#typematch
test.each([
  ["v1.2.3", String.raw`\d.\d.\d`, "0", "1.2.3"],
  ["v2.0.8-beta.67", "v(.*)", "1", "2.0.8-beta.67"],
  ["v2.0.8-beta.67", String.raw`v(\d.\d)`, "1", "2.0"],
  ["20200110-RC2", String.raw`\d+`, "0", "20200110"],
  ["p1/v1.2.3", String.raw`p1/v(\d.\d.\d)`, "1", "1.2.3"],
])("match: of %s by %s, group %s: %s", (name, pattern, group, tag) => {
  expect(tagsOf(onTag(name), [`type=match,pattern=${pattern},group=${group}`], ["latest=false"])).toEqual([tag]);
});

// https://github.com/docker/metadata-action#typeref, #branch, #tag and #base_ref
test.each<[BuildContext, string, readonly string[]]>([
  [{ ref: "refs/pull/2/merge" }, "type=ref,event=pr", ["pr-2"]],
  [{ ref: "refs/heads/my/branch" }, "type=ref,event=branch", ["my-branch"]],
  [onTag("v1.2.3"), "type=ref,event=tag", ["v1.2.3", "latest"]],
  [{ ref: "refs/heads/my/branch" }, "type=raw,value={{branch}}", ["my-branch"]],
  [onTag("v1.2.3"), "type=raw,value=x{{branch}}", ["x"]],
  [onTag("v1.2.3"), "type=raw,value={{tag}}", ["v1.2.3"]],
  [{ ref: "refs/pull/2/merge", baseRef: "master" }, "{{base_ref}}", ["master"]],
  [{ ref: "refs/heads/master", baseRef: "other" }, "x{{base_ref}}", ["x"]],
  [{ ref: "refs/heads/main", defaultBranch: "main" }, "latest,enable={{is_default_branch}}", ["latest"]],
  [{ ref: "refs/heads/dev", defaultBranch: "main" }, "latest,enable={{is_default_branch}}", []],
  [{ ref: "refs/heads/dev", defaultBranch: "main" }, "dev,enable={{is_not_default_branch}}", ["dev"]],
  [
    { ref: "refs/heads/dev", sha: "90dd6032fac8bda1b6c4436a2e65de27961ed071", shortLength: 12 },
    "type=sha",
    ["sha-90dd6032fac8"],
  ],
  [{ ref: "refs/heads/a=b" }, "{{branch}}.{{{branch}}}", ["a-x3D-b.a-b"]],
])("of %j by %s: %j", (context, line, tags) => {
  expect(tagsOf(context, [line])).toEqual(tags);
});

// https://github.com/docker/metadata-action#typeschedule
test.each([
  ["nightly", "nightly"],
  ["{{date 'YYYYMMDD'}}", "20200110"],
  ["{{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}", "20200110-093000"],
  ["{{commit_date 'YYYYMMDD' tz='UTC'}}", "20191231"],
])("schedule: %s is %s", (pattern, tag) => {
  const context = { event: "schedule", ref: "refs/heads/main", committed: Date.parse("2019-12-31T23:59:59Z") };
  expect(tagsOf(context, [`type=schedule,pattern=${pattern}`])).toEqual([tag]);
});

test.each([
  ["type=semver", /needs pattern=/],
  ["type=ref", /needs event=/],
  ["type=ref,event=push", /has event=push, and it has to be one of branch, tag, pr/],
  ["type=sha,format=tiny", /has format=tiny, and it has to be one of short, long/],
  ["type=nothing", /has the type "nothing"/],
  ["type=raw", /needs value=/],
  ["type=raw,value=x,what=1", /has "what", which is not known/],
  ["type=match,pattern=x,group=a", /a group that is no number/],
  ["type=raw,value=x,priority=high", /a priority that is no number/],
  ['type=raw,va"lue=x', /has a quote where none can be/],
  ["type=raw,value=x,enable=${{ github.ref == 'x' }}", /has an expression of GitHub's/],
  ["type=raw,value=x,enable=yes", /enable is "yes", and it has to be true or false/],
  ["type=raw,value={{nothing}}", /"{{nothing}}" is not known here/],
  ["type=raw,value={{#if branch}}x{{/if}}", /"{{#if branch}}" is not known here/],
  ["type=raw,value={{commit_date YYYY-MM-DD}}", /what follows the name has to be in quotes/],
  ["type=raw,value={{date 'YYYY' zone='UTC'}}", /a date has tz=, and no zone=/],
  ["type=raw,value={{date 'YYYY' tz='Moon/Base'}}", /"Moon\/Base" is no time zone/],
  ["type=raw,value={{branch 'x'}}", /branch takes no argument/],
  ["type=match,pattern=/x/q", /"q" are no flags/],
  ["type=match,pattern=(a+)+$", /could take for ever/],
])("%s is no rule", (line, message) => {
  expect(() => tagsOf(onTag("v1.0.0"), [line])).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringMatching(message) }),
  );
});

test.each([
  ["latest=maybe", /latest is auto, true or false/],
  ["latest", /"latest" has no value/],
  ["colour=red", /"colour" is not known/],
  ["prefix=x,onlatest=1", /onlatest is true or false/],
])("%s is no flavor", (line, message) => {
  expect(() => parseFlavor([line])).toThrow(message);
});

test("what is likely not meant is noted", () => {
  const rules = ["type=semver,pattern={{version}}", "type=match,pattern=v(.*),group=1", "-.x", "---"].map(parseTagRule);
  const { tags, notes } = makeTags(rules, parseFlavor([]), onTag("release"), now);
  expect(tags.map(({ tag }) => tag)).toEqual(["x"]);
  expect(notes).toEqual([
    "type=semver,pattern={{version}}: release is no version (https://semver.org/)",
    "type=match,pattern=v(.*),group=1: v(.*) does not match release",
    '"-.x" became x: a tag cannot start with . or -',
    '"---" has nothing of which a tag can be made',
  ]);
});

test("whatever a build is called, all its tags are tags", () => {
  const lines = [...actionDefaults, "type=sha", "{{branch}}", "type=sha,format=long,prefix={{branch}}", "type=edge"];
  const name = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 }));
  const ref = fc
    .tuple(fc.constantFrom("refs/heads/", "refs/tags/", "refs/pull/", ""), name)
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(ref, name, fc.constantFrom("push", "schedule"), name, (where, sha, event, suffix) => {
      const flavor = { ...parseFlavor([]), suffix: suffix.replace(/[{}]/g, ""), suffixLatest: true };
      const { tags } = makeTags(lines.map(parseTagRule), flavor, { ref: where, sha, event }, now);
      expect(tags.filter(({ tag }) => !isTag(tag))).toEqual([]);
      expect(new Set(tags.map(({ tag }) => tag)).size).toBe(tags.length);
    }),
  );
});
