import * as fc from "fast-check";
import type { Digest } from "../../../src/oci/digest.ts";
import type { LifecycleForm } from "../../../src/policy/lifecycle/dialects.ts";
import type { Decision, LifecycleImage } from "../../../src/policy/lifecycle/images.ts";

export const now = Date.UTC(2026, 10, 25);
const day = 86_400_000;

/** Tags that the patterns of the documents fit, or not. */
export const tagNames = [
  "latest",
  "dev-1",
  "dev-2",
  "dev-x",
  "release-1",
  "release-2",
  "v1.0",
  "v1.1",
  "v1.0-rc1",
  "main",
  "a",
  "b",
];
const prefixes = ["dev-", "release-", "v1", "v", "main"];
const globs = ["dev-*", "release-*", "v*", "v1.*", "*-rc*", "*", "latest", "main", "v*0*"];
const expressions = [
  ".*",
  "dev-.*",
  "release-.*|main",
  "v[0-9]+\\.[0-9]+",
  "^v.*$",
  "(?:dev|release)-.*",
  "a|b",
  "latest",
  "[ab]",
  "",
];

const digestOf = (i: number): Digest => `sha256:${i.toString(16).padStart(64, "0")}` as Digest;

const oneImage = fc.record({
  tags: fc.uniqueArray(fc.constantFrom(...tagNames), { maxLength: 3 }),
  age: fc.double({ min: 0.1, max: 200, noNaN: true }),
  idle: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true })),
  parts: fc.boolean(),
});

/** Images of a repository; `simple` ones have one tag at most, and no indexes are among them. */
export const someImages = (simple: boolean): fc.Arbitrary<readonly LifecycleImage[]> =>
  fc.array(oneImage, { maxLength: 12 }).map((drafts) => {
    const free = new Set(tagNames);
    return drafts.flatMap(({ tags, age, idle, parts }, i): LifecycleImage[] => {
      const own = tags.filter((tag) => free.delete(tag)).slice(0, simple ? 1 : undefined);
      const pushed = new Date(now - age * day).toISOString();
      const image: LifecycleImage = {
        digest: digestOf(100 + i * 10),
        tags: own,
        pushed,
        ...(idle !== null && { pulled: new Date(now - age * idle * day).toISOString() }),
      };
      if (simple || !parts) return [image];
      const children = [1, 2].map((n): LifecycleImage => ({
        digest: digestOf(100 + i * 10 + n),
        tags: [],
        pushed: new Date(now - age * day - n).toISOString(),
      }));
      return [...children, { ...image, children: children.map((child) => child.digest!) }];
    });
  });

const days = fc.integer({ min: 1, max: 120 });
const counts = fc.integer({ min: 1, max: 6 });
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });

const ecrCount = fc.oneof(
  counts.map((countNumber) => ({ countType: "imageCountMoreThan", countNumber })),
  days.map((countNumber) => ({ countType: "sinceImagePushed", countUnit: "days", countNumber })),
);
const ecrSelection = fc.oneof(
  { weight: 3, arbitrary: some(globs).map((tagPatternList) => ({ tagStatus: "tagged", tagPatternList })) },
  some(prefixes).map((tagPrefixList) => ({ tagStatus: "tagged", tagPrefixList })),
  fc.constant({ tagStatus: "untagged" }),
  fc.constant({ tagStatus: "any" }),
);
const order = { tagged: 0, untagged: 0, any: 1 };
const ecr = fc
  .uniqueArray(fc.tuple(ecrSelection, ecrCount), {
    minLength: 1,
    maxLength: 4,
    selector: ([one]) => JSON.stringify(Object.values(one).map((v) => [v].flat().toSorted())),
  })
  .map((rules) => ({
    rules: rules
      .toSorted(([a], [b]) => order[a.tagStatus as "any"] - order[b.tagStatus as "any"])
      .map(([selection, count], i) => ({
        rulePriority: 2 * i + 1,
        description: "so that it is long enough",
        selection: { ...selection, ...count },
        action: { type: "expire" },
      })),
  }));

