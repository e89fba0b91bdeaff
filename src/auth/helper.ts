import { isObject } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import { helperLogin, userPassword, type Credential, type Environment } from "./credential.ts";
import { findProgram, runProgram } from "./helper-process.ts";

/** A program that keeps logins, `docker-credential-<name>` (docker-credential-helpers, "Development"). */
export interface Helper {
  readonly name: string;
  /** The login it keeps for a server; none is `undefined`. */
  get(server: string, signal?: AbortSignal): Promise<Credential | undefined>;
  /** Keeps a user and password or an identity token, in place of what it kept for the server. */
  store(server: string, credential: Credential, signal?: AbortSignal): Promise<void>;
  /** Forgets a login; one that it does not keep is forgotten already. */
  erase(server: string, signal?: AbortSignal): Promise<void>;
  /** The user names it keeps, by server. */
  list(signal?: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

/** The name by which Docker and Podman know Gantry itself as a helper. */
export const ownHelper = "gantry";

export interface HelperOptions {
  /** What the program runs with; it is looked for in PATH. */
  readonly env: Environment;
  /** How long it may take, in milliseconds; 30 seconds. */
  readonly timeout?: number;
}

/** The answers by which helpers say that they keep no such login (docker-credential-helpers, "errors"). */
const absences: readonly string[] = [
  "credentials not found in native keychain",
  "no credentials server URL",
  "no credentials username",
];

/**
 * A credential helper, which `declaredIn` names for people: a file and the key in it. Whatever goes wrong with it (it is
 * not there, fails, hangs, answers nonsense) is INVALID, with its name, its server and where it is declared.
 */
export function credentialHelper(name: string, declaredIn: string, options: HelperOptions): Helper {
  const program = `docker-credential-${name}`;
  const broken = (what: string, hint: string, cause?: unknown): RegistryError =>
    new RegistryError("INVALID", `${program}, named in ${declaredIn}, ${what}`, { hint, cause });
  const ask = async (
    action: Action,
    input: string,
    server: string,
    signal?: AbortSignal,
  ): Promise<string | undefined> => {
    if (!/^[A-Za-z0-9._-]+$/.test(name)) {
      throw new RegistryError("INVALID", `${declaredIn} names the helper ${JSON.stringify(name)}, which is no name`, {
        hint: "a helper's name has letters, digits, '.', '_' and '-'",
      });
    }
    const path = await findProgram(program, options.env);
    if (path === undefined) throw broken("is not in PATH", `install ${program}, or take it out of ${declaredIn}`);
    const { timeout = 30_000, env } = options;
    const tryIt = `mend it, or take it out of ${declaredIn}`;
    const { code, cut, ...said } = await runProgram(path, [action], input, { env, timeout, signal }).catch(
      (error: unknown) => {
        if (error instanceof RegistryError) throw error;
        throw broken(`cannot be run (${(error as NodeJS.ErrnoException).code})`, tryIt, error);
      },
    );
    const task = action === "list" ? "list its logins" : `${action} the login for ${server}`;
    if (cut === "time") throw broken(`did not ${task} within ${timeout / 1000} seconds`, tryIt);
    if (cut === "output") throw broken(`wrote more than 1 MiB when asked to ${task}`, tryIt);
    if (code === 0) return said.stdout;
    if (absences.includes(said.stdout.trim())) return undefined;
    throw broken(`could not ${task}: ${complaint(said.stdout, said.stderr, input) || howEnded(code)}`, tryIt);
  };
  const parse = (text: string, action: Action): Readonly<Record<string, unknown>> => {
    const object = parseObject(text);
    if (!object) throw broken(`answered ${action} with something that is not a JSON object`, "update it");
    return object;
  };
  return {
    name,
    async get(server, signal) {
      const text = await ask("get", server, server, signal);
      if (text === undefined) return undefined;
      const { Username: user = "", Secret: secret } = parse(text, "get");
      if (typeof user !== "string" || typeof secret !== "string")
        throw broken(`answered get with no Secret for ${server}`, "log in again");
      if (secret === "") return undefined;
      return { ...userPassword(user, secret), origin: `${declaredIn} (${program})` };
    },
    async store(server, credential, signal) {
      if (credential.kind === "bearer")
        throw broken("cannot keep a token that is used as it is", "log in with a user and a password");
      const { username, secret } = helperLogin(credential);
      const login = { ServerURL: server, Username: username, Secret: secret };
      await ask("store", JSON.stringify(login), server, signal);
    },
    async erase(server, signal) {
      await ask("erase", server, server, signal);
    },
    async list(signal) {
      const text = await ask("list", "", "", signal);
      const users = Object.entries(text === undefined ? {} : parse(text, "list"));
      return Object.fromEntries(users.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
    },
  };
}

const howEnded = (code: number | null): string => (code === null ? "it was killed" : `exit ${code}`);

type Action = "get" | "store" | "erase" | "list";

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The first line of what a failed program says, on stdout by the protocol, without what it was given to keep. */
function complaint(stdout: string, stderr: string, input: string): string {
  // What looks like JSON is an answer that broke off, with the secret in it.
  const said = [stdout, stderr].map((text) => text.trim()).find((text) => text !== "" && !/^["{]/.test(text)) ?? "";
  const { Secret: secret } = parseObject(input) ?? {};
  const forms = typeof secret === "string" && secret !== "" ? [secret, JSON.stringify(secret).slice(1, -1)] : [];
  const hidden = forms.reduce((text, form) => text.replaceAll(form, "[secret]"), said);
  return hidden
    .split("\n", 1)[0]!
    .replace(/\p{Cc}/gu, " ")
    .slice(0, 200)
    .trim();
}
