import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../src/document/yaml.ts";
import { parseRetention } from "../../../src/policy/retain/schema.ts";

const parsed = (text: string) => parseRetention(parseYaml(text, "retain.yaml"));
const rule = (text: string) => () => parsed(`version: 1\nrules:\n  - ${text}\n`);

test("a whole policy is read as it stands", () => {
  expect(
    parsed(`
version: 1
by: pushed
protect: [latest, "/^v\\\\d+$/", "semver:>=2"]
minKeep: 3
maxDelete: 20%
rules:
  - name: pull requests
    repositories: [team/**]
    tags: [pr-*]
    except: [pr-keep-*]
    delete: { olderThan: 14d }
  - tags: ["semver:*"]
    keep:
      - { newest: 3, by: semver, per: minor }
      - { youngerThan: 90d, pulledWithin: 4w }
  - { tags: [main-*], by: created, keep: { newest: 5, per: "/^(\\\\w+)-/" }, allowEmpty: true }
  - { untagged: true, delete: { olderThan: 36h } }
  - { orphaned: true, delete: { olderThan: 90m } }
`),
  ).toEqual({
    version: 1,
    by: "pushed",
    protect: ["latest", "/^v\\d+$/", "semver:>=2"],
    minKeep: 3,
    maxDelete: "20%",
    rules: [
      {
        name: "pull requests",
        repositories: ["team/**"],
        tags: ["pr-*"],
        except: ["pr-keep-*"],
        delete: { olderThan: "14d" },
      },
      {
        tags: ["semver:*"],
        keep: [
          { newest: 3, by: "semver", per: "minor" },
          { youngerThan: "90d", pulledWithin: "4w" },
        ],
      },
      { tags: ["main-*"], by: "created", keep: { newest: 5, per: "/^(\\w+)-/" }, allowEmpty: true },
      { untagged: true, delete: { olderThan: "36h" } },
      { orphaned: true, delete: { olderThan: "90m" } },
    ],
  });
});

describe("what is wrong is named with its place", () => {
  test.each<[string, string]>([
    ["tags: [v*]", "rules[0]: says neither keep nor delete"],
    ["keep: { newest: 0 }", "rules[0].keep.newest: is less than 1"],
    ["keep: {}", "rules[0].keep: has no condition: it needs always, newest, youngerThan or pulledWithin"],
    ["keep: { youngerThan: 2d, by: semver }", "rules[0].keep.by: goes with newest"],
    ["keep: { youngerThan: 2d, per: minor }", "rules[0].keep.per: goes with newest"],
    ["delete: { olderThan: 14 days }", "rules[0].delete.olderThan: is no span of time: write 90m, 36h, 14d or 2w"],
    ["delete: { olderThen: 14d }", 'rules[0].delete.olderThen: "olderThen" is not known here'],
    ["tags: ['/(/'], keep: { newest: 1 }", "rules[0].tags[0]: is wrong: "],
    ["tags: [], keep: { newest: 1 }", "rules[0].tags: is empty: leave it out for all"],
    ["keep: { newest: 1, per: week }", 'rules[0].keep.per: is wrong: "week" is none of major, minor'],
    ["keep: { newest: 1, per: /abc/ }", "rules[0].keep.per: is wrong: "],
    ["untagged: true, keep: { newest: 3 }", "needs delete.olderThan: what is being pushed has no tag yet"],
    ["untagged: true, tags: [a], delete: { olderThan: 1d }", "it does not go together with tags"],
    ["untagged: true, orphaned: true, delete: { olderThan: 1d }", "write one for each"],
    ["untagged: false, delete: { olderThan: 1d }", "rules[0].untagged: has to be true, or left out"],
    ["orphaned: true, keep: { newest: 1, by: semver }", "goes by tags, and orphaned selects what has none"],
  ])("%s", (text, message) => {
    expect(rule(`{ ${text} }`)).toThrow(message);
  });

  test("line and column, too", () => {
    expect(rule("{ keep: { newest: 0 } }")).toThrow("retain.yaml:3:23: rules[0].keep.newest: is less than 1");
  });

  test.each<[string, string]>([
    [
      "version: 2\nrules: [{ keep: { newest: 1 } }]\n",
      "version: is a version that this Gantry does not know: it has to be 1",
    ],
    ["version: 1\nrules: []\n", "rules: is empty: a policy needs a rule"],
    ["version: 1\nrule: []\n", '"rule" is not known here'],
    [
      "version: 1\nmaxDelete: 200%\nrules: [{ keep: { newest: 1 } }]\n",
      "maxDelete: is neither a number nor a part such as 20%",
    ],
    [
      "version: 1\nrules: [{ name: a, keep: { newest: 1 } }, { name: a, keep: { newest: 1 } }]\n",
      'rules: two rules are called "a"',
    ],
  ])("%s", (text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });
});
