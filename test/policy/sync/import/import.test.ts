import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../../src/document/yaml.ts";
import { formatPath } from "../../../../src/document/fault.ts";
import { formatSyncImport, guessSyncTool, importSync } from "../../../../src/policy/sync/import/import.ts";
import type { SyncTool } from "../../../../src/policy/sync/import/tools.ts";
import type { SyncImport } from "../../../../src/policy/sync/import/imported.ts";
import { parseSync } from "../../../../src/policy/sync/parse.ts";
import { selectTags } from "../../../../src/policy/sync/select.ts";
import { parsePattern } from "../../../../src/policy/pattern.ts";
import type { Mapping } from "../../../../src/policy/sync/sync-file.ts";
import * as samples from "./samples.ts";

/** Imports a text; what comes out can be read as ours. */
function read(tool: SyncTool, text: string, to?: string): SyncImport {
  const found = importSync(tool, parseYaml(text, "f.yaml"), to === undefined ? {} : { to });
  if (found.file.sync.length > 0) parseSync({ name: "ours.yaml", value: found.file });
  return found;
}

/** What a mapping selects of these tags. */
function selected(found: SyncImport): readonly string[] {
  const [rule] = parseSync({ name: "ours.yaml", value: found.file });
  return selectTags(tags, rule!.tags, new Map(), new Date(0)).selected;
}

/** Tags as they come, without those whose reading is known to differ: four numbers, and dates. */
const tags =
  "1 1.2 1.2.3 1.2.3-alpine 1.2.3-rc.1 1.10.0 2.0.0 2.0.0-rc1 v1.4.0 v2 v3.1.0-beta 0.3.1 latest edge v alpha 3.12.1-alpine3 release-1.5.0 nightly-2 1.26.1-glibc 1.26.1-musl A1"
    .split(" ")
    .sort();

const lost = ({ losses }: SyncImport): string[] => losses.map(({ path }) => formatPath(path));
const kube = "quay.io/coreos/kube-rbac-proxy";
const ruohe = "quay.io/ruohe/kube-rbac-proxy";

describe("skopeo", () => {
  test("the example of its manual", () => {
    const found = read("skopeo", samples.skopeo, "mirror.example/hub/");
    const to = "mirror.example/hub/{name}";
    const host = "registry.example.com";
    expect(found.file).toEqual({
      version: 1,
      sync: [
        { from: `${host}/busybox`, to },
        { from: `${host}/redis`, to, tags: [{ include: ["1.0", "2.0"] }] },
        { from: `${host}/redis@sha256:${"0".repeat(32)}${"1".repeat(32)}`, to },
        { from: `${host}/nginx`, to, tags: [{ include: ["/1\\.13\\.[12]-alpine-perl/"] }] },
        { from: `${host}/alpine`, to, tags: [{ semver: ">=3.12.0", exclude: ["/(?!v?[0-9]).*/"] }] },
        { from: "quay.io/coreos/etcd", to, tags: [{ include: ["latest"] }] },
      ],
    });
    expect(lost(found)).toEqual([
      '"registry.example.com".credentials',
      '"registry.example.com".cert-dir',
      '"registry.example.com".images-by-semver.alpine',
      '"quay.io".tls-verify',
    ]);
    expect(found.losses[0]!.at).toBe('f.yaml:13:9: "registry.example.com".credentials');
  });

  test("needs to be told where to", () => {
    expect(() => read("skopeo", samples.skopeo)).toThrow("does not say where to");
    const [only] = read("skopeo", "r.example: {images: {a/b: []}}", "m.example/{registry}/{repository}").file.sync;
    expect(only).toEqual({ from: "r.example/a/b", to: "m.example/{registry}/{repository}" });
  });

  test.each([
    [">= 1.2, < 3", { semver: ">=1.2 <3", exclude: ["/(?!v?[0-9]).*/"] }],
    [">=1, != 1.4.2", { semver: ">=1", exclude: ["/(?!v?[0-9]).*/", "semver:=1.4.2"] }],
    [">=1.0.0-0", { semver: ">=1.0.0-0", exclude: ["/(?!v?[0-9]).*/"], prereleases: true }],
    ["^1.2 || ~2.3", { semver: "^1.2 || ~2.3", exclude: ["/(?!v?[0-9]).*/"] }],
  ])("a range: %s", (range, set) => {
    const { file } = read(
      "skopeo",
      JSON.stringify({ "r.example": { "images-by-semver": { app: range } } }),
      "m.example",
    );
    expect(file.sync).toEqual([{ from: "r.example/app", to: "m.example/{name}", tags: [set] }]);
  });

  test("what cannot be said takes the image with it, and is never all tags", () => {
    const found = read(
      "skopeo",
      JSON.stringify({
        "r.example": {
          "images-by-semver": { a: "whatever" },
          "images-by-tag-regex": { b: "\\pL", c: "(x+)+" },
          images: { UP: [] },
        },
      }),
      "m.example",
    );
    expect(found.file.sync).toEqual([]);
    expect(lost(found)).toEqual([
      '"r.example".images.UP',
      '"r.example".images-by-tag-regex.b',
      '"r.example".images-by-tag-regex.c',
      '"r.example".images-by-semver.a',
    ]);
  });
});

