import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { RegistryError } from "../oci/error.ts";
import { hostAliases } from "../oci/reference.ts";
import { userPassword, type Credential, type CredentialSource } from "./credential.ts";
import { Secret } from "./secret.ts";

/** One login of a configuration; texts are in clear. */
export interface ConfigLogin {
  readonly username?: string;
  readonly password?: string;
  /** A file, by its absolute path, whose first line is the password. */
  readonly passwordFile?: string;
  readonly token?: string;
  readonly identityToken?: string;
  /** The name of a helper: `docker-credential-<name>`. */
  readonly credHelper?: string;
}

/** Logins of a configuration by `host[:port][/path]`, the longest that fits wins; `origin` says where they stand. */
export function configSource(logins: Readonly<Record<string, ConfigLogin>>, origin: string): CredentialSource {
  return {
    name: origin,
    async find(host, path, signal) {
      for (const key of keysFor(host, path)) {
        if (!Object.hasOwn(logins, key)) continue;
        const at = `${origin}[${JSON.stringify(key)}]`;
        const credential = await readLogin(logins[key]!, host, at, signal);
        if (credential) return { ...credential, origin: at };
      }
      return undefined;
    },
  };
}

/** The keys that fit, the longest first. */
function keysFor(host: string, path: string): readonly string[] {
  const parts = path === "" ? [] : path.split("/");
  const lengths = [...parts.keys(), parts.length].toReversed();
  return lengths.flatMap((length) =>
    hostAliases(host.toLowerCase()).map((name) => [name, ...parts.slice(0, length)].join("/")),
  );
}

async function readLogin(
  { username, password, passwordFile, token, identityToken, credHelper }: ConfigLogin,
  host: string,
  at: string,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  if (token !== undefined) return { kind: "bearer", token: new Secret(token) };
  if (identityToken !== undefined) return { kind: "identity", token: new Secret(identityToken) };
  if (credHelper !== undefined) return await askHelper(credHelper, host, at, signal);
  if (username === undefined) return undefined;
  return userPassword(username, password ?? (await readPassword(passwordFile!, at, signal)));
}

async function readPassword(file: string, at: string, signal: AbortSignal | undefined): Promise<string> {
  const text = await readFile(file, { encoding: "utf8", ...(signal && { signal }) }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new RegistryError("INVALID", `${at}: ${file} cannot be read (${code})`, { cause: error });
  });
  const [password = ""] = text.split(/\r?\n/, 1);
  if (password === "") throw new RegistryError("INVALID", `${at}: ${file} has no password in its first line`);
  return password;
}

function askHelper(name: string, host: string, at: string, signal?: AbortSignal): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  return new Promise((resolve, reject) => {
    const options = { timeout: 30_000, maxBuffer: 1024 * 1024, ...(signal && { signal }) };
    const child = execFile(program, ["get"], options, (error, stdout) => {
      if (error && /credentials not found/.test(stdout)) return resolve(undefined);
      const answer = error ? undefined : parseAnswer(stdout);
      if (answer) return resolve(userPassword(...answer));
      const why = error ? "has failed" : "has answered something else than a login";
      reject(
        new RegistryError("INVALID", `${at}: ${program} ${why}, asked for ${host}`, error ? { cause: error } : {}),
      );
    });
    child.stdin?.on("error", () => {}).end(host);
  });
}

function parseAnswer(text: string): [string, string] | undefined {
  try {
    const { Username, Secret: secret } = JSON.parse(text) as Record<string, unknown>;
    return typeof Username === "string" && typeof secret === "string" ? [Username, secret] : undefined;
  } catch {
    return undefined;
  }
}
