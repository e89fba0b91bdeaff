import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { moveOptions } from "./plan-options.ts";
import * as promote from "./promote-options.ts";

const place = {
  name: "place",
  summary: "a tag, or a stage that needs no image to be named",
  completes: "reference",
} as const;

/** Commands that take images from stage to stage, and back. */
export const promoteCommands: readonly Command[] = [
  {
    name: "promote",
    group: "Plans",
    summary: "give images that were tried the tags, or the repository, of the next stage",
    details:
      "In its own repository an image gets tags; to another it is copied with all that is attached to it, without moving " +
      "a blob inside one registry. Each is pinned to its digest when the plan is made. Stages, their tags and gates stand " +
      "in the configuration (promote). A tag that must not move, or would go back to an older version, is refused " +
      "without --force. A receipt stays attached to the image: who, when, from where, which gates. An image that is " +
      "called history is named with its tag: `gantry promote history:1.0`.",
    arguments: [
      {
        name: "image",
        summary: "the images; repositories with --match",
        optional: true,
        many: true,
        completes: "reference",
      },
    ],
    options: [
      promote.to,
      promote.tags,
      promote.semverTags,
      promote.match,
      promote.list,
      promote.approve,
      promote.force,
      promote.reason,
      promote.by,
      ...moveOptions,
      ...options.networkOptions,
      ...options.sideOptions,
    ],
    examples: [
      {
        note: "by tag, in its own repository",
        line: "gantry promote registry.example/app:1.0 --to registry.example/app:prod",
      },
      {
        note: "to another repository, under several tags, as a plan to review",
        line: "gantry promote registry.example/app:1.0 --to registry.example/prod/{name} --tag 1.0.0,stable --out plan.json",
      },
      {
        note: "to a stage of the configuration",
        line: "gantry promote registry.example/app:1.0 --to staging --reason 'it passed the tests'",
      },
      {
        note: "every version of a repository to another registry",
        line: "gantry promote registry.example/app --match 'semver:>=1' --to mirror.example/released/{name}",
      },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/promote.ts"),
  },
  {
    name: "promote history",
    group: "Plans",
    summary: "show what was promoted to a tag or stage, by whom and when, and what went back",
    details: "Reads the receipts that are attached to the images. Without a tag or digest, those of all tags.",
    arguments: [place],
    options: [promote.at, ...options.formatOptions, ...options.networkOptions],
    examples: [
      { note: "of a tag", line: "gantry promote history registry.example/app:prod" },
      { note: "of an image in a stage", line: "gantry promote history registry.example/app:1.0 --at staging" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/promote-history.ts"),
  },
  {
    name: "rollback",
    group: "Plans",
    summary: "move tags back to what they named before their last promotion",
    details:
      "All tags go back that were promoted together, each to what its receipts say that it named before; what was new " +
      "stays, and nothing is deleted. Rolled back again, they go back one promotion further.",
    arguments: [place],
    options: [
      promote.at,
      promote.backTo,
      promote.only,
      promote.force,
      promote.reason,
      promote.by,
      ...moveOptions,
      ...options.networkOptions,
    ],
    examples: [
      { note: "what would go back", line: "gantry rollback registry.example/app:prod" },
      { note: "to an image of the history", line: "gantry rollback registry.example/app:prod --to DIGEST" },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/rollback.ts"),
  },
];