describe("regsync", () => {
  test("the example of its tests", () => {
    const found = read("regsync", samples.regsync);
    const tags = [{ include: ["3", "/3.9/", "latest"] }];
    expect(found.file).toEqual({
      version: 1,
      defaults: { schedule: "0 * * * *", quotaReserve: 100, backup: "bkup-{tag}" },
      sync: [
        {
          from: "docker.io/library/busybox:latest",
          to: "registry:5000/library/busybox:latest",
          schedule: "15 3 * * *",
        },
        { from: "docker.io/library/alpine", to: "registry:5000/hub/alpine", tags },
        { from: "gcr.io/example/repo", to: "registry:5000/gcr/example/repo", tags },
      ],
    });
    expect(lost(found)).toEqual([
      "creds[0].tls",
      "defaults.ratelimit.retry",
      "defaults.cacheCount",
      "defaults.cacheTime",
      "defaults.parallel",
      "sync",
      "sync[0].schedule",
    ]);
  });

  const one = (entry: object): SyncImport =>
    read(
      "regsync",
      JSON.stringify({ sync: [{ source: "r.example/a", target: "m.example/a", type: "repository", ...entry }] }),
    );

  test.each<readonly [object, Partial<Mapping>]>([
    [{ type: "image" }, { from: "r.example/a:latest", to: "m.example/a:latest" }],
    [
      { type: "registry", source: "r.example", target: "m.example/x" },
      { from: "r.example/**", to: "m.example/x/{repository}" },
    ],
    [
      { type: "registry", source: "r.example", target: "m.example", repos: { allow: ["team/.*", "base"] } },
      { from: ["r.example/team/**", "r.example/base"], to: "m.example/{repository}" },
    ],
    [
      { source: "ocidir://dir", target: "ocidir://other" },
      { from: "oci:dir", to: "oci:other" },
    ],
    [
      { tags: { allow: ["v1|v2"], deny: [".*-rc\\d+"] } },
      { tags: [{ include: ["/v1.*|.*v2/"], exclude: ["/.*-rc\\d+/"] }] },
    ],
    [
      { tags: { semverRange: [">=1.2 <2", "^0.3.1"] }, tagSets: [{ allow: ["latest"] }] },
      {
        tags: [
          { include: ["latest"] },
          { semver: ">=1.2.0 <2.0.0 || >=0.3.1 <0.4.0", prereleases: true, exclude: ["/(?!v?[0-9]).*/"] },
        ],
      },
    ],
    [
      { platforms: ["linux/amd64"], referrers: true },
      { platforms: ["linux/amd64"], referrers: true },
    ],
    [{ interval: "12h" }, { schedule: "0 */12 * * *" }],
    [{ schedule: "CRON_TZ=Europe/Berlin 0 4 * * *" }, { schedule: "0 4 * * *", timezone: "Europe/Berlin" }],
    [{ schedule: "@every 30m" }, { schedule: "*/30 * * * *" }],
    [{ ratelimit: { min: 60 } }, { quotaReserve: 60 }],
    [{ target: 'm.example/{{ upper (index (split .Sync.Source "/") 1) | lower }}' }, { to: "m.example/a" }],
  ])("%j", (entry, wanted) => {
    expect(one(entry).file.sync).toEqual([{ from: "r.example/a", to: "m.example/a", ...wanted }]);
  });

  test.each<readonly [object, string]>([
    [{ target: 'm.example/{{ env "X" }}' }, "sync[0].target"],
    [{ target: "m.example/UP" }, "sync[0].target"],
    [{ type: "other" }, "sync[0].type"],
    [{ type: "registry", repos: { deny: ["(a+)+"] } }, "sync[0].repos.deny[0]"],
    [{ type: "registry", repos: { allow: ["(a+)+"] } }, "sync[0].repos.allow[0]"],
    [{ tags: { allow: ["(a+)+"] } }, "sync[0].tags.allow[0]"],
    [{ tags: { deny: ["(a+)+"] } }, "sync[0].tags.deny[0]"],
    [{ tags: { semverRange: ["1.2.3.4"] } }, "sync[0].tags.semverRange"],
  ])("is left out rather than widened: %j", (entry, at) => {
    const found = one(entry);
    expect(found.file.sync).toEqual([]);
    expect(lost(found)).toContain(at);
  });

  test.each<readonly [object, string]>([
    [{ hooks: { pre: {} } }, "sync[0].hooks"],
    [{ mediaTypes: ["x"] }, "sync[0].mediaTypes"],
    [{ fastCheck: true }, "sync[0].fastCheck"],
    [{ forceRecursive: true }, "sync[0].forceRecursive"],
    [{ digestTags: true }, "sync[0].digestTags"],
    [{ referrerFilters: [] }, "sync[0].referrerFilters"],
    [{ interval: "45m" }, "sync[0].interval"],
    [{ interval: "soon" }, "sync[0].interval"],
    [{ backup: "other.example/x:{{.Ref.Tag}}" }, "sync[0].backup"],
    [{ backup: "{{ time.Now }}" }, "sync[0].backup"],
    [{ surprise: 1 }, "sync[0].surprise"],
  ])("names what is lost: %j", (entry, at) => {
    const found = one(entry);
    expect(found.file.sync).toHaveLength(1);
    expect(lost(found)).toContain(at);
  });
});

