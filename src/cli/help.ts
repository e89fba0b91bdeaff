import { Help, type HelpConfiguration } from "commander";
import type { Command } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { folded } from "./render/table.ts";
import { paint, type Look } from "./render/text.ts";

/** With less room for what an option does, that stands below its name. */
const narrow = 30;

/** How help looks on a terminal, or elsewhere. */
export function helpLayout(look: Look): HelpConfiguration {
  return {
    minWidthToWrap: 20,
    styleTitle: (text) => paint(look, "bold", text),
    styleUsage: (text) => folded(text, look, "       "),
    subcommandTerm: (command) => [command.name(), ...command.aliases()].join(", "),
    formatItem(term, termWidth, description, helper) {
      const isNarrow = look.width !== undefined && look.width - termWidth - 4 < narrow;
      if (!isNarrow || description === "") {
        return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
      }
      const indent = " ".repeat(6);
      return `  ${term}\n${indent}${folded(description, look, indent)}`;
    },
  };
}

/** What stands below a command's options: how to see more of them, examples, and the exit codes that are its own. */
export function helpTail(command: Command, look: Look, all: boolean): string {
  const examples = command.examples
    .map(({ note, line }) => `  ${paint(look, "dim", `# ${folded(note, look, "  # ")}`)}\n  ${line}\n`)
    .join("");
  const endings = [...(command.endings ?? [])]
    .map((name) => `  ${exitCodes[name].code}  ${folded(exitCodes[name].means, look, "     ")}\n`)
    .join("");
  const title = (text: string): string => paint(look, "bold", text);
  const rare = all ? 0 : command.options.filter((option) => option.rare).length;
  const more =
    rare > 0 ? `\n${folded(`--help -v shows ${rare} more options, about networks and logins.`, look)}\n` : "";
  return `${more}\n${title("Examples:")}\n${examples}${endings && `\n${title("Exit codes beside 0, 1 and 2:")}\n${endings}`}`;
}