const seconds = days.map((n) => `${n * 86_400}s`);
const condition = fc
  .record(
    {
      tagState: fc.constantFrom("TAGGED", "UNTAGGED", "ANY"),
      tagPrefixes: some(prefixes),
      olderThan: seconds,
      newerThan: seconds,
      packageNamePrefixes: fc.constantFrom(["app"], ["other"], ["x", "a"]),
    },
    { requiredKeys: ["tagState"] },
  )
  .map((one) => ("tagPrefixes" in one ? { ...one, tagState: "TAGGED" } : one));
const cleanupPolicy = fc.oneof(
  { weight: 3, arbitrary: condition.map((one) => ({ action: "DELETE", condition: one })) },
  condition.map((one) => ({ action: "KEEP", condition: one })),
  counts.map((keepCount) => ({ action: "KEEP", mostRecentVersions: { keepCount } })),
);
const artifactRegistry = fc.array(cleanupPolicy, { minLength: 1, maxLength: 4 }).map((policies) => ({
  cleanupPolicies: Object.fromEntries(policies.map((policy, i) => [`p-${i}`, { id: `p-${i}`, ...policy }])),
}));

const extras = fc.constantFrom(undefined, "", '{"untagged":true}', '{"untagged":false}');
const tagSelector = fc.record(
  {
    kind: fc.constant("doublestar"),
    decoration: fc.constantFrom("matches", "matches", "excludes"),
    pattern: fc.constantFrom("**", "dev-*", "{dev,release}-*", "v?.?", "v[0-9].*", "latest", "{a,b}", "v**"),
    extras,
  },
  { requiredKeys: ["kind", "decoration", "pattern"] },
);
const harborRule = fc
  .tuple(
    fc.constantFrom(
      "latestPushedK",
      "latestPulledN",
      "latestActiveK",
      "lastXDays",
      "nDaysSinceLastPush",
      "nDaysSinceLastPull",
      "always",
    ),
    fc.integer({ min: 0, max: 40 }),
    fc.array(tagSelector, { minLength: 1, maxLength: 2 }),
    fc.constantFrom("**", "**", "app", "other"),
    fc.constantFrom("repoMatches", "repoMatches", "repoExcludes"),
  )
  .map(([template, n, selectors, pattern, decoration]) => ({
    disabled: false,
    action: "retain",
    template,
    params: template === "always" ? {} : { [template]: n },
    tag_selectors: selectors.map(({ extras: more, ...one }) => ({
      ...one,
      ...(more !== undefined && { extras: more }),
    })),
    scope_selectors: { repository: [{ kind: "doublestar", decoration, pattern }] },
  }));
const harborRetention = fc.array(harborRule, { minLength: 1, maxLength: 3 }).map((rules) => ({
  algorithm: "or",
  rules,
  trigger: { kind: "Schedule", settings: { cron: "0 0 0 * * *" } },
  scope: { level: "project", ref: 1 },
}));
const immutableRule = harborRule.map(({ tag_selectors: [first], scope_selectors }) => ({
  tag_selectors: [first!],
  scope_selectors,
}));
const harbor = fc.oneof(
  { weight: 3, arbitrary: harborRetention },
  fc.record({ retention: harborRetention, immutable: fc.array(immutableRule, { maxLength: 2 }) }),
);

const gitlab = fc.record(
  {
    enabled: fc.constant(true),
    cadence: fc.constant("1d"),
    keep_n: fc.constantFrom(null, 1, 5, 10),
    older_than: fc.constantFrom(null, "7d", "30d", "90d"),
    name_regex: fc.constantFrom(...expressions),
    name_regex_keep: fc.constantFrom(null, ...expressions),
  },
  { requiredKeys: ["enabled", "cadence", "name_regex"] },
);

const quayPolicy = fc
  .tuple(
    fc.oneof(
      counts.map((value) => ({ method: "number_of_tags", value })),
      days.map((n) => ({ method: "creation_date", value: `${n}d` })),
    ),
    fc.record({ tagPattern: fc.constantFrom(...expressions), tagPatternMatches: fc.boolean() }, { requiredKeys: [] }),
  )
  .map(([one, pattern]) => ({ ...one, ...pattern }));
