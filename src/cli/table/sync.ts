import { RegistryError } from "../../index.ts";
import type { Command } from "../command.ts";
import { flag, value, values, type Option } from "../option.ts";
import { dryRun, networkOptions, progress, sideOptions } from "../options.ts";
import { bundleOptions } from "./bundle-options.ts";
import { inUseOptions } from "./in-use-options.ts";
import { planOptions } from "./plan-options.ts";
import { drain, usualDrain, watch, watchOptions } from "./watch-options.ts";

export const only: Option<readonly string[]> = values(
  "--only <name>",
  "only the mapping of this name; repeat for more",
  String,
);
export const recheck: Option<boolean> = flag(
  "--recheck",
  "look into everything, though it was found whole not long ago",
);
export const explain: Option<boolean> = flag("--explain", "say of each tag that is not selected why it is not");
export const cache: Option<string | undefined> = value(
  "--cache <file>",
  "where it is remembered what was found whole, for 12 hours; none: nowhere",
  String,
  { completes: "file" },
);
export const report: Option<readonly string[]> = values(
  "--report <file>",
  "write what was done there too, as its name says: .json, .md or .xml (JUnit); repeat for more",
  readReport,
  { completes: "file" },
);

function readReport(file: string): string {
  if (/\.(?:json|md|xml)$/.test(file)) return file;
  throw new RegistryError("INVALID", `${JSON.stringify(file)} ends neither in .json, .md nor .xml`);
}

/** Commands that keep registries in sync. */
export const syncCommands: readonly Command[] = [
  {
    name: "sync",
    group: "Plans",
    summary: "copy what a file of mappings says, from many sources to many destinations",
    details:
      "It plans and stops; --yes acts. What is there already costs few requests: one for a repository's tags and one for " +
      "each tag that may move; nothing at a destination where it was found whole within 12 hours. All that is attached to " +
      "an image goes along, and what is attached later is brought after it. Each blob is read once for all destinations, " +
      "and goes once to each registry. What fails stops nothing else. In the file, ${NAME} stands for a variable.",
    arguments: [
      { name: "file", summary: "the mappings, as YAML or JSON, or - for stdin", optional: true, completes: "file" },
    ],
    options: [
      only,
      explain,
      recheck,
      cache,
      report,
      dryRun,
      progress,
      ...bundleOptions,
      ...watchOptions,
      ...planOptions,
      ...inUseOptions,
      ...networkOptions,
      ...sideOptions,
    ],
    examples: [
      { note: "what there is to do", line: "gantry sync sync.yaml" },
      {
        note: "do it, with a report for CI",
        line: "gantry sync sync.yaml --yes --report report.xml --format json",
      },
      { note: "one mapping, and why tags are not selected", line: "gantry sync sync.yaml --only app --explain" },
      { note: "what is missing, into an archive", line: "gantry sync sync.yaml --to bundle.tar" },
      { note: "and out of it, behind the air gap", line: "gantry sync --from bundle.tar" },
      { note: "a plan to be reviewed, for gantry apply", line: "gantry sync sync.yaml --out sync.json" },
    ],
    endings: ["denied", "refused", "partly", "changes"],
    drains: (get) => (get(watch) ? (get(drain) ?? usualDrain) : 0),
    load: () => import("../commands/sync.ts"),
  },
];
