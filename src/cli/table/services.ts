import type { Argument, Command } from "../command.ts";
import * as options from "../options.ts";
import * as service from "./service-options.ts";

const common = [...options.formatOptions, ...options.networkOptions];
const repository: Argument = { name: "repository", summary: "HOST/REPOSITORY", completes: "repository" };
const host: Argument = { name: "host", summary: "the registry, such as registry.example" };

/** Commands that speak to a registry's service, each by its own API. */
export const serviceCommands: readonly Command[] = [
  {
    name: "repo list",
    aliases: ["repo ls"],
    group: "Services",
    summary: "list the repositories of a registry, with what its service tells of them",
    arguments: [
      { name: "place", summary: "a host, or HOST/PREFIX: those whose names start so", completes: "repository" },
    ],
    options: [service.nameFilter, options.long, ...common],
    examples: [
      { note: "all that this login may see", line: "gantry repo list registry.example" },
      { note: "those of a team, with times, tags and sizes", line: "gantry repo list -l registry.example/team" },
      { note: "by name", line: "gantry repo list --filter '**app*' registry.example" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/repo-list.ts"),
  },
  {
    name: "repo info",
    group: "Services",
    summary: "sum a repository up: times, size, labels, which tags are immutable, what deletes images by itself",
    details:
      "What the service does not have is left out; what it does not tell this login is named on stderr, and ends with 6.",
    arguments: [repository],
    options: common,
    examples: [{ note: "all that its service tells", line: "gantry repo info registry.example/app" }],
    endings: ["notFound", "denied", "partly"],
    load: () => import("../commands/repo-info.ts"),
  },
  {
    name: "repo create",
    group: "Services",
    summary: "create repositories; those that are there stay as they are",
    details: "At most services a push does that by itself: gantry ls --services says where it does not.",
    arguments: [{ name: "repositories", summary: "HOST/REPOSITORY", many: true, completes: "repository" }],
    options: common,
    examples: [{ note: "two of them", line: "gantry repo create registry.example/team/web registry.example/team/api" }],
    endings: ["denied", "partly"],
    load: () => import("../commands/repo-create.ts"),
  },
  {
    name: "repo delete",
    aliases: ["repo rm"],
    group: "Services",
    summary: "delete a repository",
    details:
      "What goes with it is named first, and nothing is done without a yes (--yes in scripts). One that is not empty stays, " +
      "unless --force is given too.",
    arguments: [repository],
    options: [service.agree, service.force, options.dryRun, options.detailedExitcode, ...common],
    examples: [
      { note: "what would go", line: "gantry repo delete --dry-run --force registry.example/app" },
      { note: "the repository and all its images", line: "gantry repo delete --yes --force registry.example/app" },
    ],
    endings: ["notFound", "denied", "changes"],
    load: () => import("../commands/repo-delete.ts"),
  },
  {
    name: "immutability get",
    group: "Services",
    summary: "show which tags of a repository cannot be moved",
    arguments: [repository],
    options: common,
    examples: [{ note: "of one repository", line: "gantry immutability get registry.example/app" }],
    endings: ["notFound", "denied"],
    load: () => import("../commands/immutability-get.ts"),
  },
  {
    name: "immutability set",
    group: "Services",
    summary: "say which tags of a repository cannot be moved",
    details:
      "What was said before is replaced. What counts then is asked of the service and shown: some keep such rules for a " +
      "whole project.",
    arguments: [repository],
    options: [service.tagsAre, service.except, service.patterns, options.dryRun, options.detailedExitcode, ...common],
    examples: [
      {
        note: "releases stay; what is called dev-... may move",
        line: "gantry immutability set --tags immutable --except 'dev-*' registry.example/app",
      },
      { note: "every tag may move", line: "gantry immutability set --tags mutable registry.example/app" },
    ],
    endings: ["notFound", "denied", "changes"],
    load: () => import("../commands/immutability-set.ts"),
  },
  {
    name: "findings",
    group: "Services",
    summary: "show what the service's own scanner found in an image",
    details:
      "Ends with 3 where the image was not scanned, or not yet, and with 1 where it could not be: no findings are not the " +
      "same as none found.",
    arguments: [{ name: "reference", summary: "the image", completes: "reference" }],
    options: [service.severity, ...common],
    examples: [
      { note: "all", line: "gantry findings registry.example/app:1.0" },
      { note: "the worst", line: "gantry findings --severity critical,high registry.example/app:1.0" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/findings.ts"),
  },
  {
    name: "search",
    group: "Services",
    summary: "search a registry for repositories; Docker Hub, if none is named",
    arguments: [{ name: "term", summary: "what to search for, or HOST/TERM" }],
    options: [service.limit, service.searchFilters, ...common],
    examples: [
      { note: "in a registry", line: "gantry search registry.example/app" },
      {
        note: "what is official and well liked",
        line: "gantry search --filter is-official=true --filter stars=10 --limit 5 registry.example/app",
      },
    ],
    endings: ["denied"],
    load: () => import("../commands/search.ts"),
  },
  {
    name: "quota",
    group: "Services",
    summary: "show what is left of the limits that a registry sets: pulls, requests, storage",
    arguments: [host],
    options: common,
    examples: [{ note: "of this login", line: "gantry quota registry.example" }],
    endings: ["denied"],
    load: () => import("../commands/quota.ts"),
  },
  {
    name: "replication",
    group: "Services",
    summary: "show where a registry's service copies images by itself",
    arguments: [host],
    options: common,
    examples: [{ note: "all rules", line: "gantry replication registry.example" }],
    endings: ["denied"],
    load: () => import("../commands/replication.ts"),
  },
];
