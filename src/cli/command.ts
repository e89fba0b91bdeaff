import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Option } from "./option.ts";

/** The headings of `gantry --help`, in their order. */
export const groups = [
  "Move images",
  "Look",
  "Change",
  "Plans",
  "Services",
  "Parts",
  "Log in",
  "Run a registry",
  "This tool",
] as const;

/** What a word on the command line can be, for completion. */
export type Completes =
  | "reference"
  | "location"
  | "repository"
  | "tag"
  | "file"
  | "directory"
  | "setting"
  | readonly string[];

export interface Argument {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all words that are left; the last argument only. */
  readonly many?: boolean;
  readonly completes?: Completes;
}

export interface Example {
  readonly note: string;
  /** A whole command line, which a test runs as it stands. */
  readonly line: string;
}

/** A command as data: the parser, the help, the completion and docs/cli are all made from it. */
export interface Command {
  /** As it is typed: `copy`, `blob get`. */
  readonly name: string;
  /** Whole, as the name is: `cp`, `repo ls`. */
  readonly aliases?: readonly string[];
  readonly group: (typeof groups)[number];
  /** One line, for lists. */
  readonly summary: string;
  /** What a reader of the help has to know beyond the options. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
  /** How it can end, beside `done`, `failed`, `usage` and `interrupted`. */
  readonly endings?: readonly ExitName[];
  /** How long it takes to end in good order, once it is told to, in milliseconds; some seconds later any command is left. */
  readonly drains?: (get: <T>(option: Option<T>) => T) => number;
  /** Not listed in help and docs. */
  readonly hidden?: boolean;
  /** Brings the body: only the command that runs is read from disk. */
  readonly load: () => Promise<{ readonly run: Run<never> }>;
}

/** A command's body: gets its arguments in the table's order, answers how it ended (`done` where it says nothing). */
export type Run<Arguments extends readonly (string | readonly string[] | undefined)[]> = (
  args: Arguments,
  cli: Cli,
) => Promise<ExitName | void>;

/** Words that stand before commands of two words. */
export const families: Readonly<Record<string, string>> = {
  artifact: "attach files to images, and fetch them",
  auth: "see which login is used and why, and lend it to others",
  blob: "read and write single blobs",
  config: "print an image's configuration, or Gantry's own",
  immutability: "see and say which tags of a repository cannot be moved",
  lifecycle: "see, set, try and convert the policies by which services delete images",
  promote: "take images from stage to stage, and see what was",
  tags: "decide which tags images get, and look what is wrong with those that they have",
  repo: "list, look at, create and delete repositories",
  sync: "keep images in sync, as a file says; read the files of other tools",
};
