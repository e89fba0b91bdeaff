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

/** Every command there is, in the order that help and docs list them. */
export const commands: readonly Command[] = [
  ...moveCommands,
  ...lookCommands,
  doctorCommand,
  ...changeCommands,
  retainCommand,
  ...promoteCommands,
  ...tagsCommands,
  ...syncCommands,
  syncImportCommand,
  ...planCommands,
  ...serviceCommands,
  ...lifecycleCommands,
  ...partCommands,
  ...authCommands,
  ...configCommands,
  ...toolCommands,
];

/** The command that words after `gantry` begin with, by name or alias, and the words that follow. */
export function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = commands.find((one) => one.name === name || one.aliases?.includes(name));
    if (command && words.length >= length) return { command, rest: words.slice(length) };
  }
  return undefined;
}
