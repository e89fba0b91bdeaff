import { RegistryError } from "../../index.ts";
import type { Command } from "../command.ts";
import { flag, value, type Option } from "../option.ts";
import { networkOptions } from "../options.ts";
import { inUseOptions } from "./in-use-options.ts";
import { from, useCreated } from "./lifecycle-options.ts";
import { planOptions } from "./plan-options.ts";

export const policy: Option<string | undefined> = value(
  "--policy <file>",
  "the policy, as YAML or JSON: Gantry's own, or one of a service's form; - for stdin",
  String,
  { completes: "file" },
);
export const allowEmpty: Option<boolean> = flag(
  "--allow-empty",
  "let the policy take the last image with a tag out of a repository",
);
export const asOf: Option<Date | undefined> = value(
  "--as-of <date>",
  "plan as on that day (2026-10-01), and show how big all would be since: nothing is done",
  parseMoment,
);
export const chart: Option<string | undefined> = value(
  "--chart <file>",
  "draw the size over time, with and without the policy: to a .svg or .html, or - for the terminal",
  parseChart,
  { completes: "file" },
);

/** The command that plans by a retention policy. */
export const retainCommand: Command = {
  name: "retain",
  group: "Plans",
  summary: "plan which images a policy deletes, in any registry",
  details:
    "The policy is Gantry's own (version: 1), or has the form of a service's own, which is seen from its keys or said by --from " +
    "and followed as that service would. Parts of indexes, signatures and what else is attached go and stay with their " +
    "images. A repository that cannot be read, or would be left empty, is left alone and named; the exit code is 6 then.",
  arguments: [
    {
      name: "places",
      summary: "HOST/REPOSITORY, repositories by a pattern (HOST/team/**), or HOST for all of them",
      many: true,
      completes: "repository",
    },
  ],
  options: [policy, from, asOf, chart, useCreated, allowEmpty, ...planOptions, ...inUseOptions, ...networkOptions],
  examples: [
    { note: "what would go", line: "gantry retain --policy retain.yaml registry.example/app" },
    {
      note: "in all repositories of a team, for a review",
      line: "gantry retain --policy retain.yaml --out plan.json --detailed-exitcode registry.example/**",
    },
    { note: "by a policy of ECR, wherever it is", line: "gantry retain --policy ecr.json registry.example/app" },
    {
      note: "what it would have freed, had it been there since October",
      line: "gantry retain --policy retain.yaml --as-of 2026-10-01 --chart size.html registry.example/app",
    },
    {
      note: "but nothing that is running",
      line: "gantry retain --policy retain.yaml --in-use running.txt registry.example/app",
    },
  ],
  endings: ["notFound", "denied", "refused", "partly", "changes"],
  load: () => import("../commands/retain.ts"),
};

function parseMoment(text: string): Date {
  const time = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is no date`, {
    hint: "write 2026-10-01 or 2026-10-01T12:00:00Z",
  });
}

function parseChart(text: string): string {
  if (text === "-" || /\.(?:svg|html)$/i.test(text)) return text;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is neither an .svg nor an .html file`, {
    hint: "write - to draw it on the terminal",
  });
}
