import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkDocument } from "../../../src/policy/lifecycle/check.ts";
import { convertLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import { guessDialect } from "../../../src/policy/lifecycle/guess.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { goes, now } from "./samples.ts";

const hour = 3_600_000;
const digest = (n: number) => `sha256:${String(n).padStart(64, "0")}` as const;
const ago = (hours: number): string => new Date(now - hours * hour).toISOString();
/** An image, pushed and pulled so many days ago. */
const image = (n: number, tags: string, pushed: number, pulled = pushed, more: object = {}): LifecycleImage => ({
  digest: digest(n),
  tags: tags.split(" ").filter(Boolean),
  pushed: ago(pushed * 24),
  pulled: ago(pulled * 24),
  ...more,
});
const gone = (document: object, images: readonly LifecycleImage[], repository = "retention"): readonly string[] =>
  [...goes(simulateLifecycle("zot", document, images, { now, repository }))].toSorted();
const all = (policy: object, more: object = {}): object => ({
  delay: "1ms",
  ...more,
  policies: [{ repositories: ["**"], deleteReferrers: true, deleteUntagged: true, ...policy }],
});

// github.com/project-zot/zot, pkg/storage/gc/gc_test.go, TestGarbageCollectAndRetentionMetaDB: the images of "retention".
const retention = [
  image(1, "0.0.1", 10),
  image(2, "0.0.2", 11),
  image(3, "0.0.3", 12),
  image(7, "0.0.7", 13),
  image(4, "0.0.4", 1),
  image(5, "0.0.5", 2),
  image(6, "0.0.6", 3, 2),
  image(8, "0.0.8", 4),
];
const tables: readonly (readonly [name: string, keepTags: readonly object[] | undefined, gone: readonly number[]])[] = [
  ["should not gc anything", [{}], []],
  ["all tags matches for retention", [{ patterns: ["0.0.*"] }], []],
  ["retain all tags if keeptags is not specified", undefined, []],
  ["retain new tags", [{ patterns: [".*"], pulledWithin: "168h", pushedWithin: "168h" }], [1, 2, 3, 7]],
  ["retain 3 most recently pushed images", [{ patterns: [".*"], mostRecentlyPushedCount: 3 }], [1, 2, 3, 7, 8]],
  ["retain 3 most recently pulled images", [{ patterns: [".*"], mostRecentlyPulledCount: 3 }], [1, 2, 3, 7, 8]],
  [
    "retain 3 most recently pulled OR 4 most recently pushed images",
    [{ patterns: [".*"], mostRecentlyPulledCount: 3, mostRecentlyPushedCount: 4 }],
    [1, 2, 3, 7],
  ],
  [
    // There, "two days ago" is not within two days any more when the test looks, a moment later.
    "test if first match rule logic works",
    [{ patterns: ["0.0.1"] }, { patterns: ["0.0.2"] }, { patterns: [".*"], pulledWithin: "48h" }],
    [3, 5, 6, 7, 8],
  ],
  ["remove one tag because it didn't match", [{ patterns: ["0.0.[1-5]", "0.0.7"] }], [6, 8]],
  // TestGarbageCollectAndRetentionNoMetaDB
  ["retain a subset of all tags based on patterns only", [{ patterns: ["0.0.[1-5]", "0.0.7"] }], [6, 8]],
  [
    "retain a subset of all tags based on patterns only using multiple rules",
    [{ patterns: ["0.0.[1-5]"] }, { patterns: ["0.0.7"] }],
    [6, 8],
  ],
];

test.each(tables)("zot's own: %s", (_name, keepTags, numbers) => {
  const tags = numbers.map((n) => `0.0.${n}`);
  expect(gone(all(keepTags ? { keepTags } : {}), retention)).toEqual(tags);
});

// The same file: "gc-test1" has one image with two tags, referrers of it and of those, and one without a tag.
const test1 = [
  image(11, "0.0.1 0.0.2", 1),
  image(12, "", 1, 1, { subject: digest(11) }),
  image(13, "", 1, 1, { subject: digest(12) }),
  image(14, "", 1),
];
const nothing = [{ patterns: ["v1"] }];

test.each<readonly [name: string, document: object, gone: readonly string[]]>([
  ["gc untagged manifests", all({ keepTags: [] }), [digest(14)]],
  [
    "gc all tags, untagged, and afterwards referrers",
    all({ keepTags: nothing }),
    ["0.0.1", "0.0.2", digest(12), digest(13), digest(14)],
  ],
  ["gc with dry-run all tags, untagged, and afterwards referrers", all({ keepTags: nothing }, { dryRun: true }), []],
  ["gc - do not match any repo", all({ repositories: ["no-match"] }), [digest(14)]],
  ["do not gc untagged manifests", all({ deleteUntagged: false, keepTags: nothing }), ["0.0.1", "0.0.2"]],
  [
    "the delay is for what has no tag and for referrers",
    all({ keepTags: nothing }, { delay: "25h" }),
    ["0.0.1", "0.0.2"],
  ],
  [
    "without deleteReferrers they stay",
    all({ keepTags: nothing, deleteReferrers: false }),
    ["0.0.1", "0.0.2", digest(14)],
  ],
])("zot's own: %s", (_name, document, expected) => expect(gone(document, test1, "gc-test1")).toEqual(expected));

// github.com/project-zot/zot, pkg/cli/server/verify_retention_test.go
describe("zot's own: verify-feature retention", () => {
  const multiarch = [
    image(21, "multiarch-tag", 3, 3, { children: [digest(22), digest(23)] }),
    image(22, "", 3),
    image(23, "", 3),
  ];
  const images = [
    image(20, "old-tag", 10),
    image(24, "recent-tag-1", 1),
    image(25, "recent-tag-2", 2),
    image(26, "", 1),
  ];

  test("the two that were pulled last stay; what an index was made of goes with it", () => {
    const policy = all({ deleteReferrers: false, keepTags: [{ patterns: [".*"], mostRecentlyPulledCount: 2 }] });
    expect(gone(policy, [...images, ...multiarch])).toEqual(["multiarch-tag", "old-tag", digest(26)]);
  });

  test("TestRetentionCheckWithDeleteReferrers", () => {
    const referrers = [20, 24].map((n) => image(n + 10, "", 1, 1, { subject: digest(n) }));
    const policy = all({ keepTags: [{ patterns: [".*"], mostRecentlyPulledCount: 1 }] });
    expect(gone(policy, [images[0]!, images[1]!, ...referrers])).toEqual(["old-tag", digest(30)]);
  });

  test("TestRetentionCheckWithSubpaths: /a has what begins with a/, and collects only where it says so", () => {
    const retained = all({ keepTags: [{ patterns: ["^recent"] }] });
    const document = (gc?: boolean): object => ({
      storage: { retention: all({}), subPaths: { "/a": { retention: retained, ...(gc && { gc }) } } },
    });
    expect(gone(document(true), images, "a/repo")).toEqual(["old-tag", digest(26)]);
    expect(gone(document(), images, "a/repo")).toEqual([]);
    expect(gone(document(true), images, "a")).toEqual([digest(26)]);
    expect(gone({ storage: { gc: false, retention: retained } }, images, "b/repo")).toEqual([]);
  });
});

// github.com/project-zot/zot, pkg/retention/candidate_test.go, TestGetRetainedUntaggedFromMetaDB
test("zot's own: keepUntagged is by rules of its own", () => {
  const images = [image(1, "", 1 / 24), image(2, "", 2, 1.5), image(3, "v1", 0)];
  const policy = (keepUntagged: object): object => all({ keepUntagged });
  expect(gone(policy({ pulledWithin: "24h", mostRecentlyPushedCount: 1 }), images)).toEqual([digest(2)]);
  expect(gone(policy({ mostRecentlyPulledCount: 1 }), images)).toEqual([digest(2)]);
  expect(gone(policy({}), images)).toEqual([digest(1), digest(2)]);
});

describe("zot", () => {
  test("pulledWithin keeps what is as newly pushed, pulled or not", () => {
    const { pulled: _, ...never } = image(1, "fresh", 1);
    expect(gone(all({ keepTags: [{ pulledWithin: "48h" }] }), [never, image(2, "idle", 9)])).toEqual(["idle"]);
  });

  test("a time of nothing keeps nothing, and a count of nothing is none", () => {
    expect(gone(all({ keepTags: [{ pushedWithin: "0s" }] }), [image(1, "v1", 1)])).toEqual(["v1"]);
    expect(gone(all({ keepTags: [{ mostRecentlyPushedCount: 0 }] }), [image(1, "v1", 1)])).toEqual([]);
  });

  test("signatures by tag go once what they sign is gone", () => {
    const signature = `sha256-${digest(1).slice(7)}.sig`;
    const policy = all({ keepTags: [{ patterns: [String.raw`\.sig$`] }] });
    expect(gone(policy, [image(1, "v1", 1), image(2, signature, 1)])).toEqual([signature, "v1"]);
    expect(gone(all({ keepTags: [{}] }), [image(1, "v1", 1), image(2, signature, 1)])).toEqual([]);
  });

  test.each<readonly [repository: string, gone: readonly string[]]>([
    ["infra/db", ["v3"]],
    ["infra/db/backup", []],
    ["tmp", ["v2"]],
    ["tmp/a/b", ["v2"]],
    ["temp", []],
  ])("the first policy that is for %s counts", (repository, expected) => {
    const policies = [
      { repositories: ["infra/*", "prod/*"], keepTags: [{ patterns: ["v2"] }] },
      { repositories: ["tmp/**", "infra/d*"], keepTags: [{ patterns: ["v3"] }] },
    ];
    expect(gone({ policies }, [image(2, "v2", 1), image(3, "v3", 1)], repository)).toEqual(expected);
  });

  test.each<readonly [document: unknown, ...at: string[]]>([
    [{ policies: [] }],
    [{ storage: { rootDirectory: "/tmp/zot", retention: { policies: [] } }, http: { port: "8080" } }],
    [all({ keepTags: [{ pulledWithin: 3_600_000_000_000, pushedWithin: "1h30m0.5s" }] })],
    [{}, "policies"],
    [{ storage: {} }, "storage.retention"],
    [{ storage: { retention: { policies: [] }, gc: "yes" } }, "storage.gc"],
    [{ storage: { retention: { policies: [] } }, htp: {} }, "htp"],
    [all({ repositories: [] }), "policies[0].repositories"],
    [all({ repositories: ["a[", "{a,b", "**"] }), "policies[0].repositories[0]", "policies[0].repositories[1]"],
    [all({ keeptags: [] }), "policies[0].keeptags"],
    [
      all({ keepTags: [{ patterns: ["("] }, { patterns: ["(?!a)"] }] }),
      "policies[0].keepTags[0].patterns[0]",
      "policies[0].keepTags[1].patterns[0]",
    ],
    [all({ keepTags: [{ pulledWithin: "7d" }] }), "policies[0].keepTags[0].pulledWithin"],
    [all({ keepTags: [{ pushedWithin: "-1h" }] }), "policies[0].keepTags[0].pushedWithin"],
    [
      all({ keepUntagged: { mostRecentlyPushedCount: -1, patterns: [] } }),
      "policies[0].keepUntagged.patterns",
      "policies[0].keepUntagged.mostRecentlyPushedCount",
    ],
    [
      { storage: { retention: { policies: [] }, subPaths: { "/a": { retention: { delay: 1.5, policies: [] } } } } },
      'storage.subPaths."/a".retention.delay',
    ],
  ])("checks %j", (document, ...at) => {
    expect(checkDocument("zot", document).map((fault) => fault.at)).toEqual(at);
  });

  test("says in hours what was said in days", () => {
    expect(checkDocument("zot", { delay: "7d", policies: [] })[0]?.message).toContain('"168h"');
  });
});

describe("zot and others", () => {
  const places = (losses: readonly { readonly at: string }[]): readonly string[] => [
    ...new Set(losses.map(({ at }) => at)),
  ];

  test("a policy of GitLab", () => {
    const gitlab = {
      enabled: true,
      cadence: "1d",
      keep_n: 5,
      older_than: "30d",
      name_regex: "dev-.*",
      name_regex_keep: "dev-main",
    };
    expect(convertLifecycle("gitlab", "zot", gitlab)).toEqual({
      document: {
        policies: [
          {
            repositories: ["**"],
            deleteUntagged: false,
            keepTags: [
              { patterns: ["^dev-main$"] },
              { patterns: ["^latest$"] },
              { patterns: ["^dev-"], pushedWithin: "720h", mostRecentlyPushedCount: 5 },
              { patterns: [".*"] },
            ],
          },
        ],
      },
      losses: [],
    });
  });

  test("a policy of ECR: what has no tag waits", () => {
    const untagged = { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 };
    const ecr = { rules: [{ rulePriority: 1, selection: untagged, action: { type: "expire" } }] };
    expect(convertLifecycle("ecr", "zot", ecr)).toEqual({
      document: { delay: "336h", policies: [{ repositories: ["**"], deleteUntagged: true }] },
      losses: [],
    });
  });

  test("zot's own for Harbor", () => {
    const keepTags = [{ patterns: ["^v"] }, { mostRecentlyPushedCount: 10, pushedWithin: "720h" }];
    const policies = [{ repositories: ["**"], deleteUntagged: false, keepTags }];
    const { document, losses } = convertLifecycle("zot", "harbor", { policies }, { simpleImages: true });
    const rules = (document as { readonly rules: readonly { readonly template: string; readonly params: unknown }[] })
      .rules;
    expect(rules.map(({ template, params }) => [template, params])).toEqual([
      ["always", {}],
      ["always", {}],
      ["nDaysSinceLastPush", { nDaysSinceLastPush: 30 }],
      ["latestPushedK", { latestPushedK: 10 }],
    ]);
    expect(places(losses)).toEqual([]);
  });
});

// github.com/project-zot/zot, examples/config-retention.json; specifications of others lie beside the sources.
const example = ["../../../..", "../../../../.."]
  .map((up) => join(import.meta.dirname, up, "shared/specs/policies/zot-config-retention.json"))
  .find(existsSync);
test.skipIf(!example)("zot's example is read, and runs", () => {
  const document: unknown = JSON.parse(readFileSync(example!, "utf8"));
  expect(checkDocument("zot", document)).toEqual([]);
  expect(guessDialect(document)).toBe("zot");
  const images = [
    image(1, "v2.1", 100),
    image(2, "v3.1", 100),
    image(3, "v3.2", 100, 1),
    image(4, "v1.0", 3),
    image(5, "x", 50),
  ];
  expect(gone(document as object, images, "infra/db")).toEqual(["v3.1", "v1.0", "x"].toSorted());
  expect(gone(document as object, images, "tmp/db")).toEqual(["v2.1", "v3.1", "v3.2", "x"].toSorted());
  expect(gone(document as object, images, "a/db")).toEqual([]);
});
