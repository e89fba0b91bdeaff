import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Yaml from "yaml";
import { isObject } from "../oci/descriptor.ts";
import { configSource, type ConfigLogin, type ConfigLogins, type ConfigOptions } from "./config-logins.ts";
import type { CredentialSource, Environment } from "./credential.ts";
import { exposedWarning, readSecretFileNow } from "./secret-file.ts";
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
export function readRegistryJson({ env, home, root = "/" }: RegistryJsonPlaces): RegistryJsonFile {
  const named = env["OSSB_REGISTRY_CONFIG"];
  const usual = [join(home, ".ossb", "registry.json"), ...systemFiles.map((file) => join(root, file))];
  const fallback = env["OSSB_DEFAULT_REGISTRY"];
  const insecure = (env["OSSB_INSECURE_REGISTRIES"] ?? "").split(",").map((host) => host.trim());
  const unsaid = {
    ...(fallback && { defaultRegistry: fallback }),
    insecure: insecure.filter((host) => host !== ""),
  };
  for (const file of [...(named ? [named] : []), ...usual]) {
    const read = readSecretFileNow(file);
    if (!read) continue;
    const { insecure: written, ...said } = /\.ya?ml$/.test(file)
      ? readFields(parseYaml(read.text, file), file)
      : parseRegistryJson(read.text, file);
    return { ...unsaid, ...said, ...(written.length > 0 && { insecure: written }), file, isExposed: read.isExposed };
  }
  return { ...unsaid, logins: {}, mirrors: {}, isExposed: false };
}

/** The logins of the registry.json that is in force. */
export function registryJsonSource(places: RegistryJsonPlaces, options: ConfigOptions = {}): CredentialSource {
  return {
    name: "registry.json (OSSB)",
    async find(host, path, signal) {
      const { logins, file, isExposed } = readRegistryJson(places);
      if (file === undefined) return undefined;
      const credential = await configSource(logins, `${file}: registries`, options).find(host, path, signal);
      if (credential && isExposed) options.onWarning?.(exposedWarning(file), host);
      return credential;
    },
  };
}

const systemFiles = ["etc/ossb/registry.json", "var/run/configmaps/registry-config/config.yaml"];

/** The parser is loaded by `require`, as who asks of hosts cannot wait, and few have such a file. */
function parseYaml(text: string, file: string): Fields {
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
