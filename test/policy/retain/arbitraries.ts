import * as fc from "fast-check";
import type { Inventory } from "../../../src/graph/inventory.ts";
import { lifecycleDialects, type LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import { protection } from "../../../src/policy/protect.ts";
import type { DialectPolicy } from "../../../src/policy/retain/dialect.ts";
import type { Keep, RetentionPolicy, RetentionRule } from "../../../src/policy/retain/retention.ts";
import { documents, tagNames } from "../lifecycle/samples.ts";
import { digest, inventory, type Sketch } from "./scene.ts";

/** What the manifests of a repository are called. */
const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
const hex = (name: string): string => digest(name).replace(":", "-");
/** Mostly nothing: else all hangs together, and nothing ever goes. */
const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });
const ownTags = ["latest", "1.0.0", "1.0.1", "1.1.0", "1.1", "1", "2.0.0-rc.1", "dev-1", "dev-2", "main-1", "main-2"];
const digestTag = fc.constantFrom(
  ...names.map((name) => `${hex(name)}.sig`),
  ...names.map(hex),
  `${hex("nobody")}.sig`,
);

/** Repositories with anything in them: parts and subjects point only to what comes later, tags to anything. */
const repository = (name: string, tags: readonly string[], oldest: number): fc.Arbitrary<Inventory> =>
  fc
    .tuple(
      fc.array(
        fc.record({
          age: fc.integer({ min: 0, max: oldest }),
          pulled: fc.option(fc.integer({ min: 0, max: oldest }), { nil: undefined }),
          children: fc.subarray(names.slice(4), { maxLength: 3 }),
          subject: seldom(fc.constantFrom(...names, "nobody")),
          immutable: fc.boolean(),
        }),
        { minLength: names.length, maxLength: names.length },
      ),
      fc.dictionary(
        fc.oneof({ weight: 7, arbitrary: fc.constantFrom(...tags) }, { weight: 1, arbitrary: digestTag }),
        fc.constantFrom(...names),
      ),
      fc.constantFrom("alone", "impossible", "takes the image along", "not everywhere"),
    )
    .map(([sketches, named, tagDeletion]) =>
      inventory(
        Object.fromEntries(
          sketches.map(({ children, subject, pulled, immutable, age }, i): [string, Sketch] => [
            names[i]!,
            {
              age,
              children: children.filter((child) => child > names[i]!),
              tags: Object.keys(named).filter((one) => named[one] === names[i]),
              ...(subject !== undefined && subject !== names[i] && { subject }),
              ...(pulled !== undefined && { pulled }),
              ...(immutable && age % 4 === 0 && { immutable }),
            },
          ]),
        ),
        { repository: `registry.example/${name}`, ...(tagDeletion !== "alone" && { tagDeletion }) },
      ),
    );

const few = fc.constantFrom("dev-*", "1.1*", "/m.*-\\d/", "semver:>=1.1", "main-*", "latest");
const pattern = fc.oneof(few, fc.constantFrom("*", "1.*", "/.*-\\d/", "semver:*"));
const span = fc.integer({ min: 0, max: 30 }).map((days) => `${days}d`);
const keep: fc.Arbitrary<Keep> = fc.record(
  {
    newest: fc.integer({ min: 1, max: 4 }),
    by: fc.constantFrom("pushed", "semver"),
    per: fc.constantFrom("major", "minor", "/^(\\w+)-/" as const),
    youngerThan: span,
    pulledWithin: span,
  },
  { requiredKeys: ["newest"] },
);
export const rule: fc.Arbitrary<RetentionRule> = fc.oneof(
  fc.record(
    {
      tags: fc.array(pattern, { minLength: 1, maxLength: 2 }),
      except: fc.tuple(few),
      keep,
      delete: fc.record({ olderThan: span }),
    },
    { requiredKeys: ["tags", "keep"] },
  ),
  fc.record({ tags: fc.tuple(pattern), delete: fc.record({ olderThan: span }) }),
  fc.record({ untagged: fc.constant(true as const), delete: fc.record({ olderThan: span }) }),
  fc.record({ orphaned: fc.constant(true as const), delete: fc.record({ olderThan: span }) }),
);
/** Policies of Gantry's own. */
const own: fc.Arbitrary<RetentionPolicy> = fc.record(
  {
    version: fc.constant(1 as const),
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
    protect: fc.tuple(few),
    minKeep: fc.constantFrom(1, 1, 3),
    maxDelete: fc.constantFrom(2, 20, "50%", "90%"),
  },
  { requiredKeys: ["version", "rules"] },
);
/** What is planned over: two repositories, what is in use there and what is protected. */
const stateOf = (tags: readonly string[], oldest: number) =>
  fc.record({
    inventories: fc.tuple(repository("app", tags, oldest), repository("other", tags, oldest)),
    inUse: fc.subarray([
      { reference: "registry.example/app:latest", by: "pod" },
      { reference: `registry.example/other@${digest("m7")}`, by: "job" },
    ]),
    protect: fc.subarray(["main-*", digest("m3")]).map(protection),
    allowEmpty: fc.constantFrom(true, true, false),
  });

/** A policy of a dialect, and a repository of which no two moments are the same. */
export const sceneOf = (dialect: LifecycleDialect) =>
  fc.record({ document: documents[dialect], inventory: repository("app", tagNames, 150).map(apart) });

function apart(from: Inventory): Inventory {
  const held = [...from.manifests.values()].map(({ pushed, pulled, ...one }, i) => ({
    ...one,
    pushed: pushed! - i,
    ...(pulled !== undefined && { pulled: pulled - i }),
  }));
  return { ...from, manifests: new Map(held.map((one) => [one.digest, one])) };
}

export const ownState = stateOf(ownTags, 60);
export const ownScene = fc.record({ policy: own, state: ownState });
/** Documents of which few delete anything. */
const mild: readonly LifecycleDialect[] = ["artifact-registry", "gitlab"];
const dialectScenes = lifecycleDialects.map((dialect) =>
  fc.record({
    policy: documents[dialect].map((document): DialectPolicy => ({ dialect, document })),
    state: stateOf(tagNames, 150),
  }),
);
/** Any policy, as often of Gantry's own as of a service's. */
export const scene = fc.oneof(
  { weight: lifecycleDialects.length, arbitrary: ownScene },
  ...dialectScenes.map((arbitrary, i) => ({ weight: mild.includes(lifecycleDialects[i]!) ? 2 : 1, arbitrary })),
);
