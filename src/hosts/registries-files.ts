import { join } from "node:path";
import { findNames, findText, readText, type Whose } from "./file.ts";
import { once } from "./once.ts";
import { parseRegistriesConf, type RegistriesConf } from "./registries-conf.ts";

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

/** All that speaks as registries.conf; throws INVALID where a file is not right. */
export interface RegistriesFiles {
  /** What all files say of registries and credential helpers: files about short names alone, which many machines have, are not parsed. */
  registries(): RegistriesConf;
  /** What all files say together, with the aliases that Podman has learned. */
  shortNames(): RegistriesConf;
}

/**
 * Finds the files: `file` or CONTAINERS_REGISTRIES_CONF alone where named; else the user's with the user's drop-ins, or
 * the system's with the system's and then the user's drop-ins; and last CONTAINERS_REGISTRIES_CONF_OVERRIDE. An entry of
 * a later file takes the place of an earlier one with its prefix.
 */
export function registriesFiles(machine: Machine, file?: string): RegistriesFiles {
  const { env, home, root = "/", uid } = machine;
  const files = once(() => {
    const named = file ?? env[variable];
    const override = env[`${variable}_OVERRIDE`];
    return [
      ...(named ? [read(named, file === undefined ? variable : undefined)] : found(machine)),
      ...(override ? [read(override, `${variable}_OVERRIDE`)] : []),
    ];
  });
  const sum = (all: readonly File[]): RegistriesConf =>
    all.map(({ text, path }) => parseRegistriesConf(text, path)).reduce(merge, { registries: [], aliases: new Map() });
  return {
    registries: once(() => sum(files().filter(({ text }) => speaksOfRegistries.test(text)))),
    shortNames: once(() => {
      const cache = uid === 0 ? join(root, "var/cache") : env["XDG_CACHE_HOME"] || join(home, ".cache");
      return sum([...files(), ...find(join(cache, "containers/short-name-aliases.conf"), "foreign")]);
    }),
  };
}

const variable = "CONTAINERS_REGISTRIES_CONF";

/** A table of registries, or a list of credential helpers; an alias may be called `registry` too. With an escape it may be any. */
const speaksOfRegistries =
  /^[ \t]*\[{0,2}[ \t]*["']?(?:registr(?:y|ies)["']?[ \t]*(?:[\].]|=[ \t]*[[{])|credential-)|\\u/im;

interface File {
  readonly path: string;
  readonly text: string;
}

function found({ env, home, root = "/" }: Machine): readonly File[] {
  const own = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers");
  const ownConf = find(join(own, "registries.conf"));
  if (ownConf.length > 0) return [...ownConf, ...dropIns(own)];
  const system = join(root, "etc/containers");
  const conf = find(join(system, "registries.conf"));
  const shipped = conf.length > 0 ? [] : find(join(root, "usr/share/containers/registries.conf"));
  return [...conf, ...shipped, ...dropIns(system), ...dropIns(own)];
}

function dropIns(folder: string): readonly File[] {
  const directory = join(folder, "registries.conf.d");
  const names = (findNames(directory) ?? []).filter((name) => name.endsWith(".conf"));
  return names.flatMap((name) => find(join(directory, name)));
}

function find(path: string, whose?: Whose): readonly File[] {
  const text = findText(path, whose);
  return text === undefined ? [] : [{ path, text }];
}

function read(path: string, named: string | undefined): File {
  return { path, text: readText(path, named) };
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
