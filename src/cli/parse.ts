import { Command as Parser, CommanderError, Option as ParserOption } from "commander";
import { RegistryError } from "../index.ts";
import { families, type Argument, type Command } from "./command.ts";
import { allCommands, commandsOf, findCommand } from "./commands.ts";
import { helpLayout, helpTail } from "./help.ts";
import { longName, type Given, type Option } from "./option.ts";
import { folded } from "./render/table.ts";
import type { Look } from "./render/text.ts";
import { maskSecrets } from "./secrets.ts";
import { version } from "../version.ts";

/** What a command line asks for: a command to run, or a text to show (help where `mistake` is set was not asked for). */
export type Parsed =
  | {
      readonly command: Command;
      readonly args: readonly unknown[];
      readonly get: <T>(option: Option<T>) => T;
      /** What was typed for an option; undefined where nothing was. */
      readonly given: (option: Option) => Given;
    }
  | { readonly text: string; readonly mistake: boolean };

/** Reads a command line by the table; throws INVALID with what it does not understand and what may have been meant. */
export function parse(typed: readonly string[], look: Look): Parsed {
  const words = asOption(typed);
  let parsed: Parsed | undefined;
  const shown = { out: "", err: "" };
  const program = rootParser(look);
  program.configureOutput({
    writeOut: (text) => void (shown.out += text),
    writeErr: (text) => void (shown.err += text),
    outputError: () => {},
    getOutHelpWidth: () => look.width ?? 100,
    getErrHelpWidth: () => look.width ?? 100,
    getOutHasColors: () => look.color,
    getErrHasColors: () => look.color,
  });
  // Building parsers takes time: a command that is named needs no others beside it.
  const named = findCommand(words)?.command;
  if (!named?.hidden) refuseMangled(words);
  if (!named) describeRoot(program, look);
  const all = words.some((word) => word === "-v" || word === "--verbose");
  for (const command of named ? withOwn(named) : allCommands()) {
    const parser = addCommand(program, command);
    // Of commands that are only listed, neither options nor examples are shown; after `--` one may run that is not named above.
    if (named || words.includes("--")) describe(parser, command, look, all);
    parser.action(function (this: Parser) {
      const typed = new Map(command.options.map((option) => [option, typedFor(option, this)]));
      const values = readOptions(command, typed);
      // Every option that a body asks for is in its command's table; one that is shared and is not counts as not given.
      const get = <T>(option: Option<T>): T =>
        values.has(option) ? (values.get(option) as T) : option.read(undefined);
      parsed = { command, args: this.processedArgs, get, given: (option) => typed.get(option) };
    });
  }
  try {
    program.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.version")
      return { text: shown.out, mistake: false };
    if (error.code === "commander.help") return { text: shown.err || shown.out, mistake: shown.err !== "" };
    throw usageError(error);
  }
  return parsed ?? { text: program.helpInformation(), mistake: true };
}

/** `help copy` is `copy --help`. Words that name no command are read without it, and refused as they are. */
function asOption(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  const [names, options] = [rest.filter((word) => !word.startsWith("-")), rest.filter((word) => word.startsWith("-"))];
  if (first !== "help" || names.length === 0) return words;
  const isFamily = names.length === 1 && Object.hasOwn(families, names[0]!);
  return isFamily || findCommand(names) ? [...names, ...options, "--help"] : names;
}

/** Node puts U+FFFD where bytes are no UTF-8: what is named so is not what was meant. */
function refuseMangled(words: readonly string[]): void {
  const at = words.findIndex((word) => word.includes("\u{FFFD}"));
  if (at === -1) return;
  throw new RegistryError("INVALID", `the word ${JSON.stringify(maskSecrets(words, allCommands())[at])} is not UTF-8`, {
    hint: "names are taken in UTF-8 alone: rename the file, or reach it by a link whose name is UTF-8",
  });
}

/** A command, and those of two words that begin with it: they win over an argument that is called so. */
function withOwn(named: Command): readonly Command[] {
  return [named, ...commandsOf(named.name).filter(({ name }) => name.startsWith(`${named.name} `))];
}

function rootParser(look: Look): Parser {
  return new Parser("gantry").exitOverride().configureHelp(helpLayout(look));
}

