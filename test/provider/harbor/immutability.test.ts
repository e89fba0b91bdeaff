import { describe, expect, test } from "vitest";
import type { Immutability } from "../../../src/provider/service.ts";
import type { Exchange } from "../support.ts";
import { api, failure, harborOf, source } from "./support.ts";

const page = `${source}/server/v2.0/handler/immutable.go`;
const rules = `${api}/projects/lib/immutabletagrules`;

/** A rule as Harbor gives it: `-x` as a pattern of tags or repositories means all but x. */
function rule(id: number, tags: string, repositories: string, disabled = false): Record<string, unknown> {
  const selector = (text: string, matches: string, excludes: string) => ({
    kind: "doublestar",
    decoration: text.startsWith("-") ? excludes : matches,
    pattern: text.replace(/^-/, ""),
  });
  return {
    id,
    disabled,
    action: "immutable",
    template: "immutable_template",
    tag_selectors: [selector(tags, "matches", "excludes")],
    scope_selectors: { repository: [selector(repositories, "repoMatches", "repoExcludes")] },
  };
}

const list = (answer: readonly unknown[]): Exchange => ({ page, url: `${rules}?page_size=100&page=1`, answer });

describe("the rules of a project make a repository", () => {
  test.each<[string, readonly unknown[], Immutability]>([
    ["mutable without any", [], { tags: "mutable" }],
    ["mutable where they are for others", [rule(1, "**", "other"), rule(2, "**", "-team/**")], { tags: "mutable" }],
    ["mutable where they are switched off", [rule(1, "**", "team/app", true)], { tags: "mutable" }],
    [
      "mutable where they lack selectors",
      [{ id: 1 }, { ...rule(2, "**", "**"), tag_selectors: [] }],
      { tags: "mutable" },
    ],
    ["immutable by one for it", [rule(1, "**", "team/app")], { tags: "immutable" }],
    ["immutable by one for all", [rule(1, "*", "**")], { tags: "immutable", scope: "project lib" }],
    ["immutable by an empty pattern", [rule(1, "", "{team/app,b}")], { tags: "immutable", scope: "project lib" }],
    [
      "immutable but for some",
      [rule(1, "-{dev-*,latest}", "team/app")],
      { tags: "immutable", except: ["dev-*", "latest"], patterns: "doublestar" },
    ],
    [
      "mutable but for some",
      [rule(1, "v*", "team/app"), rule(2, "stable", "-other")],
      { tags: "mutable", except: ["v*", "stable"], patterns: "doublestar", scope: "project lib" },
    ],
  ])("%s", async (_, answer, expected) => {
    const { service, sent } = await harborOf([list(answer)]);
    expect(await service.immutability("lib/team/app")).toEqual(expected);
    expect(sent[0]).toMatchObject({ "x-is-resource-name": "true" });
  });

  test("something that cannot be said in one line, which is an error", async () => {
    const { service } = await harborOf([list([rule(1, "-dev", "**"), rule(2, "dev-*", "team/app")])]);
    await expect(service.immutability("lib/team/app")).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("rules 1 (repositories **), 2 (repositories team/app)") as string,
    });
  });

  test("and a project what those for all say", async () => {
    const { service } = await harborOf([list([rule(1, "v*", "**"), rule(2, "**", "team/app")])]);
    expect(await service.immutability("lib")).toEqual({
      tags: "mutable",
      except: ["v*"],
      patterns: "doublestar",
      scope: "project lib",
    });
  });
});

describe("immutability is set", () => {
  const made = (tags: string, repositories = "team/app"): Exchange => ({
    page,
    method: "POST",
    url: rules,
    sends: rule(0, tags, repositories),
    status: 201,
  });
  const change = (method: "PUT" | "DELETE", id: number, sends?: unknown): Exchange => ({
    page,
    method,
    url: `${rules}/${id}`,
    ...(sends !== undefined && { sends }),
  });

  test.each<[string, readonly unknown[], Immutability, readonly Exchange[]]>([
    ["by a rule for the repository", [], { tags: "immutable" }, [made("**")]],
    ["with exceptions", [], { tags: "immutable", except: ["dev-*", "latest"] }, [made("-{dev-*,latest}")]],
    ["for some tags", [], { tags: "mutable", except: ["v*", "stable"] }, [made("v*"), made("stable")]],
    [
      "by switching on what is there",
      [rule(5, "**", "team/app", true)],
      { tags: "immutable" },
      [change("PUT", 5, rule(5, "**", "team/app"))],
    ],
    [
      "by a new rule before the old one goes",
      [rule(5, "v*", "team/app")],
      { tags: "immutable" },
      [made("**"), change("DELETE", 5)],
    ],
    ["to nothing by removing it", [rule(5, "v*", "team/app")], { tags: "mutable" }, [change("DELETE", 5)]],
    ["to what it is by nothing", [rule(5, "v*", "team/app")], { tags: "mutable", except: ["v*"] }, []],
    ["whatever rules are for others", [rule(5, "**", "other")], { tags: "mutable" }, []],
  ])("%s", async (_, before, wanted, expected) => {
    const { service, asked } = await harborOf([list(before), ...expected]);
    await service.setImmutability("lib/team/app", wanted);
    expect(asked.slice(1)).toEqual(expected.map(({ method, url }) => `${method} ${url}`));
  });

  test("for a whole project", async () => {
    const { service, asked } = await harborOf([list([rule(5, "**", "team/app")]), made("**", "**")]);
    await service.setImmutability("lib", { tags: "immutable" });
    expect(asked).toHaveLength(2);
  });

  test("but not against rules for more than the repository, and nothing is changed", async () => {
    const { service, asked } = await harborOf([list([rule(7, "**", "**"), rule(8, "v*", "team/app")])]);
    await expect(service.setImmutability("lib/team/app", { tags: "mutable" })).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("rule 7 (repositories **)") as string,
      hint: expect.stringContaining("lib") as string,
    });
    expect(asked).toHaveLength(1);
  });

  test.each<Immutability>([
    { tags: "immutable", except: ["^v.*$"], patterns: "regex" },
    { tags: "immutable", except: ["{a,b}", "c"] },
    { tags: "immutable", except: ["with space"] },
    { tags: "mutable", except: [""] },
  ])("not to %j, and nobody is asked", async (wanted) => {
    const { service, asked } = await harborOf([]);
    await expect(service.setImmutability("lib/app", wanted)).rejects.toMatchObject({ code: "INVALID" });
    expect(asked).toEqual([]);
  });

  test("not without the role for it, which is named", async () => {
    const { service } = await harborOf([{ ...list([]), status: 403, answer: failure("FORBIDDEN", "forbidden") }]);
    await expect(service.setImmutability("lib/team/app", { tags: "immutable" })).rejects.toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("maintainer") as string,
    });
  });
});
