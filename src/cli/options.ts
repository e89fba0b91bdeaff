import type { Platform } from "../index.ts";
import { flag, unless, value, values, type Option } from "./option.ts";
import {
  parseAddress,
  parseCount,
  parseKind,
  parseOnePlatform,
  parsePair,
  parseProgress,
  parseSize,
  progressKinds,
  type Address,
  type ProgressKind,
} from "./option-values.ts";
import { parseFormat, parsePlanFormat, type Format, type PlanFormat } from "./render/format.ts";

export * from "./network-options.ts";
export * from "./way-options.ts";

const outputs = "Output:";

export const verbose: Option<boolean> = flag("-v, --verbose", "write a line for each request to stderr", {
  heading: outputs,
  also: [{ flags: "--debug" }],
});
/** How results and progress are written. */
export const format: Option<Format | undefined> = value(
  "--format <format>",
  "table, json, ndjson, yaml, or a template over JSON's fields: '{{.FIELD}}', '{{range .LIST}}{{.FIELD}}{{end}}'",
  (text) => parseFormat(text),
  { heading: outputs, completes: ["table", "json", "ndjson", "yaml"] },
);
/** The same, for commands that make plans. */
export const planFormat: Option<PlanFormat | undefined> = value(
  "--format <format>",
  "table, tree, markdown (for a pull request), json, ndjson, yaml, or a template: '{{range .steps}}{{.at}}{{end}}'",
  parsePlanFormat,
  { heading: outputs, completes: ["table", "tree", "markdown", "json", "ndjson", "yaml"] },
);
export const progress: Option<ProgressKind | undefined> = value(
  "--progress <kind>",
  "auto, plain, json or none; on stderr",
  parseProgress,
  { heading: outputs, completes: progressKinds, setting: "progress" },
);
export const quiet: Option<boolean> = flag("-q, --quiet", "no progress; of the result, the digests only", {
  heading: outputs,
});
export const formatOptions: readonly Option[] = [format, verbose];
export const planFormatOptions: readonly Option[] = [planFormat, verbose];

/** What is copied, and how. */
export const platforms: Option<readonly (Platform | "all")[]> = values(
  "--platform <platform>",
  "only these platforms: os/arch[/variant], local, or all (the default); repeat, or join with commas",
  (text) => (text === "all" ? "all" : parseOnePlatform(text)),
  {
    separator: ",",
    completes: ["all", "local", "linux/amd64", "linux/arm64", "linux/arm/v7"],
    also: [{ flags: "--all", value: "all" }],
  },
);
export const onePlatform: Option<Platform | undefined> = value(
  "--platform <platform>",
  "of an index, the image for this platform: os/arch[/variant] or local",
  parseOnePlatform,
  { completes: ["local", "linux/amd64", "linux/arm64", "linux/arm/v7"] },
);
export const allTags: Option<boolean> = flag("-a, --all-tags", "copy every tag of the repository");
export const noClobber: Option<boolean> = flag("-n, --no-clobber", "leave tags alone that the destination has already");
export const force: Option<boolean> = flag("--force", "move even tags that never move, as tags.immutable says");
export const dryRun: Option<boolean> = flag("--dry-run", "show what would be done; send no write request");
export const detailedExitcode: Option<boolean> = flag(
  "--detailed-exitcode",
  "with --dry-run, end with 7 where there is something to do",
);
export const jobs: Option<number | undefined> = value("-j, --jobs <count>", "how many blobs at a time", parseCount, {
  setting: "jobs",
  also: [{ flags: "--concurrency <count>" }],
});
export const limitRate: Option<number | undefined> = value(
  "--limit-rate <bytes>",
  "at most this much a second, such as 20MB",
  parseSize,
  { setting: "limitRate" },
);
export const referrers: Option<boolean> = unless("--no-referrers", "without signatures and what else is attached", {
  setting: "referrers",
});
export const toOci: Option<boolean> = flag("--to-oci", "turn Docker's media types into OCI's (digests change)");
export const digestFile: Option<string | undefined> = value(
  "--digest-file <file>",
  "write the digest to this file",
  String,
  {
    completes: "file",
    also: [{ flags: "--digestfile <file>" }],
  },
);
export const yes: Option<boolean> = flag("-y, --yes", "do it without asking", { also: [{ flags: "-f, --force" }] });
export const breakIndexes: Option<boolean> = flag("--break-indexes", "delete even what the index of another tag needs");

/** What single commands take. */
export const long: Option<boolean> = flag(
  "-l, --long",
  "what there is to tell of each: of a tag digest, size, age and platforms",
);
export const as: Option<string | undefined> = value(
  "--as <kind>",
  "the format of the files: oci, oci-archive, docker-archive or dir",
  parseKind,
  { completes: ["oci", "oci-archive", "docker-archive", "dir"] },
);
export const deep: Option<boolean> = flag("--deep", "read every byte and take its digest, instead of asking for sizes");
export const repairFrom: Option<string | undefined> = value(
  "--repair-from <reference>",
  "put back what is missing or broken from this copy",
  String,
  {
    completes: "reference",
  },
);
export const outputFile: Option<string | undefined> = value(
  "-o, --output <file>",
  "write to this file instead of stdout",
  String,
  {
    completes: "file",
  },
);
export const outputDirectory: Option<string | undefined> = value(
  "-o, --output <dir>",
  "where the files go (default: here)",
  String,
  {
    completes: "directory",
  },
);
export const overwrite: Option<boolean> = flag("--force", "overwrite files that are there with other content");
export const artifactType: Option<string | undefined> = value(
  "--type <type>",
  "the artifact's type, such as application/spdx+json",
  String,
  {
    also: [{ flags: "--artifact-type <type>" }],
  },
);
export const annotations: Option<readonly (readonly [string, string])[]> = values(
  "--annotation <name=value>",
  "an annotation of its manifest; repeat for more",
  parsePair,
);
export const data: Option<string | undefined> = value(
  "--data <dir>",
  "the directory that the registry keeps everything in",
  String,
  {
    completes: "directory",
  },
);
export const listen: Option<Address | undefined> = value(
  "--listen <host:port>",
  "where it answers (default: 127.0.0.1:5000); port 0 takes a free one",
  parseAddress,
);
export const htpasswd: Option<string | undefined> = value(
  "--htpasswd <file>",
  "let in only the users of this file (bcrypt)",
  String,
  { completes: "file" },
);
export const anonymousPull: Option<boolean> = flag("--anonymous-pull", "with --htpasswd: anybody may pull");
export const tlsCert: Option<string | undefined> = value(
  "--tls-cert <file>",
  "speak HTTPS, with this certificate (PEM)",
  String,
  { completes: "file" },
);
export const tlsKey: Option<string | undefined> = value("--tls-key <file>", "and its key", String, {
  completes: "file",
});
export const readOnly: Option<boolean> = flag("--read-only", "refuse everything that changes the registry");
export const open: Option<boolean> = flag("--open", "answer to other machines though anybody may push");
export const origin: Option<boolean> = flag("--origin", "where each value is from: file and line, variable or option");