/** What `gantry --help` says beside the commands. */
function describeRoot(program: Parser, look: Look): void {
  program
    .description("Moves, looks at, checks and serves container images.")
    .usage("<command> [options]")
    .version(`gantry ${version}`, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .addHelpCommand(new Parser("help").argument("[command]").summary("show a command's help").helpGroup("This tool:"))
    .addHelpText(
      "after",
      `\n${folded("gantry COMMAND --help shows a command's options, examples and exit codes.", look)}`,
    );
}

function addCommand(program: Parser, command: Command): Parser {
  const [first = "", second] = command.name.split(" ");
  const family = second === undefined ? program : familyParser(program, first, command.group);
  const parser = family
    .command(second ?? first, { hidden: command.hidden === true })
    .helpGroup(second === undefined ? `${command.group}:` : "Commands:")
    .helpCommand(false)
    .summary(command.summary);
  for (const alias of command.aliases ?? []) parser.alias(alias.split(" ").at(-1)!);
  return parser;
}

/** Tells a command's parser what it takes, and what its help says. */
function describe(parser: Parser, command: Command, look: Look, all: boolean): void {
  parser
    .description(`${sentence(command.summary)}${command.details ? `\n\n${command.details}` : ""}`)
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", () => helpTail(command, look, all));
  for (const argument of command.arguments ?? []) parser.argument(argumentTerm(argument), argument.summary);
  for (const option of command.options) addOption(parser, option, all);
}

function familyParser(program: Parser, name: string, group: string): Parser {
  const known = program.commands.find((one) => one.name() === name);
  if (known) return known;
  return program
    .command(name)
    .helpGroup(`${group}:`)
    .description(sentence(families[name] ?? name))
    .summary(families[name] ?? "")
    .helpCommand(false);
}

/** `<name>`, `[name]` or with dots, as help writes an argument. */
export function argumentTerm({ name, optional, many }: Argument): string {
  const inner = many ? `${name}...` : name;
  return optional ? `[${inner}]` : `<${inner}>`;
}

function addOption(parser: Parser, option: Option, all: boolean): void {
  const collect = (text: string, before: unknown): string[] => [
    ...(Array.isArray(before) ? (before as string[]) : []),
    text,
  ];
  const add = (flags: string, summary: string): ParserOption => {
    const one = new ParserOption(flags, summary);
    parser.addOption(one.required ? one.argParser(collect) : one);
    return one;
  };
  const shown = add(option.flags, option.summary);
  if (option.heading) shown.helpGroup(option.heading);
  if (option.rare && !all) shown.hideHelp();
  for (const { flags } of option.also ?? []) add(flags, "").hideHelp();
}

/** What was typed for an option, under any of its names. */
function typedFor({ flags, also = [] }: Option, parser: Parser): Given {
  const found = [{ flags }, ...also].flatMap(({ flags, value }: { flags: string; value?: string }) => {
    const name = attribute(flags);
    if (parser.getOptionValueSource(name) !== "cli") return [];
    return value === undefined ? [parser.getOptionValue(name) as Given] : [[value]];
  });
  const texts = found.filter(Array.isArray).flat() as string[];
  return texts.length > 0 ? texts : found.at(-1);
}

/** The values of a command's options; what cannot be read throws INVALID with the option's name. */
function readOptions(command: Command, typed: ReadonlyMap<Option, Given>): ReadonlyMap<Option, unknown> {
  return new Map(
    command.options.map((option) => {
      try {
        const value = option.read(typed.get(option));
        if ([typed.get(option)].flat().includes("")) throw new RegistryError("INVALID", `"" says nothing`);
        return [option, value];
      } catch (error) {
        const { message, hint } = error as RegistryError;
        const name = `--${longName(option.flags)}`;
        throw new RegistryError("INVALID", message.startsWith(name) ? message : `${name}: ${message}`, {
          cause: error,
          ...(hint && { hint }),
        });
      }
    }),
  );
}

/** What commander calls an option's value. */
function attribute(flags: string): string {
  return longName(flags)
    .replace(/^no-/, "")
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Commander's complaint as an error of ours, without a value that may be a secret. */
function usageError(error: CommanderError): RegistryError {
  const [what = "", guess] = error.message.replace(/^error: /, "").split("\n");
  const hint = guess && `did you mean ${guess.replace(/^\(Did you mean (.*)\?\)$/, "$1")}?`;
  return new RegistryError("INVALID", what.replace(/(unknown option '[^'=]*)=[^']*'/, "$1'"), hint ? { hint } : {});
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;
}
