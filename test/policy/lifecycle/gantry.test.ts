import { expect, test } from "vitest";
import { convertLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import type { LifecycleForm } from "../../../src/policy/lifecycle/dialects.ts";
import { parseRetention } from "../../../src/policy/retain/schema.ts";
import { retention } from "../../cli/lifecycle-scene.ts";

const own = (...rules: readonly object[]): unknown =>
  parseRetention({ name: "policy.yaml", value: { version: 1, rules } });
const zot = (...policies: readonly object[]): object => ({ delay: "24h", policies });

type Case = readonly [
  from: LifecycleForm,
  to: LifecycleForm,
  document: unknown,
  converted: unknown,
  losses: readonly string[],
];

const cases: readonly Case[] = [
  [
    "gantry",
    "acr",
    own({ untagged: true, delete: { olderThan: "7d" } }, { tags: ["pr-*"], delete: { olderThan: "2d" } }),
    { days: 7, status: "enabled" },
    ["rules[1] deletes what has tags, which Azure does not: left out"],
  ],
  ["zot", "acr", zot({ repositories: ["**"] }), { days: 1, status: "enabled" }, []],
  [
    "harbor",
    "gantry",
    retention,
    {
      version: 1,
      rules: [{ keep: { newest: 10 } }, { untagged: true, keep: { newest: 10 }, delete: { olderThan: "0m" } }],
    },
    ["rules[0] counts what has tags and what has none together: here each counts by itself, and more is kept"],
  ],
  [
    "zot",
    "gantry",
    zot(
      { repositories: ["infra/**"], deleteUntagged: false },
      { repositories: ["**"], keepTags: [{ patterns: ["^v"] }, { pulledWithin: "720h" }] },
    ),
    {
      version: 1,
      rules: [
        { repositories: ["infra", "infra/**"], keep: { always: true } },
        { repositories: ["infra", "infra/**"], untagged: true, keep: { always: true }, delete: { olderThan: "0m" } },
        { tags: ["/v.*/"], keep: { always: true } },
        { keep: { youngerThan: "30d", pulledWithin: "30d" } },
        { untagged: true, delete: { olderThan: "1d" } },
      ],
    },
    [],
  ],
  [
    "gantry",
    "quay",
    own({ name: "branches", tags: ["dev-*"], delete: { olderThan: "14d" } }),
    { policies: [{ method: "creation_date", value: "14d", tagPattern: "^dev-.*$", tagPatternMatches: true }] },
    [],
  ],
  [
    "gantry",
    "zot",
    own(
      { tags: ["main", "v*"], keep: { always: true } },
      { keep: { youngerThan: "2w", pulledWithin: "36h" } },
      { untagged: true, delete: { olderThan: "3d" } },
    ),
    {
      delay: "72h",
      policies: [
        {
          repositories: ["**"],
          deleteUntagged: true,
          keepTags: [
            { patterns: ["^main$"] },
            { patterns: ["^v"] },
            { patterns: [".*"], pulledWithin: "36h", pushedWithin: "336h" },
          ],
        },
      ],
    },
    [],
  ],
  [
    "gantry",
    "gitlab",
    own({ tags: ["dev-*"], keep: { newest: 5 } }),
    undefined,
    ["rules[0] counts images, and here each of their tags counts (--simple-images, if each has one): left out"],
  ],
  [
    "gantry",
    "zot",
    own({ tags: ["semver:<2"], keep: { newest: 3, by: "semver" } }, { tags: ["dev-*"], delete: { olderThan: "1d" } }),
    undefined,
    [
      "rules[0] selects tags by versions, or as others cannot: it is left out, with all after it that are about tags",
      "rules[1] comes after a rule of which it cannot be said what it leaves: left out",
    ],
  ],
  [
    "gantry",
    "ecr",
    parseRetention({
      name: "policy.yaml",
      value: {
        version: 1,
        by: "created",
        maxDelete: "20%",
        rules: [{ delete: { olderThan: "9d" } }, { orphaned: true, delete: { olderThan: "9d" } }],
      },
    }),
    undefined,
    [
      "maxDelete is a brake, which others do not have: what it would stop goes there",
      "rules[0] goes by when images were built: left out",
      "rules[1] is about what is attached to nothing any more, which others do not say: left out",
    ],
  ],
];

test.each(cases)("a policy of %s for %s (%#)", (from, to, document, converted, losses) => {
  const found = convertLifecycle(from, to, document);
  expect(found.document).toEqual(converted);
  expect(found.losses.map(({ at, message }) => `${at} ${message}`)).toEqual(losses);
});
