import { isObject } from "../oci/descriptor.ts";
import { userPassword, type Credential } from "./credential.ts";
import { keysFor, normalizeKey } from "./keys.ts";
import { Secret } from "./secret.ts";
import { invalidLogin, parseSecretJson } from "./secret-json.ts";

/** What Docker's config.json and Podman's auth.json say. */
export interface DockerConfig {
  /** Logins by the keys they stand under. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** The helpers of single hosts, by the keys they stand under; an empty name is no helper, not even the one for all. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The helper for all other hosts. */
  readonly credsStore?: string;
  /** What Docker sends with every request, to whatever registry. */
  readonly httpHeaders: Readonly<Record<string, string>>;
}

/** One login as it is written, its fields not looked at yet. */
export type AuthEntry = Readonly<Record<string, unknown>>;

/**
 * Reads the JSON of config.json or auth.json, or of ~/.dockercfg, which is a bare map of logins. A login is looked into
 * only when it is asked for, so what is wrong with one does not matter to other hosts. Throws INVALID with the place.
 */
export function parseDockerConfig(text: string, at: string, form: "config" | "dockercfg" = "config"): DockerConfig {
  const object = parseSecretJson(text, at);
  const config = form === "dockercfg" ? { auths: object } : object;
  const { credsStore } = config as { credsStore?: unknown };
  if (typeof (credsStore ?? "") !== "string") return invalidLogin(`${at}: credsStore is not a text`);
  return {
    auths: mapOf(config, "auths", at, entryOf, "an object"),
    credHelpers: mapOf(config, "credHelpers", at, textOf, "a text"),
    ...(credsStore ? { credsStore: credsStore as string } : {}),
    httpHeaders: Object.fromEntries(mapOf(config, "HttpHeaders", at, textOf, "a text")),
  };
}

function mapOf<T>(
  config: Readonly<Record<string, unknown>>,
  field: string,
  at: string,
  read: (value: unknown) => T | undefined,
  kind: string,
): ReadonlyMap<string, T> {
  const object = config[field] ?? {};
  if (!isObject(object)) return invalidLogin(`${at}: ${field} is not an object`);
  return new Map(
    Object.entries(object).map(([key, value]) => {
      const is = read(value);
      return is === undefined
        ? invalidLogin(`${at}: ${field}[${JSON.stringify(key)}] is not ${kind}`)
        : ([key, is] as const);
    }),
  );
}

function entryOf(value: unknown): AuthEntry | undefined {
  const entry = value ?? {};
  return isObject(entry) ? entry : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * The login for a repository, of keys that fit (`host/path`, `host`, `https://host/v1/`) the longest that has one; a URL
 * with any other path stands for its host, after all others. Throws INVALID where that login is broken.
 */
export function findAuth(config: DockerConfig, host: string, path: string, at: string): Credential | undefined {
  const keys = byKey(config.auths.keys());
  for (const key of [...keysFor(host, path), ...keysFor(host, "").map((name) => `${name}/*`)]) {
    const written = keys.get(key);
    if (written === undefined) continue;
    const credential = readAuth(config.auths.get(written)!, `${at}: auths[${JSON.stringify(written)}]`);
    if (credential) return credential;
  }
  return undefined;
}

/** The helper that is named for a host, and the key it stands under. */
export function findHelper(config: DockerConfig, host: string): readonly [key: string, name: string] | undefined {
  const keys = byKey(config.credHelpers.keys());
  const [written] = keysFor(host, "").flatMap((key) => keys.get(key) ?? []);
  return written === undefined ? undefined : [written, config.credHelpers.get(written)!];
}

/** Keys as written, by what they are compared as; where two are the same, one without a scheme goes before. */
function byKey(written: Iterable<string>): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const key of written) {
    const hasScheme = /^https?:\/\//i.test(key);
    // Docker keeps tokens of its own for Docker Hub beside the login, which no registry takes.
    if (hasScheme && /\/v1\/(access|refresh)-token\/?$/.test(key)) continue;
    const normal = normalizeKey(key);
    const compared = hasScheme && normal.includes("/") ? `${normal.slice(0, normal.indexOf("/"))}/*` : normal;
    if (!keys.has(compared) || !hasScheme) keys.set(compared, key);
  }
  return keys;
}

/** Reads one login; none where it has nothing to log in with. Throws INVALID, with `at` as its place. */
export function readAuth(entry: AuthEntry, at: string): Credential | undefined {
  const text = (field: string): string => {
    const value = entry[field] ?? "";
    return typeof value === "string" ? value : invalidLogin(`${at}.${field} is not a text`);
  };
  const found = (credential: Credential): Credential => ({ ...credential, origin: at });
  if (text("registrytoken") !== "") return found({ kind: "bearer", token: new Secret(text("registrytoken")) });
  if (text("identitytoken") !== "") return found({ kind: "identity", token: new Secret(text("identitytoken")) });
  if (text("auth") !== "") return found(decodeAuth(text("auth"), at));
  return text("username") === "" ? undefined : found(userPassword(text("username"), text("password")));
}

/** `auth` is `user:password` in base64, in some files followed by NULs. */
function decodeAuth(auth: string, at: string): Credential {
  const decoded = /^[A-Za-z0-9+/_=\s-]*$/.test(auth) ? Buffer.from(auth, "base64").toString("utf8") : "";
  const colon = decoded.indexOf(":");
  if (colon < 1) return invalidLogin(`${at}.auth is not USER:PASSWORD in base64`);
  return userPassword(decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, ""));
}
