import { userPassword, type CredentialSource, type OnWarning } from "./credential.ts";
import { keysFor } from "./keys.ts";
import { exposedWarning, readSecretFile } from "./secret-file.ts";

/** One `machine` of a netrc file. */
export interface Machine {
  readonly name: string;
  /** The line it begins in, from 1. */
  readonly line: number;
  readonly login?: string;
  readonly password?: string;
}

/**
 * Reads a netrc file (ftp(1), "THE .netrc FILE"), values in double quotes as curl has them: the machines, without macros
 * and the `default`, which would send a login to every registry there is. What is not understood is passed over.
 */
export function parseNetrc(text: string): readonly Machine[] {
  const machines: Machine[] = [];
  let current: { -readonly [Key in keyof Machine]: Machine[Key] } | undefined;
  const words = wordsOf(text);
  for (let i = 0; i < words.length; i += 1) {
    const { text: word, line } = words[i]!;
    const value = words[i + 1]?.text;
    if (word === "default") current = undefined;
    if (!/^(?:machine|login|password|account)$/.test(word)) continue;
    i += 1;
    if (value === undefined) break;
    if (word === "machine") {
      current = { name: value.toLowerCase(), line };
      machines.push(current);
    } else if (word !== "account" && current) {
      current[word as "login" | "password"] = value;
    }
  }
  return machines;
}

interface Word {
  readonly text: string;
  readonly line: number;
}

/** The words of all lines, apart from comments and from macros, which go up to an empty line. */
function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  let inMacro = false;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") inMacro = false;
    if (inMacro || line.trimStart().startsWith("#")) continue;
    for (const [match, quoted] of line.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s|$)|\S+/g)) {
      if (match === "macdef") {
        inMacro = true;
        break;
      }
      words.push({ text: quoted === undefined ? match : quoted.replace(/\\(.)/g, unescape), line: i + 1 });
    }
  }
  return words;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unescape(_: string, character: string): string {
  return escapes[character] ?? character;
}

/** The logins of a netrc file: the machine `host:port` before the machine `host`. No file is no login. */
export function netrcSource(file: string, onWarning?: OnWarning): CredentialSource {
  return {
    name: file,
    async find(host, _path, signal) {
      const read = await readSecretFile(file, signal);
      if (!read) return undefined;
      const machines = parseNetrc(read.text).filter(({ login, password }) => login && password);
      const names = keysFor(host, "");
      const [machine] = [...names, ...names.map((name) => name.replace(/:\d+$/, ""))].flatMap((name) =>
        machines.filter((one) => one.name === name),
      );
      if (!machine) return undefined;
      if (read.isExposed) onWarning?.(exposedWarning(file), host);
      return {
        ...userPassword(machine.login!, machine.password!),
        origin: `${file}: machine ${machine.name}, line ${machine.line}`,
      };
    },
  };
}
