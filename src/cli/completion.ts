import type { Command, Completes } from "./command.ts";
import { families } from "./command.ts";
import { allCommands, findCommand } from "./commands.ts";
import { hostOf } from "./host-or-image.ts";
import { configKeys } from "../index.ts";
import type { Option } from "./option.ts";

export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** What may stand in place of the last word; the directions are for the shell. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly directions: readonly ("files" | "directories" | "nospace")[];
}

/** Lists the repositories of a host, or the tags of a repository. */
export type Lookup = (place: string, kind: "repositories" | "tags") => AsyncIterable<string>;

const most = 500;

/** Completes the last of the words after `gantry`. A registry that does not answer adds nothing. */
export async function complete(words: readonly string[], lookup: Lookup): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const found = findCommand(before);
  if (!found) return commandNames(before, typed);
  const { command, rest } = found;
  const equals = /^(--[a-z-]+)=(.*)$/s.exec(typed);
  if (equals) {
    const { candidates, directions } = await completeValue(
      optionOf(command, equals[1]!)?.completes,
      equals[2]!,
      lookup,
    );
    return { candidates: candidates.map((one) => ({ ...one, word: `${equals[1]}=${one.word}` })), directions };
  }
  const last = rest.at(-1);
  const open = last === undefined ? undefined : optionOf(command, last);
  if (open && takesValue(open)) return completeValue(open.completes, typed, lookup);
  if (typed.startsWith("-")) return optionNames(command, typed);
  const position = rest.filter((word, i) => !word.startsWith("-") && !isValue(command, rest[i - 1])).length;
  const list = command.arguments ?? [];
  const argument = list[position] ?? (list.at(-1)?.many ? list.at(-1) : undefined);
  const { candidates, directions } = await completeValue(argument?.completes, typed, lookup);
  const own = Object.hasOwn(families, before[0]!) && before.length === 1 ? commandNames(before, typed).candidates : [];
  return {
    candidates: [...own, ...candidates],
    directions: candidates.length > 0 || own.length === 0 ? directions : [],
  };
}

function commandNames(before: readonly string[], typed: string): Completion {
  const shown = allCommands().filter((command) => !command.hidden);
  const family = before.length === 1 ? `${before[0]} ` : "";
  if (before.length > 1 || (family && !Object.hasOwn(families, before[0]!))) return { candidates: [], directions: [] };
  const below = shown.filter(
    (command) => command.name.startsWith(family) && command.name.slice(family.length).split(" ").length === 1,
  );
  const all = [
    ...below.map((command): Candidate => ({ word: command.name.slice(family.length), about: command.summary })),
    ...(family ? [] : familyNames(shown)),
  ];
  return { candidates: starting(all, typed), directions: [] };
}

/** The words that stand before others and are no commands themselves. */
function familyNames(shown: readonly Command[]): readonly Candidate[] {
  return Object.entries(families)
    .filter(([word]) => !shown.some(({ name }) => name === word))
    .map(([word, about]) => ({ word, about }));
}

function optionNames(command: Command, typed: string): Completion {
  const all = [...command.options, { flags: "--help", summary: "show this help" }];
  return {
    candidates: starting(
      all.flatMap(({ flags, summary }) => namesOf(flags).map((word) => ({ word, about: summary }))),
      typed,
    ),
    directions: [],
  };
}

function namesOf(flags: string): string[] {
  return flags.split(/[ ,|]+/).filter((word) => word.startsWith("-"));
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find((option) =>
    [option, ...(option.also ?? [])].some(({ flags }) => namesOf(flags).includes(name)),
  );
}

function takesValue(option: Option): boolean {
  return option.flags.includes("<");
}

function isValue(command: Command, before: string | undefined): boolean {
  const option = before === undefined ? undefined : optionOf(command, before);
  return option !== undefined && takesValue(option);
}

async function completeValue(completes: Completes | undefined, typed: string, lookup: Lookup): Promise<Completion> {
  if (completes === undefined) return { candidates: [], directions: [] };
  if (completes === "file") return { candidates: [], directions: ["files"] };
  if (completes === "directory") return { candidates: [], directions: ["directories"] };
  if (completes === "setting") return completeValue(configKeys, typed, lookup);
  if (typeof completes !== "string")
    return {
      candidates: starting(
        completes.map((word) => ({ word })),
        typed,
      ),
      directions: [],
    };
  const transports =
    completes === "location"
      ? starting(
          ["oci:", "oci-archive:", "docker-archive:", "dir:"].map((word) => ({ word })),
          typed,
        )
      : [];
  return { candidates: [...transports, ...(await inRegistry(completes, typed, lookup))], directions: ["nospace"] };
}

/** Repositories behind `HOST/`, and tags behind `HOST/REPOSITORY:`. */
async function inRegistry(
  completes: "reference" | "location" | "repository" | "tag",
  typed: string,
  lookup: Lookup,
): Promise<readonly Candidate[]> {
  const slash = typed.indexOf("/");
  const host = slash < 0 ? undefined : hostOf(typed.slice(0, slash));
  if (host === undefined) return [];
  const colon = typed.indexOf(":", slash);
  const words: string[] = [];
  try {
    if (colon < 0) {
      for await (const name of lookup(host, "repositories")) add(words, `${host}/${name}`, typed);
    } else if (completes !== "repository") {
      const repository = typed.slice(0, colon);
      for await (const tag of lookup(repository, "tags")) add(words, `${repository}:${tag}`, typed);
    }
  } catch {
    // No network, no login, no catalog: then nothing is offered.
  }
  return words.map((word) => ({ word }));
}

function add(words: string[], word: string, typed: string): void {
  if (word.startsWith(typed) && words.length < most) words.push(word);
}

function starting(all: readonly Candidate[], typed: string): readonly Candidate[] {
  return all.filter(({ word }) => word.startsWith(typed));
}
