import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkDocument } from "../../../src/policy/lifecycle/check.ts";
import { convertLifecycle, formatLifecycle, parseLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import { lifecycleForms, type LifecycleForm } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { parseRetention } from "../../../src/policy/retain/schema.ts";
import { goesByGantry } from "./gantry-scene.ts";
import { documents, goes, now, someImages } from "./samples.ts";

const options = { now, repository: "app" };
function gone(form: LifecycleForm, document: unknown, images: readonly LifecycleImage[]): ReadonlySet<string> {
  if (document === undefined) return new Set();
  if (form === "gantry") return goesByGantry(document, images, options.repository);
  return goes(simulateLifecycle(form, document, images, options));
}

function checkForm(form: LifecycleForm, document: unknown): void {
  if (form === "gantry") parseRetention({ name: "policy.yaml", value: document });
  else expect(checkDocument(form, document)).toEqual([]);
}

const without = (all: ReadonlySet<string>, those: ReadonlySet<string>): readonly string[] =>
  [...all].filter((one) => !those.has(one));

const pairs = lifecycleForms.flatMap((from) => lifecycleForms.map((to) => [from, to] as const));
const runs = { numRuns: 40 };

describe.each(lifecycleForms)("documents of %s", (dialect) => {
  test("are taken as right", () => {
    fc.assert(
      fc.property(documents[dialect], (document) => checkForm(dialect, document)),
      runs,
    );
  });

  test("are read and written again without deleting more; or less, where nothing is lost", () => {
    fc.assert(
      fc.property(documents[dialect], someImages(false), (document, images) => {
        const { rules, losses } = parseLifecycle(dialect, document);
        const again = formatLifecycle(dialect, rules);
        const [before, after] = [gone(dialect, document, images), gone(dialect, again.document, images)];
        expect(without(after, before)).toEqual([]);
        if (losses.length + again.losses.length === 0) expect(without(before, after)).toEqual([]);
      }),
      runs,
    );
  });
});

describe.each(pairs)("from %s to %s", (from, to) => {
  test.each([false, true])(
    "what is written is right, and deletes nothing that the policy would not (simple images: %s)",
    (simple) => {
      fc.assert(
        fc.property(documents[from], someImages(simple), (document, images) => {
          const { document: converted, losses } = convertLifecycle(from, to, document, { simpleImages: simple });
          if (converted !== undefined) checkForm(to, converted);
          const [before, after] = [gone(from, document, images), gone(to, converted, images)];
          expect(without(after, before)).toEqual([]);
          if (losses.length === 0) expect(without(before, after)).toEqual([]);
        }),
        runs,
      );
    },
  );
});

describe("what chance seldom comes to: from harbor to zot", () => {
  const retain = (latestPushedK: number, pattern: string, extras?: string, repositories = "**"): object => ({
    action: "retain",
    template: "latestPushedK",
    params: { latestPushedK },
    tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern, ...(extras !== undefined && { extras }) }],
    scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: repositories }] },
  });
  const policyOf = (...rules: readonly object[]): object => {
    const trigger = { kind: "Schedule", settings: { cron: "0 0 0 * * *" } };
    return { algorithm: "or", rules, trigger, scope: { level: "project", ref: 1 } };
  };
  const image: LifecycleImage = {
    digest: `sha256:${"0".repeat(64)}`,
    tags: ["latest"],
    pushed: new Date(now - 1000).toISOString(),
  };

  test.each([
    ["one that is for tags alone", retain(0, "latest", '{"untagged":false}')],
    ["one that is for more", retain(0, "{latest,dev}")],
  ])("a rule that keeps what %s does not is not lost behind it", (_, first) => {
    const policy = policyOf(first, retain(1, "latest"), retain(0, "**"));
    const { document } = convertLifecycle("harbor", "zot", policy, { simpleImages: true });
    expect([...gone("harbor", policy, [image])]).toEqual([]);
    expect([...gone("zot", document, [image])]).toEqual([]);
  });

  test("that a rule keeps in more repositories than it is for is told", () => {
    const policy = policyOf(retain(1, "latest", undefined, "other"), retain(0, "**"));
    const { document, losses } = convertLifecycle("harbor", "zot", policy, { simpleImages: true });
    expect([...gone("harbor", policy, [image])]).toEqual(["latest"]);
    expect([...gone("zot", document, [image])]).toEqual([]);
    expect(losses).toContainEqual({
      at: "rules[0]",
      message: "is for some repositories: it keeps in all that the rule is for",
    });
  });
});

describe("what chance seldom comes to: that more is kept is told", () => {
  const cleanup = (...policies: readonly object[]): object => ({
    cleanupPolicies: Object.fromEntries(policies.map((one, i) => [`p-${i}`, { id: `p-${i}`, ...one }])),
  });
  const untagged = { action: "DELETE", condition: { tagState: "UNTAGGED" } };
  const inSome = { action: "DELETE", condition: { tagState: "TAGGED", packageNamePrefixes: ["app"] } };
  const newest = { action: "KEEP", mostRecentVersions: { keepCount: 1 } };

  test.each<[string, LifecycleForm, object, string, string]>([
    ["by a rule for some repositories", "harbor", cleanup(inSome, untagged), "p-1", "may be for repositories that"],
    [
      "where one count is for all",
      "gantry",
      cleanup(newest, untagged),
      "p-0",
      "counts what has tags and what has none",
    ],
    ["where one count is for all", "zot", cleanup(newest, untagged), "p-0", "counts what has tags and what has none"],
  ])("%s, in the form of %s", (_, to, document, at, message) => {
    const { losses } = convertLifecycle("artifact-registry", to, document, { simpleImages: true });
    expect(losses).toContainEqual({ at: expect.stringContaining(at), message: expect.stringContaining(message) });
  });

  test("but not of rules for other repositories", () => {
    const policies = ["app", "**"].map((one) => ({ repositories: [one], deleteUntagged: true }));
    const { losses } = convertLifecycle("zot", "harbor", { policies }, { simpleImages: true });
    expect(losses.filter(({ message }) => message.startsWith("may be for"))).toEqual([]);
  });
});

describe("what chance seldom comes to: from gantry to harbor", () => {
  const convert = (rule: object) => convertLifecycle("gantry", "harbor", { version: 1, rules: [rule] });

  test("an image that each of two exceptions takes a tag of would count with Harbor", () => {
    const { document, losses } = convert({ except: ["v*", "latest"], keep: { newest: 2 } });
    const images = ["dev-1", "v1.1 latest", "dev-x"].map((tags, i): LifecycleImage => ({
      digest: `sha256:${String(i).repeat(64)}`,
      tags: tags.split(" "),
      pushed: new Date(now - 1000).toISOString(),
    }));
    expect([...gone("harbor", document, images)]).toEqual([]);
    expect(losses).not.toEqual([]);
  });

  test("a keep of less than whole days is told", () => {
    const { losses } = convert({ untagged: true, keep: { pulledWithin: "36h" }, delete: { olderThan: "24h" } });
    expect(losses.map(({ message }) => message)).toContain("is not a number of whole days: the next is taken");
  });
});
