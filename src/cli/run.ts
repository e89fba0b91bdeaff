import { existsSync } from "node:fs";
import { RegistryError } from "../index.ts";
import type { Cli } from "./cli.ts";
import type { Command } from "./command.ts";
import { findCommand } from "./commands.ts";
import { exitCodes, exitOf, type ExitName } from "./exit-codes.ts";
import { isClosedPipe, lookOf, write, type Io } from "./io.ts";
import * as options from "./options.ts";
import { parse, type Parsed } from "./parse.ts";
import { output } from "./render/output.ts";
import { reporter } from "./render/reporter.ts";

/** Runs one command line and answers the process's exit code. Never throws. */
export async function run(words: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  let references: readonly string[] = [];
  try {
    const parsed = parse(
      words,
      lookOf(() => io.stdout, io.env),
    );
    if ("text" in parsed) {
      await write(parsed.mistake ? io.stderr : io.stdout, parsed.text);
      return exitCodes[parsed.mistake ? "usage" : "done"].code;
    }
    references = parsed.args.flat().filter((word) => typeof word === "string" && /[/:]/.test(word)) as string[];
    return exitCodes[await runBody(parsed, io, signal)].code;
  } catch (error) {
    if (isClosedPipe(error)) return exitCodes.done.code;
    return exitCodes[await fail(error, { words, references }, io, signal)].code;
  }
}

async function runBody(parsed: Extract<Parsed, { command: Command }>, io: Io, signal: AbortSignal): Promise<ExitName> {
  const { command, args, get } = parsed;
  const { run: body } = await command.load();
  const report = reporter(io, {
    kind: get(options.quiet) ? "none" : (get(options.progress) ?? "auto"),
    verbose: get(options.verbose),
  });
  const open: { close(): Promise<void> }[] = [];
  const cli: Cli = {
    get,
    signal,
    get stdin() {
      return io.stdin;
    },
    out: output(io, get(options.format)),
    reporter: report,
    async client(places) {
      const { connect } = await import("./connect.ts");
      const client = await connect(get, places, io, (event) => report.on(event));
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
  };
  try {
    return (await body(args as never, cli)) ?? "done";
  } finally {
    report.stop();
    for (const one of open) await one.close();
  }
}

async function confirm(question: string, { stdin, stderr }: Io, signal: AbortSignal): Promise<boolean | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const prompt = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    prompt.close();
  }
}

/** A command line, and the words of it that name images. */
interface Line {
  readonly words: readonly string[];
  readonly references: readonly string[];
}

/** Tells of an error on stderr; rendering is read from disk only when there is one. */
async function fail(thrown: unknown, { words, references }: Line, io: Io, signal: AbortSignal): Promise<ExitName> {
  const { asRegistryError, errorJson, errorText, explain } = await import("./render/error.ts");
  const command = findCommand(words)?.command;
  const error = signal.aborted ? interrupted(thrown, command) : asRegistryError(thrown);
  const explained = explain(error, {
    words: maskLogins(words),
    references,
    files: words.slice(1).filter((word) => existsSync(word)),
    ...(command && { command: command.name }),
  });
  const text = wantsJson(words)
    ? errorJson(explained)
    : errorText(
        explained,
        lookOf(() => io.stderr, io.env),
      );
  const trace = io.env["GANTRY_DEBUG"] ? `${inspectTrace(thrown)}\n` : "";
  await write(io.stderr, text + trace).catch(() => {});
  return exitOf(error.code);
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

/** The words of a command line that may be shown: what follows `--creds` and its likes is none of them. */
function maskLogins(words: readonly string[]): string[] {
  return words.map((word, i) => {
    if (/^--[a-z]*-?creds=/.test(word)) return `${word.slice(0, word.indexOf("="))}=USER:PASSWORD`;
    return /^--([a-z]+-)?creds$/.test(words[i - 1] ?? "") ? "USER:PASSWORD" : word;
  });
}
