import { expect, test } from "vitest";
import { parseReference } from "../../../src/oci/reference.ts";
import { targetOf, type TargetOptions } from "../../../src/policy/promote/target.ts";

const at = (text: string, to: string, options: TargetOptions = {}, release?: string): unknown => {
  const { repository, tags, leftOut } = targetOf(
    { reference: parseReference(text), ...(release !== undefined && { release }) },
    to,
    options,
  );
  const words = tags.map(({ tag, alias }) => `${tag}${alias ? " (alias)" : ""}`);
  return [repository, words.join(", "), ...leftOut];
};

const app = "registry.example/team/app";

test.each([
  [`${app}:1.2.3`, "r.example/prod/app", {}, ["r.example/prod/app", "1.2.3"]],
  [`${app}:1.2.3`, "r.example:5000/prod/{name}", {}, ["r.example:5000/prod/app", "1.2.3"]],
  [
    `${app}:1.2.3`,
    "mirror.example/{registry}/{repository}:{tag}-ok",
    {},
    ["mirror.example/registry.example/team/app", "1.2.3-ok"],
  ],
  [`${app}:1.2.3`, "{registry}/{repository}", { tags: ["{tag}-prod", "live"] }, [app, "1.2.3-prod, live"]],
  [
    `${app}:v1.2.3`,
    app,
    { tags: ["{major}.{minor}", "{major}.{minor}.{patch}", "{version}"] },
    [app, "1.2 (alias), 1.2.3"],
  ],
  [`${app}:v1.2.3`, app, { semverTags: true }, [app, "v1.2.3, v1.2 (alias), v1 (alias)"]],
  [`${app}:0.3.1`, app, { semverTags: true }, [app, "0.3.1, 0.3 (alias)"]],
  [
    `${app}:2.0.0-rc.1`,
    app,
    { semverTags: true },
    [app, "2.0.0-rc.1", `${app}:2.0.0-rc.1: a pre-release has no aliases`],
  ],
  [
    `${app}:2.0.0-rc.1`,
    app,
    { tags: ["{tag}", "{major}"] },
    [app, "2.0.0-rc.1", "{major}: a pre-release has no aliases"],
  ],
  [
    `${app}:main`,
    app,
    { semverTags: true },
    [app, "main", `${app}:main: nothing tells its version, so that it has no aliases`],
  ],
] as const)("%s to %s with %j", (from, to, options, wanted) => {
  expect(at(from, to, options)).toEqual(wanted);
});

test("a version that is told by something else than the tag serves as well", () => {
  expect(at(`${app}:main`, app, { tags: ["{version}", "stable"], semverTags: true }, "1.2.3")).toEqual([
    app,
    "1.2.3, stable, 1.2 (alias), 1 (alias)",
  ]);
});

test.each([
  [`${app}:1.2.3`, "r.example/{nme}", {}, 'r.example/{nme}: "{nme}" is not known'],
  [`${app}:1.2.3`, "r.example/app", { tags: ["{tags}"] }, '{tags}: "{tags}" is not known'],
  [`${app}:1.2.3`, "r.example/app", { tags: ["a b"] }, '"a b" is no tag'],
  [`${app}:1.2.3`, `r.example/app@sha256:${"0".repeat(64)}`, {}, "has no digest"],
  [`${app}@sha256:${"0".repeat(64)}`, "r.example/app", {}, "gets no tag at r.example/app"],
  [`${app}:main`, "r.example/{version}/app", {}, "nothing tells the version of"],
  [`${app}:1.2.3`, "r.example/Prod/{name}", {}, "an upper-case letter in the repository"],
] as const)("%s to %s with %j: %s", (from, to, options, message) => {
  expect(() => at(from, to, options)).toThrow(message);
});
