import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseYaml } from "../../../src/document/yaml.ts";
import type { Held, Inventory } from "../../../src/graph/inventory.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { parseSync } from "../../../src/policy/sync/parse.ts";
import { planSync } from "../../../src/policy/sync/plan.ts";
import type { Destination, Route, SyncState, Wanted } from "../../../src/policy/sync/state.ts";

const now = new Date("2026-11-20T14:05:00Z");

function routeOf(mapping: object, tags: Readonly<Record<string, Partial<Wanted>>>): Route {
  const value = {
    version: 1,
    sync: [{ name: "app", from: "registry.example/app", to: "mirror.example/app", ...mapping }],
  };
  const [rule] = parseSync({ name: "sync.yaml", value });
  const [from] = rule!.from;
  if (from?.kind !== "place") throw new Error("no place");
  const images = Object.entries(tags).map(([tag, more]): Wanted => {
    const digest = digestOf(Buffer.from(tag));
    const targets = rule!.to.map((template) => ({
      ...template.target(from.origin, { tag, digest }),
      state: "other" as const,
      now: null,
    }));
    return { tag, digest, pulls: 1, lacks: [], targets, ...more };
  });
  return { rule: rule!, origin: from.origin, images, dropped: [] };
}

const stateOf = (routes: readonly Route[], more: Partial<SyncState> = {}): SyncState => ({
  routes,
  destinations: new Map(),
  unlisted: [],
  unmatched: [],
  pulls: new Map(),
  ...more,
});

test("pulls that are to be left are left: what would take more comes later", () => {
  const route = routeOf({ quotaReserve: 10 }, { a: { pulls: 9 }, b: { pulls: 9 }, c: { pulls: 1 } });
  const { steps, notes } = planSync(stateOf([route], { pulls: new Map([["registry.example", 20]]) }), now);
  expect(steps.map(({ at }) => at)).toEqual(["mirror.example/app:a", "mirror.example/app:c"]);
  expect(notes).toEqual([
    {
      level: "refused",
      at: "mirror.example/app:b",
      rule: "app",
      message: "app: left for later: of the pulls that registry.example allows, 10 are kept",
    },
  ]);
  expect(planSync(stateOf([route]), now).steps.length).toBe(3);
});

test("a copy says all that is needed to do it later", () => {
  const mapping = { limitRate: "1MB", referrers: false, platforms: ["linux/amd64"] };
  const { steps, kind, made } = planSync(stateOf([routeOf(mapping, { a: {} })]), now, { from: "sync.yaml" });
  const digest = digestOf(Buffer.from("a"));
  expect([kind, made]).toEqual(["sync", "2026-11-20T14:05:00.000Z"]);
  expect(steps).toEqual([
    {
      id: "1",
      do: "copy",
      from: `registry.example/app:a@${digest}`,
      at: "mirror.example/app:a",
      digest,
      before: null,
      why: "the tag a is not there",
      rule: "app",
      platforms: ["linux/amd64"],
      referrers: false,
      limitRate: 1_000_000,
    },
  ]);
});

test("an image that several mappings bring to one tag comes once, though only one of them knows its digest", () => {
  const fixed = routeOf({ immutable: ["*"] }, { a: {} });
  const [image] = fixed.images;
  const { digest: _, ...undated } = image!;
  const there = {
    ...fixed,
    images: [{ ...undated, targets: image!.targets.map((goal) => ({ ...goal, state: "fixed" as const })) }],
  };
  const { steps, kept } = planSync(stateOf([there, routeOf({ name: "again" }, { a: {} })]), now);
  expect([steps, kept.map(({ why }) => why)]).toEqual([[], ["it is there, and never moves"]]);
});

test("the guide's example is right", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/sync.md"), "utf8");
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
  const rules = parseSync(parseYaml(example, "sync.md"), {});
  expect(rules.map(({ name }) => name)).toEqual(["base images", "team"]);
  expect(rules[0]!.immutable.map((pattern) => pattern.fits("3.18.1"))).toEqual([false, true]);
});

test("a plan stays small: where very much comes and very much would go, that goes with the next run", () => {
  const plan = (copies: number): ReturnType<typeof planSync> => {
    const wanted = Array.from({ length: copies }, (_, i) => [`v${i}`, {}] as const);
    const route = routeOf({ prune: true }, Object.fromEntries(wanted));
    const old = Array.from({ length: 1000 }, (_, i) => `old${i}`);
    const manifests = old.map((tag): Held => {
      const digest = digestOf(Buffer.from(tag));
      return {
        digest,
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        size: 1,
        blobs: [],
        children: [],
        tags: [tag],
      };
    });
    const inventory: Inventory = {
      repository: "mirror.example/app",
      manifests: new Map(manifests.map((one) => [one.digest, one])),
      tags: new Map(manifests.map(({ digest, tags }) => [tags[0]!, digest])),
      gaps: [],
      listsUntagged: false,
    };
    const destination: Destination = { is: "there", tags: new Set(old), inventory };
    return planSync(stateOf([route], { destinations: new Map([["mirror.example/app", destination]]) }), now);
  };
  expect([plan(1000).steps.length, plan(1000).notes]).toEqual([2000, []]);
  const { steps, notes } = plan(1001);
  expect([steps.length, notes]).toEqual([
    1001,
    [
      {
        level: "warning",
        at: "mirror.example/app",
        message: "1000 deletions are left for the next run, when its 1001 copies are there",
      },
    ],
  ]);
});
