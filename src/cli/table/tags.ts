import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { moveOptions } from "./plan-options.ts";
import { asFlags, buildOptions, failOn, fixes, forRepository, history, setImmutability } from "./tags-options.ts";

/** Commands about what tags images have, and should have. */
export const tagsCommands: readonly Command[] = [
  {
    name: "tags plan",
    group: "Plans",
    summary: "decide which tags an image gets, from git and CI",
    details:
      "Of v1.2.3: 1.2.3, 1.2, 1 and latest; of a pre-release its version alone; of a branch or pull request its name; of all " +
      "the commit. What is built is taken from the variables of the CI that runs, else from git, unless options say it. Without an " +
      "image, the tags are printed, for the build to come; with one, giving them to it is a plan. No tag moves backwards: where " +
      "the repository has 1.3.0, 1.2.4 gets 1.2, but neither 1 nor latest. Tags that tags.immutable of the configuration names " +
      "never move at all; --set-immutability plans to let the service see to that, too.",
    arguments: [{ name: "reference", summary: "the image that gets the tags", optional: true, completes: "reference" }],
    options: [
      ...buildOptions,
      forRepository,
      asFlags,
      setImmutability,
      options.force,
      ...moveOptions,
      ...options.networkOptions,
    ],
    examples: [
      { note: "the tags of a release", line: "gantry tags plan --git-tag v1.2.3 --commit 860c190" },
      {
        note: "as images, and as docker build takes them",
        line: "gantry tags plan --branch main --for registry.example/app --flags",
      },
      {
        note: "more tags for an image that is there",
        line: "gantry tags plan --git-tag v1.0.0 registry.example/app:1.0",
      },
      {
        note: "what tags.immutable of a configuration would be at the service",
        line: "gantry tags plan --set-immutability --config immutable.yaml registry.example/app",
      },
      {
        note: "by the rules of docker/metadata-action",
        line: "gantry tags plan --rules tag-rules.yaml --git-tag v1.0.0",
      },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/tags-plan.ts"),
  },
  {
    name: "tags check",
    group: "Plans",
    summary: "look what is wrong with the tags of repositories",
    details:
      "Finds versions that were overwritten, 1.2, 1 and latest that are behind the newest version, a pre-release as latest, " +
      "versions without platforms that others have, repositories with nothing but latest or dates, versions with and without v, " +
      "tags that differ in case only, and images that tags have left behind. What a tag named before, registries forget: it is " +
      "taken from receipts of promotions, from Gantry's journals (those kept on this machine, and the one that --journal names), " +
      "and from the file of --history, which keeps it. Nothing is changed.",
    arguments: [{ name: "repository", summary: "HOST/REPOSITORY", many: true, completes: "repository" }],
    options: [history, failOn, fixes, ...moveOptions, ...options.networkOptions],
    examples: [
      { note: "what there is to find", line: "gantry tags check registry.example/app" },
      {
        note: "in CI, with what was there last time",
        line: "gantry tags check --history tags.json --fail-on error registry.example/app",
      },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/tags-check.ts"),
  },
];
