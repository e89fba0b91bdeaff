import { isObject } from "../oci/descriptor.ts";
import { loginNames } from "../oci/reference.ts";
import { RegistryError } from "../oci/error.ts";
import { changeConfig, type Config } from "./config-file.ts";
import { helperLogin, type Credential, type Environment } from "./credential.ts";
import { findHelper, parseDockerConfig, type DockerConfig } from "./docker-config.ts";
import { credentialHelper, ownHelper, type Helper } from "./helper.ts";
import { formatLoginKey, isSamePlace, parseLoginKey, type LoginPlace } from "./login-key.ts";
import { readSecretFile } from "./secret-file.ts";
import { invalidLogin } from "./secret-json.ts";

/** A login that is kept somewhere. */
export interface KeptLogin extends LoginPlace {
  /** The file and the key in it, and the helper where one keeps it. */
  readonly where: string;
  /** Whether the file has the secret itself, readable for who can read the file. */
  readonly inClear: boolean;
  /** Whose it is, where that is known. */
  readonly username?: string;
}

/** Where logins are kept: a file as Docker's or Podman's, and the helpers that it names. */
export interface LoginStore {
  readonly file: string;
  /**
   * Keeps a login, in place of one that is there: with the helper that the file names for the host or for all, and otherwise
   * in the file. `username` goes with an identity token. What a helper keeps is read back: UNVERIFIED where it differs.
   */
  save(
    place: LoginPlace,
    credential: Credential,
    call?: { readonly username?: string; readonly signal?: AbortSignal },
  ): Promise<KeptLogin>;
  /** Forgets the login of exactly this place, and answers where it was kept; nowhere is an empty list. */
  erase(place: LoginPlace, signal?: AbortSignal): Promise<readonly string[]>;
  list(signal?: AbortSignal): Promise<readonly KeptLogin[]>;
}

export interface LoginStoreOptions {
  /** What helpers run with. */
  readonly env: Environment;
  /** Gantry's own store, for the helper named `gantry`. */
  readonly own?: LoginStore;
}

/** Opens a file of logins. Nothing is read or written yet. */
export function loginStore(file: string, { env, own }: LoginStoreOptions): LoginStore {
  const read = async (signal?: AbortSignal): Promise<DockerConfig> =>
    parseDockerConfig((await readSecretFile(file, signal))?.text ?? "", file);
  const helperOf = (config: DockerConfig, place: LoginPlace): Keeper | undefined => {
    const [name, origin] = helperFor(config, place, file) ?? [];
    if (name === undefined) return undefined;
    return name === ownHelper && own ? own : helperKeeper(credentialHelper(name, origin!, { env }), origin!);
  };
  return {
    file,
    async save(place, credential, { username, signal } = {}) {
      const config = await read(signal);
      const helper = credential.kind === "bearer" ? undefined : helperOf(config, place);
      if (!helper) {
        await changeConfig(
          file,
          withEntry(place, (old) => ({ ...old, ...entryOf(credential, username) }), file),
          signal,
        );
        return { ...place, where: whereIn(file, formatLoginKey(place)), inClear: true };
      }
      const kept = await helper.save(place, credential, signal && { signal });
      // Docker marks that the helper has it by an empty entry; a secret there would be found first.
      if (!isMarked(config, place))
        await changeConfig(
          file,
          withEntry(place, () => ({}), file),
          signal,
        );
      return kept;
    },
    async erase(place, signal) {
      const config = await read(signal);
      const erased = place.path === "" ? ((await helperOf(config, place)?.erase(place, signal)) ?? []) : [];
      const there = entriesAt(config, place);
      if (there.length > 0) await changeConfig(file, (now) => withoutEntries(now, place, file), signal);
      return [...erased, ...there.filter(([, entry]) => hasSecret(entry)).map(([key]) => whereIn(file, key))];
    },
    async list(signal) {
      const config = await read(signal);
      const inFile = [...config.auths]
        .filter(([, entry]) => hasSecret(entry))
        .map(([key, entry]): KeptLogin => {
          const username = userOf(entry);
          return { ...parseLoginKey(key), where: whereIn(file, key), inClear: true, ...(username && { username }) };
        });
      const { credsStore, credHelpers } = config;
      const all = credsStore === undefined ? undefined : helperOf({ ...config, credHelpers: new Map() }, everywhere);
      const kept = [...inFile, ...((await all?.list(signal)) ?? [])];
      for (const [key, name] of credHelpers) {
        const place = parseLoginKey(key);
        const login = name === ownHelper ? undefined : await helperOf(config, place)?.list(signal);
        kept.push(...(login ?? []).filter((one) => isSamePlace(one, place)));
      }
      return kept;
    },
  };
}

const everywhere: LoginPlace = { host: "", path: "" };

/** What keeps logins for a file. */
type Keeper = Pick<LoginStore, "save" | "erase" | "list">;