describe("dregsy", () => {
  test("the example of its README", () => {
    const found = read("dregsy", samples.dregsy);
    expect(found.file).toEqual({
      version: 1,
      sync: [
        {
          name: "task1",
          schedule: "* * * * *",
          from: "source-registry.acme.com/test/image",
          to: "dest-registry.acme.com/archive/test/image",
          tags: [{ include: ["0.1.0", "0.1.1"] }],
        },
        {
          name: "task1-2",
          schedule: "* * * * *",
          platforms: ["linux/arm64/v8"],
          from: "source-registry.acme.com/test/another-image",
          to: "dest-registry.acme.com/test/another-image",
        },
      ],
    });
    expect(lost(found)).toEqual([
      "relay",
      "skopeo",
      "lister",
      "watch",
      "tasks[0].source.auth",
      "tasks[0].target.auth",
      "tasks[0].target.skip-tls-verify",
      "tasks[0].mappings[0]",
    ]);
    expect(formatSyncImport(found)).not.toContain("eyJ1c2");
  });

  const one = (mapping: object): SyncImport =>
    read(
      "dregsy",
      JSON.stringify({
        tasks: [
          {
            name: "t",
            source: { registry: "r.example" },
            target: { registry: "m.example" },
            mappings: [{ platform: "all", from: "a", ...mapping }],
          },
        ],
      }),
    );
  const versions = { prereleases: true, exclude: ["/(?!v?[0-9]).*/"] };

  // README.md, "Tag Filtering" to "Tags With Digests", and test/fixtures/e2e/tagsets.
  test.each<readonly [readonly string[], unknown]>([
    [
      ["semver: >=1.31.0 <1.31.9", "regex: 1\\.26\\.[0-9]-(glibc|uclibc|musl)", "1.29.4", "latest"],
      [
        { semver: ">=1.31.0 <1.31.9", ...versions },
        { include: ["/1\\.26\\.[0-9]-(glibc|uclibc|musl)/"] },
        { include: ["1.29.4", "latest"] },
      ],
    ],
    [
      ["latest", "semver: >=2.0.0", "keep: .+-(alpine|buster)"],
      [{ semver: ">=2.0.0", ...versions, include: ["/.+-(alpine|buster)/"] }, { include: ["latest"] }],
    ],
    [
      ["glibc-tests", "semver: >=1.34.0 <=1.36.0", "keep: latest 5"],
      [{ semver: ">=1.34.0 <=1.36.0", ...versions, newest: 5, by: "semver" }, { include: ["glibc-tests"] }],
    ],
    [["regex: !.+(glibc|musl)"], [{ exclude: ["/.+(glibc|musl)/"] }]],
    [
      ["regex: 1\\..*", "keep: !.*-rc.*", "keep: .*-alpine"],
      [{ include: ["/(?=(?:.*-alpine)$)(?:1\\..*)/"], exclude: ["/.*-rc.*/"] }],
    ],
    [["keep: v.*"], [{ include: ["/v.*/"] }]],
    [[], undefined],
  ])("tags %j", (tags, sets) => expect(one({ tags }).file.sync[0]!.tags).toEqual(sets));

  test("tags with digests", () => {
    const digest = `sha256:${"ff".repeat(32)}`;
    const { file } = one({ tags: [digest, `1.35.0-uclibc@${digest}`, "keep: all.+"] });
    expect(file.sync).toEqual([
      { name: "t", from: `r.example/a@${digest}`, to: "m.example/a" },
      { name: "t-2", from: `r.example/a@${digest}`, to: "m.example/a:1.35.0-uclibc" },
    ]);
  });

  // doc/design-image-matching.md
  test.each<readonly [string, string | undefined, unknown, unknown]>([
    ["regex:myproject/.*", "ecr", "r.example/myproject/**", "m.example/ecr/{repository}"],
    ["regex:myproject/.*", undefined, "r.example/myproject/**", "m.example/{repository}"],
    [
      "regex:jenkins/jnlp-.*",
      "regex:jenkins/,dh/other-jenkins/",
      "r.example/jenkins/jnlp-*",
      "m.example/dh/other-jenkins/{name}",
    ],
    [
      "myproject/webui",
      "regex:my(.+)/,from-dh/your$1/",
      "r.example/myproject/webui",
      "m.example/from-dh/yourproject/webui",
    ],
  ])("from %s to %s", (from, to, source, target) => {
    expect(one({ from, to }).file.sync[0]).toMatchObject({ from: source, to: target });
  });

  test.each([
    [{ from: "regex:(a+)+" }, "tasks[0].mappings[0].from"],
    [{ from: "regex:x/.*", to: "regex:(.*)/,$1" }, "tasks[0].mappings[0].to"],
    [{ to: "regex:[,x" }, "tasks[0].mappings[0].to"],
    [{ tags: ["semver: nonsense"] }, "tasks[0].mappings[0].tags[0]"],
    [{ tags: ["regex: .*", "keep: (a+)+"] }, "tasks[0].mappings[0].tags"],
  ])("is left out rather than widened: %j", (mapping, at) => {
    const found = one(mapping);
    expect(found.file.sync).toEqual([]);
    expect(lost(found)).toContain(at);
  });
});

