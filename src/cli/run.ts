import { existsSync } from "node:fs";
import { apiHost, parseLocation, RegistryError } from "../index.ts";
import type { Cli } from "./cli.ts";
import type { Command } from "./command.ts";
import { allCommands, findCommand } from "./commands.ts";
import { exitCodes, exitOf, type ExitName } from "./exit-codes.ts";
import { isClosedPipe, lookOf, write, writeOut, type Io } from "./io.ts";
import * as options from "./options.ts";
import { parse, type Parsed } from "./parse.ts";
import { hostOf } from "./host-or-image.ts";
import type { Attempt } from "./render/error.ts";
import { output } from "./render/output.ts";
import { reporter } from "./render/reporter.ts";
import { hideLogins, maskSecrets, stdinFor } from "./secrets.ts";
import { configOf, configPlaces, withSettings } from "./settings.ts";
import { protect } from "./table/plan-options.ts";
import { orLeft, within } from "./within.ts";

/** Runs one command line and answers the process's exit code. Never throws. */
export async function run(words: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  let args: readonly string[] = [];
  try {
    const parsed = parse(
      words,
      lookOf(() => io.stdout, io.env),
    );
    if ("text" in parsed) {
      await (parsed.mistake ? write(io.stderr, parsed.text) : writeOut(io, parsed.text));
      return exitCodes[parsed.mistake ? "usage" : "done"].code;
    }
    args = parsed.args.flat().filter((word) => typeof word === "string");
    const limit = parsed.get(options.commandTimeout);
    return exitCodes[await within(limit, signal, (stop) => runBody(parsed, io, stop))].code;
  } catch (error) {
    if (isClosedPipe(error)) return exitCodes.done.code;
    return exitCodes[await fail(error, { words, args }, io, signal)].code;
  }
}

async function runBody(parsed: Extract<Parsed, { command: Command }>, io: Io, signal: AbortSignal): Promise<ExitName> {
  const { command, args, given } = parsed;
  const { run: body } = await command.load();
  const places = configPlaces(parsed.get(options.configFile), io.env);
  const config = configOf(places);
  const known = command.options.some(({ setting }) => setting !== undefined) ? await config() : undefined;
  const get = known ? withSettings(parsed, known) : parsed.get;
  const format = get(options.format) ?? get(options.planFormat);
  if (typeof format === "function") (await import("./render/template-fields.ts")).checkFields(format, command.name);
  await checkPatterns(get(protect));
  const report = reporter(io, {
    kind: get(options.quiet) ? "none" : (get(options.progress) ?? "auto"),
    verbose: get(options.verbose),
  });
  for (const { source, message, hint } of known?.warnings ?? []) {
    report.say(`warning: ${source}: ${message}${hint ? `: ${hint}` : ""}`);
  }
  const open: { close(): Promise<void> }[] = [];
  const cli: Cli = {
    get,
    given,
    config,
    places,
    signal,
    stdin: () => stdinFor(get, io),
    out: output(io, format),
    reporter: report,
    async client(at) {
      const { connect } = await import("./connect.ts");
      const client = await connect(parsed.get, at, await config(), io, (event) => report.on(event), signal);
      open.push(client);
      return {
        ...client,
        open(at, use) {
          const opened = client.open(at, use);
          open.unshift(opened.store);
          return opened;
        },
      };
    },
    async open(place, use) {
      const client = await cli.client({ from: [place] });
      const opened = client.open(place, use);
      return { ...opened, ref: await client.resolve(opened, { signal }) };
    },
    confirm: (question) => confirm(question, io, signal),
    async ask(question, more) {
      const { ask } = await import("./prompt.ts");
      return ask(question, io, { ...more, signal });
    },
  };
  const work = async (): Promise<ExitName> => {
    try {
      return (await body(args as never, cli)) ?? "done";
    } finally {
      report.stop();
      for (const one of open) await one.close();
    }
  };
  return orLeft(work(), signal, {
    drain: command.drains?.(get) ?? 0,
    say(message) {
      report.stop();
      report.say(message);
    },
  });
}

