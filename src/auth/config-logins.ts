import { RegistryError } from "../oci/error.ts";
import { loginNames } from "../oci/reference.ts";
import { userPassword, type Credential, type CredentialSource, type OnWarning } from "./credential.ts";
import { dockerConfigSource } from "./docker-config-source.ts";
import type { HelperLogins } from "./helper-logins.ts";
import { keysFor, normalizeKey } from "./keys.ts";
import { exposedWarning, readSecretFile } from "./secret-file.ts";
import { invalidLogin } from "./secret-json.ts";
import { Secret } from "./secret.ts";

/** One login of a configuration: of the ways it names, the first counts, in the order below. */
export interface ConfigLogin {
  readonly username?: string;
  readonly password?: string;
  /** A file, by its absolute path, whose first line is the password. */
  readonly passwordFile?: string;
  /** Buys tokens from the registry's token service. */
  readonly identityToken?: string;
  /** Used as it is. */
  readonly token?: string;
  /** The name of a helper, `docker-credential-<name>`. */
  readonly credHelper?: string;
  /** A file of Docker's or Podman's, by its absolute path. */
  readonly authFile?: string;
}

/** Logins by `host[:port]` or `host/path`, of which the longest that fits a repository counts. */
export type ConfigLogins = Readonly<Record<string, ConfigLogin>>;

export interface ConfigOptions {
  /** Runs the helpers that the configuration names; without it they are passed over. */
  readonly helpers?: HelperLogins;
  readonly onWarning?: OnWarning;
}

/** Logins of a configuration; `origin` says where its map of them stands, for people: a file, and a key in it. */
export function configSource(logins: ConfigLogins, origin: string, options: ConfigOptions = {}): CredentialSource {
  const byKey = new Map(Object.keys(logins).map((key) => [normalizeKey(key), key]));
  return {
    name: origin,
    async find(host, path, signal) {
      for (const key of keysFor(host, path).flatMap((wanted) => byKey.get(wanted) ?? [])) {
        const place = { host, path, at: `${origin}[${JSON.stringify(key)}]`, signal };
        const credential = await readLogin(logins[key]!, place, options);
        if (credential) return { origin: place.at, ...credential };
      }
      return undefined;
    },
  };
}

interface Place {
  readonly host: string;
  readonly path: string;
  readonly at: string;
  readonly signal: AbortSignal | undefined;
}

async function readLogin(login: ConfigLogin, place: Place, options: ConfigOptions): Promise<Credential | undefined> {
  const { username, password, passwordFile, identityToken, token, credHelper, authFile } = login;
  const { host, path, at, signal } = place;
  if (username && password) return userPassword(username, password);
  if (username && passwordFile) return userPassword(username, await readPassword(passwordFile, place, options));
  if (password || passwordFile) return invalidLogin(`${at} has a password, but no username`, `add username to ${at}`);
  if (identityToken) return { kind: "identity", token: new Secret(identityToken) };
  if (token) return { kind: "bearer", token: new Secret(token) };
  if (credHelper) return await options.helpers?.find(credHelper, at, loginNames(host), signal);
  if (username && !authFile) return invalidLogin(`${at} has a username, but no password`, `add a password to ${at}`);
  return authFile
    ? await dockerConfigSource(authFile, authFile, { ...options, required: true }).find(host, path, signal)
    : undefined;
}

async function readPassword(file: string, { host, at, signal }: Place, { onWarning }: ConfigOptions): Promise<string> {
  const read = await readSecretFile(file, signal);
  if (!read) throw new RegistryError("INVALID", `${at} names the file ${file}, which is not there`);
  const [password = ""] = read.text.split(/\r?\n/, 1);
  if (password === "") return invalidLogin(`${file}, which ${at} names, has no password in its first line`);
  if (read.isExposed) onWarning?.(exposedWarning(file), host);
  return password;
}