// What the tools' own code does with the same words (regsync: cmd/regsync/root.go filterTagList; skopeo: cmd/skopeo/sync.go;
// dregsy: internal/pkg/tags/tagset.go; image-syncer: pkg/utils/url.go), in a few lines.
describe("the same tags are selected", () => {
  const anywhere = (regex: string) => (tag: string) => new RegExp(regex).test(tag);

  test.each([
    ["v1|2"],
    ["^v"],
    ["alpine$"],
    ["^1.2$|^2"],
    ["\\d+"],
    ["[[:upper:]]"],
    [".*"],
    ["^$"],
    ["\\.3(-|$)"],
    ["(?i)^a"],
  ])("a regular expression that is looked for: %s", (regex) => {
    const reference = regex.replace("[[:upper:]]", "[A-Z]");
    const wanted = tags.filter((tag) =>
      reference.startsWith("(?i)") ? new RegExp(reference.slice(4), "i").test(tag) : anywhere(reference)(tag),
    );
    const skopeo = JSON.stringify({ "r.example": { "images-by-tag-regex": { app: regex } } });
    expect(selected(read("skopeo", skopeo, "m.example"))).toEqual(wanted);
    expect(selected(read("image-syncer", JSON.stringify({ [`r.example/a:/${regex}/`]: "m.example/a" })))).toEqual(
      wanted,
    );
  });

  const regsync = (set: object): SyncImport =>
    read(
      "regsync",
      JSON.stringify({ sync: [{ source: "r.example/a", target: "m.example/a", type: "repository", tags: set }] }),
    );

  test.each([
    [["v1|2.*"], []],
    [["1.*", "v.*"], [".*-.*"]],
    [[], ["v.*", "1"]],
    [["latest", "3"], []],
  ])("regsync's allow %j and deny %j", (allow, deny) => {
    const any = (all: readonly string[], tag: string): boolean => all.some((one) => anywhere(`^${one}$`)(tag));
    const wanted = tags.filter((tag) => (allow.length === 0 || any(allow, tag)) && !any(deny, tag));
    expect(selected(regsync({ allow, deny }))).toEqual(wanted);
  });

  test.each([
    [
      ">=1.2 <2",
      ["1.10.0", "1.2", "1.2.3", "1.2.3-alpine", "1.2.3-rc.1", "1.26.1-glibc", "1.26.1-musl", "2.0.0-rc1", "v1.4.0"],
    ],
    ["=1.2", ["1.2"]],
    ["^0.3", ["0.3.1"]],
    ["~1.2.3", ["1.2.3"]],
  ])("regsync's range %s", (range, wanted) => expect(selected(regsync({ semverRange: [range] }))).toEqual(wanted));

  test.each([
    [
      ["semver: >=1.2.0 <1.10.0", "latest"],
      ["1.2", "1.2.3", "1.2.3-alpine", "1.2.3-rc.1", "1.10.0-x", "latest", "v1.4.0"],
    ],
    [["regex: 1\\.26\\..-(glibc|musl)"], ["1.26.1-glibc", "1.26.1-musl"]],
    [["regex: !.*[0-9].*"], ["alpha", "edge", "latest", "v"]],
    [["semver: >=1.2.3", "keep: .+-(alpine|musl)"], ["1.26.1-musl"]],
    [
      ["semver: >=1.0.0", "keep: latest 2", "keep: !.*-.*"],
      ["2.0.0", "v2"],
    ],
  ])("dregsy's %j", (words, wanted) => {
    const mapping = { from: "a", platform: "all", tags: words };
    const task = {
      name: "t",
      source: { registry: "r.example" },
      target: { registry: "m.example" },
      mappings: [mapping],
    };
    expect(selected(read("dregsy", JSON.stringify({ tasks: [task] })))).toEqual(
      wanted.filter((tag) => tags.includes(tag)),
    );
  });
});