const quay = fc.array(quayPolicy, { minLength: 1, maxLength: 3 }).map((policies) => ({ policies }));

const acr = fc.record({ days, status: fc.constantFrom("enabled", "enabled", "disabled") });

const zotRules = fc.record(
  {
    pulledWithin: days.map((n) => `${n * 24}h`),
    pushedWithin: fc.constantFrom("0s", "36h", "720h", "2400h"),
    mostRecentlyPushedCount: fc.integer({ min: 0, max: 4 }),
    mostRecentlyPulledCount: counts,
  },
  { requiredKeys: [] },
);
const zotEntry = fc
  .tuple(fc.option(some([...expressions.filter(Boolean), "0", "^v", "rc"])), zotRules)
  .map(([patterns, rules]) => ({ ...(patterns && { patterns }), ...rules }));
const zotPolicy = fc.record(
  {
    repositories: fc.constantFrom(["**"], ["app"], ["other", "a*"], ["x/**"]),
    deleteUntagged: fc.boolean(),
    keepTags: fc.array(zotEntry, { maxLength: 3 }),
    keepUntagged: zotRules,
  },
  { requiredKeys: ["repositories"] },
);
const zotRetention = fc.record(
  {
    dryRun: fc.constant(false),
    delay: fc.constantFrom("0s", "24h", "1h30m", "240h"),
    policies: fc.array(zotPolicy, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ["policies"] },
);
const zot = fc.oneof(
  { weight: 3, arbitrary: zotRetention },
  zotRetention.map((retention) => ({ storage: { retention } })),
);

const gantryPatterns = some([
  "v*",
  "dev-*",
  "{dev,release}-*",
  "/v[0-9]+\\.[0-9]+/",
  "*",
  "latest",
  "semver:>=1",
  "[ab]",
  "m???",
]);
const span = fc.constantFrom("0m", "36h", "5d", "20d", "12w");
const gantryKeep = fc.oneof(
  fc.record({ always: fc.constant(true as const) }),
  fc
    .record({ newest: counts, youngerThan: span, pulledWithin: span }, { requiredKeys: [] })
    .filter((keep) => Object.keys(keep).length > 0),
  fc.record({
    newest: counts,
    by: fc.constantFrom("semver", "created", "pushed"),
    per: fc.constantFrom("major", "minor"),
  }),
);
const gantryRule = fc
  .tuple(
    fc.record({ repositories: fc.constantFrom(["app"], ["other", "a*"], ["x/**"], ["**"]) }, { requiredKeys: [] }),
    fc.oneof(
      fc.record(
        { tags: gantryPatterns, except: gantryPatterns, keep: gantryKeep, delete: fc.record({ olderThan: span }) },
        { requiredKeys: ["keep"] },
      ),
      fc
        .record(
          { untagged: fc.constant(true as const), keep: gantryKeep, delete: fc.record({ olderThan: span }) },
          { requiredKeys: ["untagged", "delete"] },
        )
        .filter(({ keep }) => !keep || !("per" in keep)),
    ),
  )
  .map(([where, rule]) => ({ ...where, ...rule }));
const gantry = fc.record(
  {
    version: fc.constant(1 as const),
    protect: fc.constantFrom(["main"], ["v1.*"], ["semver:>=1"]),
    rules: fc.array(gantryRule, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ["version", "rules"] },
);

/** Documents that their services take; and Gantry. */
export const documents: Readonly<Record<LifecycleForm, fc.Arbitrary<unknown>>> = {
  ecr,
  "artifact-registry": artifactRegistry,
  acr,
  harbor,
  gitlab,
  quay,
  zot,
  gantry,
};

/** What goes by decisions: tags, and images that have none. */
export function goes(decisions: readonly Decision[]): ReadonlySet<string> {
  const deleted = decisions.filter(({ action }) => action === "delete");
  return new Set(deleted.flatMap(({ image, tags }) => (tags.length > 0 ? tags : [String(image.digest)])));
}
