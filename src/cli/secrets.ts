import { addAbortSignal, type Readable } from "node:stream";
import { maskUserinfo, RegistryError } from "../index.ts";
import type { Command } from "./command.ts";
import type { Io } from "./io.ts";
import type { Option } from "./option.ts";
import { passwordStdin } from "./options.ts";

const secretLimit = 64 * 1024;

/** What a command reads from stdin: nothing where the password is there. */
export function stdinFor(get: <T>(option: Option<T>) => T, { stdin }: Pick<Io, "stdin">): Io["stdin"] {
  if (!get(passwordStdin)) return stdin;
  throw new RegistryError("INVALID", "stdin cannot be both the password and what the command reads");
}

/** Reads a password or token from a stream, to its end, without the line end behind it. Throws INVALID where there is none. */
export async function readSecret(stream: Readable, signal?: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of signal ? addAbortSignal(signal, stream) : stream) {
    pieces.push(Buffer.from(piece as Buffer));
    size += pieces.at(-1)!.length;
    if (size > secretLimit) throw new RegistryError("INVALID", "what is on stdin is too long for a secret");
  }
  const text = Buffer.concat(pieces)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (text !== "") return text;
  throw new RegistryError("INVALID", "there is no secret on stdin", {
    hint: 'pipe it in: printf %s "$PASSWORD" | gantry ...',
  });
}

/** The words of a command line that may be shown: in place of a secret stands what it is. */
export function maskSecrets(words: readonly string[], commands: readonly Command[]): string[] {
  const secrets = new Map<string, NonNullable<Option["secret"]>>();
  for (const { options } of commands) {
    for (const { flags, secret, also = [] } of options) {
      if (secret === undefined) continue;
      for (const name of [flags, ...also.map((one) => one.flags)].flatMap(
        (text) => text.match(/--?[a-zA-Z][a-z-]*/g) ?? [],
      ))
        secrets.set(name, secret);
    }
  }
  return words.map((word, i) => {
    const before = secrets.get(words[i - 1] ?? "");
    if (before !== undefined) return masked(word, before);
    const [name, separator] = /^(--[a-z-]+)=/.exec(word)
      ? [word.slice(0, word.indexOf("=")), "="]
      : [word.slice(0, 2), ""];
    const mask = word.length > name.length ? secrets.get(name) : undefined;
    if (mask === undefined) return maskUserinfo(word);
    return `${name}${separator}${masked(word.slice(name.length + separator.length), mask)}`;
  });
}

/** Hides, in a text that may repeat what was typed, the logins that were typed before a host. */
export function hideLogins(words: readonly string[], text: string): string {
  return words
    .flatMap((word) => [word, word.replace(/^--?[a-z-]+=/, "")])
    .flatMap((word) => [word, JSON.stringify(word).slice(1, -1)])
    .reduce((shown, word) => shown.replaceAll(word, maskUserinfo(word)), text);
}

function masked(text: string, mask: NonNullable<Option["secret"]>): string {
  return typeof mask === "string" ? mask : mask(text);
}
