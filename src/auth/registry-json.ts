import { join } from "node:path";
import type * as Yaml from "yaml";
import { isObject } from "../oci/descriptor.ts";
import { configSource, type ConfigLogin, type ConfigLogins, type ConfigOptions } from "./config-logins.ts";
import type { CredentialSource, Environment } from "./credential.ts";
import { exposedWarning, readSecretFile, readSecretFileAtOnce, type SecretFile } from "./secret-file.ts";
import { invalidLogin, parseSecretJson } from "./secret-json.ts";

/** What an OSSB-style registry.json says. */
export interface RegistryJson {
  readonly defaultRegistry?: string;
  readonly logins: ConfigLogins;
  /** Hosts, or beginnings of hosts before a `*`, that need not prove who they are. */
  readonly insecure: readonly string[];
  /** Mirrors by host, in the order in which they are asked. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
}

/** The registry.json that is in force. */
export interface RegistryJsonFile extends RegistryJson {
  /** Absent where there is no file, and all is from OSSB_DEFAULT_REGISTRY and OSSB_INSECURE_REGISTRIES. */
  readonly file?: string;
  readonly isExposed: boolean;
}

export interface RegistryJsonPlaces {
  readonly env: Environment;
  readonly home: string;
  /** What the absolute paths are below, for tests; `/`. */
  readonly root?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the text of a registry.json; what it does not know is left alone. Throws INVALID with the place in it. */
export function parseRegistryJson(text: string, file: string): RegistryJson {
  return readFields(parseSecretJson(text, file), file);
}

/**
 * Reads the first there is of OSSB_REGISTRY_CONFIG, ~/.ossb/registry.json, /etc/ossb/registry.json and Kubernetes' mounted
 * /var/run/configmaps/registry-config/config.yaml; what it leaves open is from the OSSB_* variables.
 */
export async function readRegistryJson(places: RegistryJsonPlaces, signal?: AbortSignal): Promise<RegistryJsonFile> {
  for (const file of filesOf(places)) {
    const read = await readSecretFile(file, signal);
    if (read) return inForce(places, { file, ...read });
  }
  return inForce(places);
}

/** What it says of hosts, and where, for people; read at once, as settings of hosts are. */
export function readRegistryJsonHosts(
  places: RegistryJsonPlaces,
): Pick<RegistryJson, "insecure" | "mirrors"> & { readonly file: string } {
  const found = filesOf(places)
    .values()
    .map((file) => ({ file, read: readSecretFileAtOnce(file) }))
    .find(({ read }) => read !== undefined);
  const { insecure, mirrors } = inForce(places, found?.read && { file: found.file, ...found.read });
  return { insecure, mirrors, file: found?.file ?? insecureVariable };
}

const insecureVariable = "OSSB_INSECURE_REGISTRIES";

function filesOf({ env, home, root = "/" }: RegistryJsonPlaces): readonly string[] {
  const named = env["OSSB_REGISTRY_CONFIG"];
  const usual = [join(home, ".ossb", "registry.json"), ...systemFiles.map((file) => join(root, file))];
  return [...(named ? [named] : []), ...usual];
}

function inForce({ env }: RegistryJsonPlaces, found?: SecretFile & { readonly file: string }): RegistryJsonFile {
  const fallback = env["OSSB_DEFAULT_REGISTRY"];
  const hosts = (env[insecureVariable] ?? "").split(",").map((host) => host.trim());
  const unsaid = { ...(fallback && { defaultRegistry: fallback }), insecure: hosts.filter((host) => host !== "") };
  if (!found) return { ...unsaid, logins: {}, mirrors: {}, isExposed: false };
  const { file, text, isExposed } = found;
  const { insecure, ...said } = /\.ya?ml$/.test(file)
    ? readFields(parseYaml(text, file), file)
    : parseRegistryJson(text, file);
  return { ...unsaid, ...said, ...(insecure.length > 0 && { insecure }), file, isExposed };
}

/** The logins of the registry.json that is in force. */
export function registryJsonSource(places: RegistryJsonPlaces, options: ConfigOptions = {}): CredentialSource {
  return {
    name: "registry.json (OSSB)",
    async find(host, path, signal) {
      const { logins, file, isExposed } = await readRegistryJson(places, signal);
      if (file === undefined) return undefined;
      const credential = await configSource(logins, `${file}: registries`, options).find(host, path, signal);
      if (credential && isExposed) options.onWarning?.(exposedWarning(file), host);
      return credential;
    },
  };
}

const systemFiles = ["etc/ossb/registry.json", "var/run/configmaps/registry-config/config.yaml"];

/** The parser is loaded here: most machines have no such file. */
function parseYaml(text: string, file: string): Fields {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { parse, YAMLParseError } = createRequire(import.meta.url)("yaml") as typeof Yaml;
  try {
    const value: unknown = parse(text) ?? {};
    return isObject(value) ? value : invalidLogin(`${file} is not a YAML map`);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    // The parser's message quotes the text, which is secret.
    const [position] = error.linePos ?? [];
    return invalidLogin(`${file} is not valid YAML: line ${position?.line ?? 1}, column ${position?.col ?? 1}`);
  }
}

function readFields(object: Fields, file: string): RegistryJson {
  const defaultRegistry = textAt(object, "default_registry", file);
  const registries = Object.entries(objectAt(object, "registries", file));
  const mirrors = Object.entries(objectAt(object, "mirrors", file));
  return {
    ...(defaultRegistry && { defaultRegistry }),
    logins: Object.fromEntries(
      registries.map(([host, login]) => [host, readLogin(login, `${file}: registries[${JSON.stringify(host)}]`)]),
    ),
    insecure: textsOf(object["insecure"], `${file}: insecure`),
    mirrors: Object.fromEntries(
      mirrors.map(([host, list]) => [host, textsOf(list, `${file}: mirrors[${JSON.stringify(host)}]`)]),
    ),
  };
}

/** A user without a password is no login here: OSSB goes on to its token. */
function readLogin(value: unknown, at: string): ConfigLogin {
  if (value === null) return {};
  if (!isObject(value)) return invalidLogin(`${at} is not an object`);
  const text = (field: string): string | undefined => textAt(value, field, at, ".");
  const [username, password, token] = [text("username"), text("password"), text("token")];
  const [authFile, credHelper] = [text("auth_file"), text("credentials_store")];
  return {
    ...(username && password && { username, password }),
    ...(token && { token }),
    ...(authFile && { authFile }),
    ...(credHelper && { credHelper }),
  };
}

function textAt(object: Fields, field: string, at: string, separator = ": "): string | undefined {
  const value = object[field] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  return invalidLogin(`${at}${separator}${field} is not a text`);
}

function objectAt(object: Fields, field: string, file: string): Fields {
  const value = object[field] ?? {};
  return isObject(value) ? value : invalidLogin(`${file}: ${field} is not an object`);
}

function textsOf(value: unknown, at: string): readonly string[] {
  const list = value ?? [];
  if (Array.isArray(list) && list.every((item): item is string => typeof item === "string")) return list;
  return invalidLogin(`${at} is not a list of texts`);
}
