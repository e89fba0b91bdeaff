import type { Argument, Command } from "../command.ts";
import * as options from "../options.ts";
import { imagesOption, servicesOption } from "./service-options.ts";
import { usageOptions } from "./usage-options.ts";

const image: Argument = { name: "reference", summary: "the image", completes: "location" };
const common = [...options.formatOptions, ...options.networkOptions];
const raw = [options.onePlatform, options.verbose, ...options.networkOptions];

/** Commands that look. */
export const lookCommands: readonly Command[] = [
  {
    name: "ls",
    aliases: ["list"],
    group: "Look",
    summary: "list a registry's repositories, or a repository's tags",
    details:
      "A host alone lists its repositories, HOST/PREFIX/ those that start so; anything else lists tags. Of a service that " +
      "Gantry knows by its host or by --provider, repositories and what --long tells come from its own API: gantry ls " +
      "--services says what each can do. With --usage, every manifest is read: the place may be a pattern of repositories, " +
      "too (HOST/team/*).",
    arguments: [
      {
        name: "place",
        summary: "a host, a repository, or a local layout or archive",
        optional: true,
        completes: "repository",
      },
    ],
    options: [options.long, imagesOption, servicesOption, ...usageOptions, ...common],
    examples: [
      { note: "the repositories of a registry", line: "gantry ls registry.example" },
      {
        note: "the tags of a repository, with digest, size, age and platforms",
        line: "gantry ls -l registry.example/app",
      },
      { note: "its images by digest, each with its tags", line: "gantry ls -l --images registry.example/app" },
      { note: "for a program", line: "gantry ls --format json registry.example/app" },
      { note: "what can be done at which service", line: "gantry ls --services" },
      {
        note: "what its images take up, what they share, and what deleting each would free",
        line: "gantry ls --usage registry.example/app",
      },
      {
        note: "of all repositories that fit, as a tree, and as a page to look at",
        line: "gantry ls --tree --usage --html usage.html 'registry.example/*'",
      },
    ],
    endings: ["notFound", "denied", "partly"],
    load: () => import("../commands/ls.ts"),
  },
  {
    name: "inspect",
    group: "Look",
    summary: "sum an image up: platforms, sizes, labels, layers",
    arguments: [image],
    options: [options.onePlatform, ...common],
    examples: [
      { note: "for people", line: "gantry inspect registry.example/app:1.0" },
      {
        note: "one fact",
        line: "gantry inspect --format '{{range .images}}{{.platform}} {{.size}}\\n{{end}}' registry.example/app:1.0",
      },
    ],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/inspect.ts"),
  },
  {
    name: "tree",
    group: "Look",
    summary: "show what an image is made of, and what is attached to it",
    arguments: [image],
    options: [options.referrers, ...common],
    examples: [{ note: "children, signatures, SBOMs", line: "gantry tree registry.example/app:1.0" }],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/tree.ts"),
  },
  {
    name: "digest",
    aliases: ["resolve"],
    group: "Look",
    summary: "print the digest that a tag names",
    arguments: [image],
    options: [options.onePlatform, ...common],
    examples: [
      { note: "of the index", line: "gantry digest registry.example/app:1.0" },
      { note: "of one platform's image", line: "gantry digest --platform linux/arm64 registry.example/app:1.0" },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/digest.ts"),
  },
  {
    name: "manifest",
    group: "Look",
    summary: "print a manifest, byte for byte",
    arguments: [image],
    options: raw,
    examples: [
      { note: "the index, or the only manifest", line: "gantry manifest registry.example/app:1.0" },
      { note: "one platform's", line: "gantry manifest --platform linux/amd64 registry.example/app:1.0" },
    ],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/manifest.ts"),
  },
  {
    name: "config",
    group: "Look",
    summary: "print an image's configuration, byte for byte",
    details:
      "Of an index: the image for this machine, unless --platform names another. `gantry config show`, `validate` and " +
      "`schema` are about Gantry's own configuration; an image of such a name is named with its tag: `show:latest`.",
    arguments: [image],
    options: raw,
    examples: [{ note: "what the image runs, and with what", line: "gantry config registry.example/app:1.0" }],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/config.ts"),
  },
];
