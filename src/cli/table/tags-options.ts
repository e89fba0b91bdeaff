import { flag, value, values, type Option } from "../option.ts";
import { parseCount } from "../option-values.ts";
import { RegistryError } from "../../index.ts";
import type { TagSeverity } from "../../policy/index.ts";

const build = "What is built:";
const rulesHeading = "Rules:";

export const gitTag: Option<string | undefined> = value("--git-tag <tag>", "this git tag, such as v1.2.3", String, {
  heading: build,
});
export const branch: Option<string | undefined> = value("--branch <name>", "this branch", String, { heading: build });
export const pullRequest: Option<number | undefined> = value(
  "--pull-request <number>",
  "this pull or merge request",
  parseCount,
  { heading: build },
);
export const commit: Option<string | undefined> = value("--commit <sha>", "this commit", readCommit, {
  heading: build,
});
export const scheduled: Option<boolean> = flag("--schedule", "a build by schedule: nightly", { heading: build });
export const defaultBranch: Option<string | undefined> = value(
  "--default-branch <name>",
  "the branch that the others go to",
  String,
  { heading: build },
);
export const environment: Option<readonly string[]> = values(
  "--environment <name>",
  "an environment that it is for, which is a tag too; repeat for more",
  String,
  { heading: build },
);
export const asOf: Option<number | undefined> = value("--as-of <date>", "as if this were now", readMoment, {
  heading: build,
});

export const rulesFile: Option<string | undefined> = value(
  "--rules <file>",
  "tags: and flavor: as docker/metadata-action has them, in YAML; - for stdin",
  String,
  { heading: rulesHeading, completes: "file" },
);
export const rules: Option<readonly string[]> = values(
  "--tag <rule>",
  "one rule of docker/metadata-action's, such as type=semver,pattern={{version}}, in place of the usual ones; repeat for more",
  String,
  { heading: rulesHeading },
);
export const flavor: Option<readonly string[]> = values(
  "--flavor <line>",
  "what holds for all tags, such as latest=false or suffix=-alpine,onlatest=true; repeat for more",
  String,
  { heading: rulesHeading },
);
export const zero: Option<boolean> = flag("--zero", "with 0 as a tag for 0.1.2 too", { heading: rulesHeading });

export const forRepository: Option<readonly string[]> = values(
  "--for <repository>",
  "write the tags as images of this repository, without those that would move backwards there; repeat for more",
  String,
  { completes: "repository" },
);
export const asFlags: Option<boolean> = flag("--flags", "in one line, as options of docker build: --tag ... --tag ...");

/** What `tags plan` takes to know what is built, and by which rules. */
export const buildOptions: readonly Option[] = [
  gitTag,
  branch,
  pullRequest,
  commit,
  scheduled,
  defaultBranch,
  environment,
  asOf,
  rulesFile,
  rules,
  flavor,
  zero,
];

export const setImmutability: Option<boolean> = flag(
  "--set-immutability",
  "for a repository: plan to tell its service which tags never move, as tags.immutable says",
);
export const history: Option<string | undefined> = value(
  "--history <file>",
  "what tags named when they were looked at before; what they name now is added to it",
  String,
  { completes: "file" },
);
export const failOn: Option<TagSeverity | undefined> = value(
  "--fail-on <severity>",
  "end with 5 where something so bad, or worse, is found: error, warning or info",
  readSeverity,
  { completes: ["error", "warning", "info"] },
);
export const fixes: Option<boolean> = flag(
  "--plan",
  "plan to move tags that are behind to the newest version, instead of listing what is found",
);

function readSeverity(text: string): TagSeverity {
  if (text === "error" || text === "warning" || text === "info") return text;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is not error, warning or info`);
}

function readCommit(text: string): string {
  if (/^[0-9a-f]{7,64}$/i.test(text)) return text.toLowerCase();
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is no commit`);
}

function readMoment(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is no date`, {
    hint: "write 2026-11-20 or 2026-11-20T14:05:00Z",
  });
}
