import { RegistryError } from "../../index.ts";
import { flag, value, values, type Option } from "../option.ts";

export const to: Option<readonly string[]> = values(
  "--to <place>",
  "a stage of the configuration, or where else: registry.example/prod/{name}:{tag}; repeat for more",
  String,
  { completes: "reference" },
);
export const tags: Option<readonly string[]> = values(
  "--tag <tag>",
  "the tags there, in place of the stage's or the image's own; {tag}, {major}.{minor}; repeat, or join with commas",
  String,
  { separator: ",", completes: "tag" },
);
export const semverTags: Option<boolean> = flag(
  "--semver-tags",
  "also its version and the aliases of that: of 1.2.3, 1.2 and 1",
);
export const match: Option<string | undefined> = value(
  "--match <pattern>",
  "of repositories, every tag like this: v*, /regex/ or semver:RANGE",
  String,
);
export const list: Option<string | undefined> = value(
  "--file <file>",
  "also the images in this file, one a line; - for stdin",
  String,
  { completes: "file" },
);
export const force: Option<boolean> = flag("--force", "move tags that must not move, and tags backwards");
export const approve: Option<readonly string[]> = values(
  "--approve <name>",
  "who approves, for gates that ask for it; repeat for more",
  readName,
);
export const by: Option<string | undefined> = value(
  "--by <name>",
  "who does it, for the receipt; else whom CI names, or the machine's user",
  readName,
);
export const reason: Option<string | undefined> = value("--reason <text>", "why, for the receipt", readReason);
export const at: Option<string | undefined> = value(
  "--at <stage>",
  "where the image is in this stage, in place of where it is named",
  String,
);
export const backTo: Option<string | undefined> = value(
  "--to <digest>",
  "the image to go back to: a digest, or the beginning of one in the history",
  String,
);
export const only: Option<readonly string[]> = values(
  "--tag <tag>",
  "of the tags that were promoted together, only these; repeat, or join with commas",
  String,
  { separator: ",", completes: "tag" },
);

/** A variable that is not set is nobody's name. */
function readName(text: string): string {
  if (text.trim() !== "" && text.length <= 500) return text;
  throw new RegistryError("INVALID", "a name has between 1 and 500 characters");
}

function readReason(text: string): string {
  if (text.trim() !== "" && text.length <= 500) return text;
  throw new RegistryError("INVALID", "a reason has between 1 and 500 characters");
}
