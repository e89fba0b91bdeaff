import type { Command } from "./command.ts";
import { authCommands } from "./table/auth.ts";
import { changeCommands } from "./table/change.ts";
import { configCommands } from "./table/config.ts";
import { doctorCommand } from "./table/doctor.ts";
import { lifecycleCommands } from "./table/lifecycle.ts";
import { lookCommands } from "./table/look.ts";
import { moveCommands } from "./table/move.ts";
import { partCommands } from "./table/parts.ts";
import { planCommands } from "./table/plans.ts";
import { retainCommand } from "./table/retain.ts";
import { promoteCommands } from "./table/promote.ts";
import { syncCommands } from "./table/sync.ts";
import { serviceCommands } from "./table/services.ts";
import { tagsCommands } from "./table/tags.ts";
import { syncImportCommand } from "./table/sync-import.ts";
import { toolCommands } from "./table/tool.ts";

/**
 * The tables of commands in the order of help and docs, each with the words that names and aliases in it begin with: to run one
 * command, the options of the others are not read.
 */
export const tables: readonly { readonly words: string; readonly commands: () => readonly Command[] }[] = [
  { words: "copy cp pull push tag", commands: () => moveCommands },
  { words: "ls list inspect tree digest resolve manifest config", commands: () => lookCommands },
  { words: "doctor", commands: () => [doctorCommand] },
  { words: "delete rm check", commands: () => changeCommands },
  { words: "retain", commands: () => [retainCommand] },
  { words: "promote rollback", commands: () => promoteCommands },
  { words: "tags", commands: () => tagsCommands },
  { words: "sync", commands: () => syncCommands },
  { words: "sync", commands: () => [syncImportCommand] },
  { words: "apply undo", commands: () => planCommands },
  { words: "repo immutability findings search quota replication", commands: () => serviceCommands },
  { words: "lifecycle", commands: () => lifecycleCommands },
  { words: "artifact blob", commands: () => partCommands },
  { words: "auth login logout", commands: () => authCommands },
  { words: "config", commands: () => configCommands },
  { words: "serve version completion __complete", commands: () => toolCommands },
];

/** Every command there is, in the order that help and docs list them. */
export function allCommands(): readonly Command[] {
  return tables.flatMap(({ commands }) => commands());
}

/** Those whose names begin with a word. */
export function commandsOf(word: string): readonly Command[] {
  const near = tables.filter(({ words }) => words.split(" ").includes(word)).flatMap(({ commands }) => commands());
  return near.filter(({ name, aliases = [] }) => [name, ...aliases].some((one) => one.split(" ")[0] === word));
}

/** The command that words after `gantry` begin with, by name or alias, and the words that follow. */
export function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  const near = commandsOf(words[0] ?? "");
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = near.find((one) => one.name === name || one.aliases?.includes(name));
    if (command && words.length >= length) return { command, rest: words.slice(length) };
  }
  return undefined;
}
