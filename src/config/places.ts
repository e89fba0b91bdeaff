import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { Fault } from "./fault.ts";
import { homePath, realPath } from "./home-path.ts";

/** Where a configuration is looked for. */
export interface ConfigPlaces {
  /** GANTRY_CONFIG, XDG_CONFIG_HOME, a variable for each key, and what `${NAME}` in files stands for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The working directory, where the search for a project file begins. */
  readonly cwd: string;
  /** A file in place of the project's and the user's; else GANTRY_CONFIG names one. */
  readonly file?: string;
  /** /etc/gantry/config.yaml unless told. */
  readonly systemFile?: string;
}

/** A configuration file, and whose it is. */
export interface ConfigFile {
  readonly path: string;
  readonly role: "named" | "project" | "user" | "system";
}

/** The configuration files there are, the highest first. One that is named is among them whether it is there or not. */
export function configFiles(places: ConfigPlaces): readonly ConfigFile[] {
  const { env, home, cwd, systemFile = "/etc/gantry/config.yaml" } = places;
  const named = places.file ?? env["GANTRY_CONFIG"];
  const system: ConfigFile = { path: systemFile, role: "system" };
  const there = ({ path }: ConfigFile): boolean => existsSync(path);
  if (named) return [{ path: homePath(named, { base: cwd, home }), role: "named" }, ...[system].filter(there)];
  const project = projectFile(resolve(cwd), home);
  const user: ConfigFile = { path: userConfigFile(places), role: "user" };
  return [
    ...(project === undefined ? [] : [{ path: project, role: "project" } as const]),
    ...[user, system].filter(there),
  ];
}

/** The user's own file, whether it is there or not. */
export function userConfigFile({ env, home }: Pick<ConfigPlaces, "env" | "home">): string {
  const { XDG_CONFIG_HOME: folder = "" } = env;
  return join(isAbsolute(folder) ? folder : join(home, ".config"), "gantry", "config.yaml");
}

/** Files that somebody may take for a configuration: they end in `.yml`, and nobody reads them. */
export function misnamedFiles(places: ConfigPlaces): readonly Fault[] {
  const names = [join(places.cwd, "gantry.yaml"), userConfigFile(places)].map((path) => [
    path,
    path.replace(/yaml$/, "yml"),
  ]);
  return names.flatMap(([right, path]) =>
    existsSync(path!) ? [{ source: path!, message: "this file is not read", hint: `its name would be ${right}` }] : [],
  );
}

/** The nearest `gantry.yaml` upwards; the search ends with a directory that has a `.git`, the home directory or the root. */
function projectFile(from: string, home: string): string | undefined {
  const ends = [resolve(home), realPath(home)];
  for (let directory = from; ; directory = dirname(directory)) {
    const file = join(directory, "gantry.yaml");
    if (existsSync(file)) return file;
    const isEnd = ends.includes(directory) || directory === dirname(directory) || existsSync(join(directory, ".git"));
    if (isEnd) return undefined;
  }
}