describe("image-syncer", () => {
  test("the example of its README", () => {
    const { file, losses } = read("image-syncer", samples.imageSyncer);
    expect(losses).toEqual([]);
    expect(file.sync).toEqual([
      { from: kube, to: ruohe },
      { from: kube, to: ruohe, tags: [{ include: ["v1.0"] }] },
      { from: kube, to: ruohe, tags: [{ include: ["v1.0", "v2.0"] }] },
      { from: `${kube}@sha256:14b267eb38aa85fd12d0e168fffa2d8a6187ac53a14a0212b0d4fce8d729598c`, to: ruohe },
      { from: kube, to: `${ruohe}1`, tags: [{ include: ["v1.1"] }] },
      { from: kube, to: `${ruohe}2`, tags: [{ include: ["v1.1"] }] },
      { from: kube, to: ruohe, tags: [{ include: ["/.*a+.*/"] }] },
    ]);
  });

  test("logins are never taken over", () => {
    expect(() => read("image-syncer", samples.imageSyncerLogins)).toThrow("these are logins");
    const found = read("image-syncer", samples.imageSyncerOld);
    expect(found.file.sync).toEqual([{ from: kube, to: ruohe, tags: [{ include: ["v1.0", "v2.0"] }] }]);
    expect(lost(found)).toEqual(['auth."quay.io/coreos"', 'auth."quay.io/coreos".insecure']);
    expect(formatSyncImport(found)).not.toContain("xxxxxxxxx");
  });

  test("tags that change on the way", () => {
    const { file } = read("image-syncer", '{"r.example/a:v1,v2": "m.example/b:x,y"}');
    expect(file.sync).toEqual([
      { from: "r.example/a:v1", to: "m.example/b:x" },
      { from: "r.example/a:v2", to: "m.example/b:y" },
    ]);
  });

  test.each([
    '{"r.example/a:v1": "m.example/b:x,y"}',
    '{"r.example/a": "$HOME/b"}',
    '{"r.example/a:/(x+)+/": "m.example/b"}',
    '{"?": "m.example/b"}',
  ])("is left out: %s", (text) => {
    const { file, losses } = read("image-syncer", text);
    expect([file.sync, losses.length]).toEqual([[], 1]);
  });
});

