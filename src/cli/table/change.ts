import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { inUseOptions } from "./in-use-options.ts";

/** Commands that take away and mend. */
export const changeCommands: readonly Command[] = [
  {
    name: "delete",
    aliases: ["rm"],
    group: "Change",
    summary: "delete one tag, or a digest with all that hangs on it",
    details:
      "By tag: this tag alone, by the service's own API where the registry's cannot; the image and its other tags stay. By digest: the manifest, every tag that points at it " +
      "and what is attached to it; these are named first, and nothing is done without a yes (--yes in scripts). What the " +
      "index of another tag needs is not deleted.",
    arguments: [{ name: "reference", summary: "the tag, or the digest", completes: "reference" }],
    options: [
      options.yes,
      options.breakIndexes,
      options.dryRun,
      options.detailedExitcode,
      ...inUseOptions,
      ...options.formatOptions,
      ...options.networkOptions,
    ],
    examples: [
      { note: "one tag", line: "gantry delete registry.example/app:old" },
      { note: "what would go with a digest", line: "gantry delete --dry-run registry.example/app@DIGEST" },
      { note: "the digest and all its tags", line: "gantry delete --yes registry.example/app@DIGEST" },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/delete.ts"),
  },
  {
    name: "check",
    group: "Change",
    summary: "see whether all that a tag needs is there and intact, and mend it",
    details: "Ends with 1 when something is missing or broken and was not repaired.",
    arguments: [{ name: "reference", summary: "the image", completes: "location" }],
    options: [
      options.deep,
      options.repairFrom,
      options.referrers,
      options.jobs,
      ...options.formatOptions,
      ...options.networkOptions,
    ],
    examples: [
      { note: "is everything there", line: "gantry check registry.example/app:1.0" },
      { note: "and is every byte right", line: "gantry check --deep registry.example/app:1.0" },
      {
        note: "fill holes from another copy",
        line: "gantry check --repair-from mirror.example/app:1.0 registry.example/app:1.0",
      },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/check.ts"),
  },
];
