import { resolve } from "node:path";
import { findProgram, runProgram, type ProgramOutcome } from "../auth/helper-process.ts";
import { isAbort } from "../graph/sides.ts";
import type { Gate, Subject } from "../policy/promote/gate.ts";

/** How much of what a program writes goes into a receipt, which others can read. */
const mostWords = 200;

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  ENOENT: "it is not there, or what its first line names",
};

export interface CommandOptions {
  /** Goes to the program, with the image in `GANTRY_GATE_...`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a path in the command is relative to. */
  readonly cwd: string;
}

/**
 * A gate that a program decides: 0 lets the image pass. It is run without a shell, and ended with all it started when its time
 * (milliseconds) is over. The last line that it writes is told, without the values of variables that are secret by their name.
 */
export function commandGate(
  name: string,
  [program = "", ...words]: readonly string[],
  timeout: number,
  { env, cwd }: CommandOptions,
): Gate {
  const gate = `command ${name}`;
  return {
    name: gate,
    async check(subject, { signal } = {}) {
      const path = program.includes("/") ? resolve(cwd, program) : await findProgram(program, env);
      if (path === undefined) return { gate, passed: false, message: `there is no program ${program} in PATH` };
      const variables = { ...env, ...gateVariables(subject) };
      try {
        const ended = await runProgram(path, words, "", { env: variables, timeout, signal });
        return { gate, passed: ended.code === 0 && !ended.cut, message: wordsOf(ended, timeout, env) };
      } catch (error) {
        if (isAbort(error) || signal?.aborted) throw error;
        const { code = String(error) } = error as NodeJS.ErrnoException;
        return { gate, passed: false, message: `${path} cannot be run: ${reasons[code] ?? code}` };
      }
    },
  };
}

function gateVariables({ reference, digest, stage, to, tags }: Subject): Readonly<Record<string, string>> {
  return {
    GANTRY_GATE_REFERENCE: reference,
    GANTRY_GATE_DIGEST: digest,
    GANTRY_GATE_STAGE: stage,
    GANTRY_GATE_TO: to,
    GANTRY_GATE_TAGS: tags.join(","),
  };
}

function wordsOf({ code, cut, stdout, stderr }: ProgramOutcome, timeout: number, env: CommandOptions["env"]): string {
  const end =
    cut === "time"
      ? `it took longer than ${timeout / 1000} s`
      : cut === "output"
        ? "it wrote more than 1 MiB"
        : code === null
          ? "it was killed"
          : `it ended with ${code}`;
  const last = lastLine(stderr) || lastLine(stdout);
  return last === "" ? end : `${end}: ${shortened(masked(last, env))}`;
}

/** Without colours, and in one line whatever it is. */
function lastLine(text: string): string {
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  return last
    .replace(/\p{Cc}\[[\d;]*m/gu, "")
    .replace(/\p{Cc}+/gu, " ")
    .trim();
}

const shortened = (text: string): string => (text.length > mostWords ? `${text.slice(0, mostWords)}...` : text);

/** A text without the values of variables whose names say that they are secret. */
function masked(text: string, env: CommandOptions["env"]): string {
  const secrets = Object.entries(env)
    .filter(([name]) => /TOKEN|SECRET|PASS|KEY|CRED|AUTH|COOKIE/i.test(name))
    .flatMap(([, value = ""]) => value.split("\n"))
    .filter((value) => value.trim().length >= 4)
    .sort((a, b) => b.length - a.length);
  return secrets.reduce((left, secret) => left.replaceAll(secret, "[secret]"), text);
}
