import type { Argument, Command } from "../command.ts";
import * as options from "../options.ts";
import * as lifecycle from "./lifecycle-options.ts";
import * as service from "./service-options.ts";

const common = [...options.formatOptions, ...options.networkOptions];
const repository: Argument = { name: "repository", summary: "HOST/REPOSITORY", completes: "repository" };
const file: Argument = { name: "file", summary: "the policy, as JSON or YAML; - for stdin", completes: "file" };
const converting = [lifecycle.fromForm, lifecycle.simpleImages];

/** Commands about the policies by which services delete images. */
export const lifecycleCommands: readonly Command[] = [
  {
    name: "lifecycle get",
    group: "Services",
    summary: "print the policy by which a service deletes images of a repository",
    details: "In the service's own form. Whose that is, and what else it holds for, stands on stderr.",
    arguments: [repository],
    options: common,
    examples: [{ note: "into a file", line: "gantry lifecycle get registry.example/app > policy.json" }],
    endings: ["notFound", "denied"],
    load: () => import("../commands/lifecycle-get.ts"),
  },
  {
    name: "lifecycle set",
    group: "Services",
    summary: "set the policy by which a service deletes images of a repository",
    details:
      "What the service would refuse is found before anything is sent. A policy of another service is converted, with " +
      "--from; where that loses anything, it is named first, and nothing is done without a yes (--yes in scripts). Some " +
      "services have one policy for all repositories of a project or registry: what it holds for then is told.",
    arguments: [repository, file],
    options: [...converting, service.agree, options.dryRun, ...common],
    examples: [
      { note: "a policy of the service's own form", line: "gantry lifecycle set registry.example/app retention.json" },
      {
        note: "what one of ECR would be there",
        line: "gantry lifecycle set --from ecr --dry-run registry.example/app ecr.json",
      },
      { note: "and do it", line: "gantry lifecycle set --from ecr --yes registry.example/app ecr.json" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/lifecycle-set.ts"),
  },
  {
    name: "lifecycle preview",
    group: "Services",
    summary: "show what a policy would delete: the one that is set, or one from a file",
    details:
      "Nothing is changed. Where the service does not try policies, what it would do is worked out here, from its images " +
      "and the rules of its documentation: stderr says so.",
    arguments: [repository, { ...file, optional: true }],
    options: [...converting, lifecycle.everything, lifecycle.useCreated, ...common],
    examples: [
      { note: "the policy that is set", line: "gantry lifecycle preview registry.example/app" },
      { note: "another one", line: "gantry lifecycle preview registry.example/app retention.json" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/lifecycle-preview.ts"),
  },
  {
    name: "lifecycle delete",
    group: "Services",
    summary: "take the policy away by which a service deletes images: they stay from then on",
    details: "The policy is shown first, and nothing is done without a yes (--yes in scripts).",
    arguments: [repository],
    options: [service.agree, options.dryRun, ...common],
    examples: [{ note: "without a question", line: "gantry lifecycle delete --yes registry.example/app" }],
    endings: ["notFound", "denied"],
    load: () => import("../commands/lifecycle-delete.ts"),
  },
  {
    name: "lifecycle convert",
    group: "Services",
    summary: "say a policy of one service, or of Gantry's own, in the form of another",
    details:
      "Works on files alone. The result deletes nothing that the policy would not: what the other service cannot say is " +
      "left out or keeps more, and is named on stderr, each with its place in the document. --from is only needed where " +
      "the document could be of several services. With --as terraform, a policy of ECR is written as resources of Terraform.",
    arguments: [file],
    options: [
      lifecycle.fromForm,
      lifecycle.to,
      lifecycle.simpleImages,
      lifecycle.strict,
      lifecycle.as,
      lifecycle.repositories,
      lifecycle.mutability,
      options.format,
    ],
    examples: [
      { note: "from ECR to GitLab", line: "gantry lifecycle convert --to gitlab ecr.json" },
      {
        note: "with counts, as no image has several tags or platforms",
        line: "gantry lifecycle convert --simple-images --to harbor ecr.json",
      },
      {
        note: "for Terraform",
        line: "gantry lifecycle convert --to ecr --as terraform --repository team/app ecr.json",
      },
      {
        note: "to Gantry's own, which `gantry retain` runs on any registry",
        line: "gantry lifecycle convert --to gantry ecr.json",
      },
    ],
    load: () => import("../commands/lifecycle-convert.ts"),
  },
];