test("tools are told by the keys of their files", () => {
  const tools = [samples.skopeo, samples.regsync, samples.dregsy, samples.imageSyncer, samples.imageSyncerOld].map(
    (text) => guessSyncTool(parseYaml(text, "x").value),
  );
  expect(tools).toEqual(["skopeo", "regsync", "dregsy", "image-syncer", "image-syncer"]);
  const ours = { version: 1, sync: [{ from: "a", to: "b" }] };
  expect([ours, {}, [], "x", { rules: {} }].map((value) => guessSyncTool(value))).toEqual(Array(5).fill(undefined));
});

test("what is written can be read again, and has what was lost above it", () => {
  const found = read(
    "skopeo",
    '{"quay.io": {"images": {"a\\nb": []}, "tls-verify": false, "new\\u0007": 1}}',
    "m.example",
  );
  const text = formatSyncImport({ ...found, file: { version: 1, sync: [{ from: kube, to: ruohe }] } });
  expect(parseYaml(text, "again").value).toEqual({ version: 1, sync: [{ from: kube, to: ruohe }] });
  expect(text.split("\n").slice(0, 3)).toEqual([
    "# Not as it was:",
    expect.stringMatching(/^# f.yaml:1:\d+: "quay.io"."new/),
    expect.stringMatching(/^# f.yaml:1:\d+: "quay.io".tls-verify: belongs into gantry.yaml/),
  ]);
});

const published = resolve(import.meta.dirname, "../../../../../shared/specs/sync");
describe.skipIf(!existsSync(published))("the files in the folder of specifications", () => {
  test.each(existsSync(published) ? readdirSync(published) : [])("%s", (name) => {
    const document = parseYaml(readFileSync(`${published}/${name}`, "utf8"), name);
    const tool = guessSyncTool(document.value)!;
    const { file } = importSync(tool, document, tool === "skopeo" ? { to: "mirror.example" } : {});
    expect(file.sync.length).toBeGreaterThan(1);
    for (const { tags = [] } of file.sync)
      for (const { include = [], exclude = [] } of tags)
        for (const text of [...include, ...exclude]) parsePattern(text);
  });
});