function helperKeeper(helper: Helper, origin: string): Keeper {
  const where = `${origin} (docker-credential-${helper.name})`;
  return {
    async save(place, credential, { signal } = {}) {
      const server = formatLoginKey(place);
      await helper.store(server, credential, signal);
      const back = await helper.get(server, signal);
      if (!back || !isSameLogin(back, credential)) {
        throw new RegistryError(
          "UNVERIFIED",
          `docker-credential-${helper.name} does not give back what it got for ${server}`,
          {
            hint: `see whether it works, or take it out (${origin})`,
          },
        );
      }
      return { ...place, where, inClear: false };
    },
    async erase({ host }, signal) {
      const erased: string[] = [];
      for (const server of loginNames(host)) {
        if (!(await helper.get(server, signal))) continue;
        await helper.erase(server, signal);
        erased.push(where);
      }
      return erased;
    },
    async list(signal) {
      const users = Object.entries(await helper.list(signal));
      return users.map(([server, username]) => ({ ...parseLoginKey(server), where, inClear: false, username }));
    },
  };
}

/** Whether two credentials are sent as the same. */
export function isSameLogin(a: Credential, b: Credential): boolean {
  if (a.kind === "bearer" || b.kind === "bearer") {
    return a.kind === "bearer" && b.kind === "bearer" && a.token.reveal() === b.token.reveal();
  }
  const [one, other] = [helperLogin(a), helperLogin(b)];
  return one.username === other.username && one.secret === other.secret;
}

/** The helper for a place, and where it is named. Helpers know hosts only: a path is kept in the file, unless the host's own helper would hide it. */
function helperFor(
  config: DockerConfig,
  place: LoginPlace,
  file: string,
): readonly [name: string, origin: string] | undefined {
  const [key, name = ""] = findHelper(config, place.host) ?? [];
  const origin = `${file}: credHelpers[${JSON.stringify(key)}]`;
  if (name !== "" && place.path !== "") {
    throw new RegistryError("INVALID", `${origin} keeps logins for hosts, and ${formatLoginKey(place)} has a path`, {
      hint: `log in to ${place.host}, or name another file`,
    });
  }
  if (key !== undefined) return name === "" ? undefined : [name, origin];
  const { credsStore } = config;
  return credsStore === undefined || place.path !== "" ? undefined : [credsStore, `${file}: credsStore`];
}

/** The entries of a place, by whichever names it goes there. */
function entriesAt({ auths }: DockerConfig, place: LoginPlace): readonly (readonly [string, unknown])[] {
  return [...auths].filter(([key]) => isSamePlace(parseLoginKey(key), place));
}

function isMarked(config: DockerConfig, place: LoginPlace): boolean {
  const entries = entriesAt(config, place);
  return entries.length === 1 && !hasSecret(entries[0]![1]);
}

/** Sets a place's one entry, where it stood; other names for the place go. */
function withEntry(place: LoginPlace, entry: (old: Config) => Config, file: string): (config: Config) => Config {
  return (config) => {
    const key = formatLoginKey(place);
    const old = authsOf(config, file)[key];
    const rest = authsOf(withoutEntries(config, place, file, key), file);
    return { ...config, auths: { ...rest, [key]: entry(isObject(old) ? old : {}) } };
  };
}

function withoutEntries(config: Config, place: LoginPlace, file: string, but?: string): Config {
  const auths = Object.entries(authsOf(config, file));
  const kept = auths.filter(([key]) => key === but || !isSamePlace(parseLoginKey(key), place));
  return { ...config, auths: Object.fromEntries(kept) };
}

function authsOf(config: Config, file: string): Config {
  const auths = config["auths"] ?? {};
  return isObject(auths) ? auths : invalidLogin(`${file}: auths is not an object`);
}

/** The fields of an entry that say who one is, all of them, so that none of an older login stays. */
function entryOf(credential: Credential, username: string | undefined): Config {
  const base64 = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString("base64");
  const none = { auth: undefined, username: undefined, password: undefined };
  const noTokens = { identitytoken: undefined, registrytoken: undefined };
  if (credential.kind === "bearer") return { ...none, ...noTokens, registrytoken: credential.token.reveal() };
  const { username: user, secret } = helperLogin(credential);
  if (credential.kind === "basic") return { ...none, ...noTokens, auth: base64(user, secret) };
  // Podman takes the token only with a user beside it.
  return { ...none, ...noTokens, auth: base64(username ?? user, ""), identitytoken: secret };
}

function hasSecret(entry: unknown): boolean {
  const fields = ["auth", "password", "identitytoken", "registrytoken"];
  return isObject(entry) && fields.some((field) => (entry[field] ?? "") !== "");
}

function userOf({ auth, username }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof auth !== "string") return typeof username === "string" ? username : undefined;
  return /^([^:]+):/.exec(Buffer.from(auth, "base64").toString("utf8"))?.[1];
}

function whereIn(file: string, key: string): string {
  return `${file}: auths[${JSON.stringify(key)}]`;
}
