import { join } from "node:path";
import { findNames, findText, readText } from "./file.ts";
import { parseAliases, parseRegistriesConf, type RegistriesConf } from "./registries-conf.ts";

/** Where files are looked for. */
export interface Machine {
  /** CONTAINERS_REGISTRIES_CONF, XDG_CONFIG_HOME and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Whose process this is; 0 is root, and none is a system without users. */
  readonly uid?: number;
  /** What absolute paths of the system start from; `/`. */
  readonly root?: string;
}

const nothing: RegistriesConf = { registries: [], aliases: new Map() };

/**
 * Reads all that speaks as registries.conf: `file` or CONTAINERS_REGISTRIES_CONF alone where named; else the user's file
 * with the user's drop-ins, or the system's with the system's and then the user's drop-ins. Last of all comes
 * CONTAINERS_REGISTRIES_CONF_OVERRIDE, and the aliases that Podman has learned. An entry of a later file takes the place
 * of an earlier one with its prefix. Throws INVALID.
 */
export function readRegistriesFiles(machine: Machine, file?: string): RegistriesConf {
  const { env, root = "/", uid } = machine;
  const named = file ?? env["CONTAINERS_REGISTRIES_CONF"];
  const override = env["CONTAINERS_REGISTRIES_CONF_OVERRIDE"];
  const confs = [
    ...(named
      ? [parseRegistriesConf(readText(named, named === file ? undefined : confVariable), named)]
      : found(machine)),
    ...(override ? [parseRegistriesConf(readText(override, `${confVariable}_OVERRIDE`), override)] : []),
  ];
  const cache = uid === 0 ? join(root, "var/cache") : env["XDG_CACHE_HOME"] || join(machine.home, ".cache");
  const learned = join(cache, "containers/short-name-aliases.conf");
  const text = findText(learned, "foreign");
  if (text !== undefined) confs.push({ registries: [], aliases: parseAliases(text, learned) });
  return confs.reduce(merge, nothing);
}

const confVariable = "CONTAINERS_REGISTRIES_CONF";

function found({ env, home, root = "/" }: Machine): readonly RegistriesConf[] {
  const folder = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers");
  const own = findConf(join(folder, "registries.conf"));
  if (own) return [own, ...dropIns(folder)];
  const system = join(root, "etc/containers");
  const base =
    findConf(join(system, "registries.conf")) ?? findConf(join(root, "usr/share/containers/registries.conf"));
  return [...(base ? [base] : []), ...dropIns(system), ...dropIns(folder)];
}

function dropIns(folder: string): readonly RegistriesConf[] {
  const directory = join(folder, "registries.conf.d");
  const names = (findNames(directory) ?? []).filter((name) => name.endsWith(".conf"));
  return names.flatMap((name) => findConf(join(directory, name)) ?? []);
}

function findConf(path: string): RegistriesConf | undefined {
  const text = findText(path);
  return text === undefined ? undefined : parseRegistriesConf(text, path);
}

function merge(before: RegistriesConf, after: RegistriesConf): RegistriesConf {
  const prefixes = new Set(after.registries.map(({ prefix }) => prefix));
  return {
    ...before,
    ...after,
    registries: [...before.registries.filter(({ prefix }) => !prefixes.has(prefix)), ...after.registries],
    aliases: new Map([...before.aliases, ...after.aliases]),
  };
}