/** Throws INVALID for a pattern that is none: by itself, one is read only where something is to be deleted. */
async function checkPatterns(patterns: readonly string[]): Promise<void> {
  if (patterns.length === 0) return;
  const { protection } = await import("../policy/index.ts");
  try {
    protection(patterns);
  } catch (cause) {
    throw new RegistryError("INVALID", `--protect: ${(cause as Error).message}`, { cause });
  }
}

async function confirm(question: string, io: Io, signal: AbortSignal): Promise<boolean | undefined> {
  const { ask } = await import("./prompt.ts");
  const answer = await ask(`${question} [y/N] `, io, { signal });
  return answer === undefined ? undefined : /^y(es)?$/i.test(answer.trim());
}

/** A command line, and the words of it that are no options. */
interface Line {
  readonly words: readonly string[];
  readonly args: readonly string[];
}

/** The words that name images, or registries where that is what the command takes. */
function referencesAmong(args: readonly string[], { host }: RegistryError, command?: Command): readonly string[] {
  const isOfHost = command?.arguments?.[0]?.name === "host";
  return args.filter(
    (word) => /[/:]/.test(word) || word === host || (isOfHost && hostOf(word) !== undefined) || isAt(host, word),
  );
}

/** Whether a word is the name of an image, such as `alpine`, for which this host was asked. */
function isAt(host: string | undefined, word: string): boolean {
  try {
    const location = parseLocation(word);
    return location.transport === "registry" && apiHost(location.reference.registry) === host;
  } catch {
    return false;
  }
}

/** The words that a registry was asked for and that are files here, unless it is files that the command takes. */
function filesAmong(args: readonly string[], { host }: RegistryError, command?: Command): readonly string[] {
  const takesFiles = command?.arguments?.some(({ completes }) => completes === "file");
  return host === undefined || takesFiles ? [] : args.filter((word) => existsSync(word));
}

/** Tells of an error on stderr; rendering is read from disk only when there is one. */
async function fail(thrown: unknown, { words, args }: Line, io: Io, signal: AbortSignal): Promise<ExitName> {
  const { asRegistryError, errorJson, errorText, explain } = await import("./render/error.ts");
  const command = findCommand(words)?.command;
  const error = signal.aborted ? interrupted(thrown, command) : asRegistryError(thrown);
  const login = error.code === "UNAUTHORIZED" ? await loginAt(error.host) : undefined;
  const isAbsent = error.code === "MANIFEST_UNKNOWN";
  const explained = explain(error, {
    words: maskSecrets(words, allCommands()),
    ...(login && { login }),
    references: referencesAmong(args, error, command),
    files: filesAmong(args, error, command),
    ...(isAbsent && { missing: (await import("./local-image.ts")).placesMissing(args) }),
    ...(command && { command: command.name }),
  });
  const text = wantsJson(words)
    ? errorJson(explained)
    : errorText(
        explained,
        lookOf(() => io.stderr, io.env),
      );
  const trace = io.env["GANTRY_DEBUG"] ? `${inspectTrace(thrown)}\n` : "";
  await write(io.stderr, hideLogins(words, text + trace)).catch(() => {});
  return exitOf(error.code);
}

/** What the service takes for a login whose own host this is. */
async function loginAt(host = ""): Promise<Attempt["login"]> {
  const { knownProviders } = await import("../index.ts");
  const { title, login } = (await knownProviders()).find((provider) => provider.matches(host)) ?? {};
  return title === undefined || !login ? undefined : { title, ...login };
}

/** Whatever a signal made fail: it was the user's wish. */
function interrupted(cause: unknown, command: Command | undefined): RegistryError {
  const resumes = command?.options.includes(options.limitRate) ?? false;
  return new RegistryError("ABORTED", "interrupted", {
    cause,
    ...(resumes && { hint: "run it again: it goes on from there" }),
  });
}

function inspectTrace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause === undefined ? "" : `\ncaused by: ${inspectTrace(error.cause)}`;
  return `${error.stack ?? error.message}${below}`;
}

function wantsJson(words: readonly string[]): boolean {
  return words.some(
    (word, i) => /^--format=(nd)?json$/.test(word) || (word === "--format" && /^(nd)?json$/.test(words[i + 1] ?? "")),
  );
}
