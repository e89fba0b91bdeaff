import type { Credential, Platform } from "../index.ts";
import { flag, unless, value, values, type Option } from "./option.ts";
import {
  login,
  parseAddress,
  parseBoolean,
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
import { parseFormat, type Format } from "./render/format.ts";

const network = "Network:";
const outputs = "Output:";

/** How requests are made, and by whom. */
export const creds: Option<Credential | undefined> = value(
  "--creds <user:password>",
  "log in to the registry as this user",
  login("--creds"),
  {
    heading: network,
  },
);
export const authfile: Option<string | undefined> = value(
  "--authfile <file>",
  "read logins from this file instead of Docker's and Podman's",
  String,
  { heading: network, completes: "file", also: [{ flags: "--registry-config <file>" }] },
);
export const tlsVerify: Option<boolean | undefined> = value(
  "--tls-verify <true|false>",
  "false: accept any certificate, and plain HTTP",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "-k, --insecure", value: "false" }] },
);
export const plainHttp: Option<boolean> = flag("--plain-http", "speak HTTP without TLS", { heading: network });
export const caFile: Option<readonly string[]> = values(
  "--ca-file <file>",
  "trust the certificates in this PEM file too",
  String,
  {
    heading: network,
    completes: "file",
  },
);
export const retries: Option<number | undefined> = value(
  "--retries <count>",
  "how often a failed request is sent again (default: 5)",
  (text) => (text === "0" ? 0 : parseCount(text)),
  { heading: network, also: [{ flags: "--retry-times <count>" }] },
);
export const verbose: Option<boolean> = flag("-v, --verbose", "write a line for each request to stderr", {
  heading: outputs,
  also: [{ flags: "--debug" }],
});
/** What every command that speaks to a registry takes. */
export const networkOptions: readonly Option[] = [creds, authfile, tlsVerify, plainHttp, caFile, retries];

/** The same for one side of a copy. */
export const srcCreds: Option<Credential | undefined> = value(
  "--src-creds <user:password>",
  "log in to the source",
  login("--src-creds"),
  {
    heading: network,
    also: [{ flags: "--from-creds <user:password>" }],
  },
);
export const destCreds: Option<Credential | undefined> = value(
  "--dest-creds <user:password>",
  "log in to the destinations",
  login("--dest-creds"),
  {
    heading: network,
    also: [{ flags: "--to-creds <user:password>" }],
  },
);
export const srcTlsVerify: Option<boolean | undefined> = value(
  "--src-tls-verify <true|false>",
  "--tls-verify for the source",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "--from-insecure", value: "false" }] },
);
export const destTlsVerify: Option<boolean | undefined> = value(
  "--dest-tls-verify <true|false>",
  "--tls-verify for the destinations",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "--to-insecure", value: "false" }] },
);
export const srcPlainHttp: Option<boolean> = flag("--src-plain-http", "--plain-http for the source", {
  heading: network,
  also: [{ flags: "--from-plain-http" }],
});
export const destPlainHttp: Option<boolean> = flag("--dest-plain-http", "--plain-http for the destinations", {
  heading: network,
  also: [{ flags: "--to-plain-http" }],
});
export const sideOptions: readonly Option[] = [
  srcCreds,
  destCreds,
  srcTlsVerify,
  destTlsVerify,
  srcPlainHttp,
  destPlainHttp,
];

/** How results and progress are written. */
export const format: Option<Format | undefined> = value(
  "--format <format>",
  "table, json, ndjson, yaml, or a template such as '{{.digest}}'",
  parseFormat,
  { heading: outputs, completes: ["table", "json", "ndjson", "yaml"] },
);
export const progress: Option<ProgressKind | undefined> = value(
  "--progress <kind>",
  "auto, plain, json or none; on stderr",
  parseProgress,
  { heading: outputs, completes: progressKinds },
);
export const quiet: Option<boolean> = flag("-q, --quiet", "no progress; of the result, the digests only", {
  heading: outputs,
});
export const formatOptions: readonly Option[] = [format, verbose];

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
export const dryRun: Option<boolean> = flag("--dry-run", "show what would be done; send no write request");
export const detailedExitcode: Option<boolean> = flag(
  "--detailed-exitcode",
  "with --dry-run, end with 7 where there is something to do",
);
export const jobs: Option<number | undefined> = value("-j, --jobs <count>", "how many blobs at a time", parseCount, {
  also: [{ flags: "--concurrency <count>" }],
});
export const limitRate: Option<number | undefined> = value(
  "--limit-rate <bytes>",
  "at most this much a second, such as 20MB",
  parseSize,
);
export const referrers: Option<boolean> = unless("--no-referrers", "without signatures and what else is attached");
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
export const long: Option<boolean> = flag("-l, --long", "digest, size, age and platforms of each");
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
