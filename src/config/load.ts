import { basename, dirname, resolve, sep } from "node:path";
import type { Level, Origin } from "./draft.ts";
import { faultsError, type Fault } from "./fault.ts";
import { realPath } from "./home-path.ts";
import { configFiles, misnamedFiles, userConfigFile, type ConfigFile, type ConfigPlaces } from "./places.ts";
import { readEnvironment, strayVariables } from "./read-environment.ts";
import { isPublic, readConfigFile } from "./read-file.ts";
import type { ConfigValues } from "./schema.ts";
import { mergeLevels, settingsTree, type Setting } from "./setting.ts";

/** What counts of the environment and all files. */
export interface Config {
  readonly values: ConfigValues;
  /** The same one by one, each with the place it is from; defaults are not among them. */
  readonly settings: readonly Setting[];
  /** What is dangerous, though it works. */
  readonly warnings: readonly Fault[];
}

/** What is right and wrong with a configuration. */
export interface ConfigReport {
  readonly files: readonly ConfigFile[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/**
 * Reads the configuration: the environment's variables before the project's file, before the user's, before the
 * system's. Depends on nothing but its argument and the files. Throws one INVALID that names all that is wrong.
 */
export async function loadConfig(places: ConfigPlaces): Promise<Config> {
  const machine = await readMachine(places);
  const levels = [machine.environment, ...(await readFiles(configFiles(places), places, machine))];
  const faults = levels.flatMap((level) => level.faults);
  if (faults.length > 0) throw faultsError(faults);
  return merged(levels);
}

function merged(levels: readonly Checked[]): Config {
  const settings = mergeLevels(levels.map((level) => level.settings));
  return { values: settingsTree(settings), settings, warnings: levels.flatMap(({ warnings }) => warnings) };
}

/** What is wrong, or dangerous, with a configuration as a whole. */
export type ConfigFindings = Pick<ConfigReport, "faults" | "warnings">;

/**
 * Looks for all that is wrong: in what would count, or in the files named, each by itself. Does not throw for it. `further` is
 * asked where nothing is wrong so far.
 */
export async function checkConfig(
  places: ConfigPlaces,
  named: readonly string[] = [],
  further: (config: Config) => ConfigFindings = () => ({ faults: [], warnings: [] }),
): Promise<ConfigReport> {
  const machine = await readMachine(places);
  const files = named.length === 0 ? configFiles(places) : named.map((path) => asFile(path, places));
  const read = await readFiles(files, places, machine);
  const levels = named.length === 0 ? [machine.environment, ...read] : read;
  const stray = named.length === 0 ? [...misnamedFiles(places), ...strayVariables(places.env)] : [];
  const faults = levels.flatMap((level) => level.faults);
  const together = named.length === 0 ? [levels] : read.map((level) => [level]);
  const found = faults.length > 0 ? [] : together.map((those) => further(merged(those)));
  return {
    files,
    faults: [...faults, ...found.flatMap((one) => one.faults)],
    warnings: [...levels, ...found].flatMap(({ warnings }) => warnings).concat(stray),
  };
}

type Checked = Level & { readonly warnings: readonly Fault[] };

/** What counts wherever one works: the variables, and all files but a project's; they say which projects are trusted. */
interface Machine {
  readonly environment: Checked;
  readonly files: ReadonlyMap<string, Checked>;
  readonly trust: readonly string[];
}

async function readMachine(places: ConfigPlaces): Promise<Machine> {
  const environment = { ...(await readEnvironment(places)), warnings: [] };
  const files = new Map<string, Checked>();
  for (const file of configFiles(places)) {
    if (file.role !== "project") files.set(file.path, await readChecked(file, originOf(file, places, [])));
  }
  const settings = mergeLevels([environment, ...files.values()].map((level) => level.settings));
  return { environment, files, trust: (settingsTree(settings) as ConfigValues).trust ?? [] };
}

async function readFiles(
  files: readonly ConfigFile[],
  places: ConfigPlaces,
  machine: Machine,
): Promise<readonly Checked[]> {
  const read = async (file: ConfigFile): Promise<Checked> =>
    machine.files.get(file.path) ?? (await readChecked(file, originOf(file, places, machine.trust)));
  return await Promise.all(files.map(read));
}

function originOf({ path, role }: ConfigFile, places: ConfigPlaces, trust: readonly string[]): Origin {
  const directory = dirname(path);
  return {
    source: path,
    lines: true,
    where: { base: directory, home: places.home },
    env: places.env,
    ...(role === "project" && {
      project: {
        trusted: isWithin(directory, trust),
        hint: `to trust it, put ${directory} under trust in ${userConfigFile(places)}, or into GANTRY_TRUST`,
      },
    }),
  };
}

/** Whether a directory is one of these, or below one, after symbolic links. */
function isWithin(directory: string, trust: readonly string[]): boolean {
  const inside = `${realPath(directory) ?? directory}${sep}`;
  return trust.some((one) => {
    const above = realPath(one);
    return above !== undefined && inside.startsWith(above.endsWith(sep) ? above : `${above}${sep}`);
  });
}

async function readChecked(file: ConfigFile, origin: Origin): Promise<Checked> {
  const level = await readConfigFile(file, origin);
  const [first] = level.secrets;
  if (first === undefined || !(await isPublic(file.path))) return { ...level, warnings: [] };
  const warning: Fault = {
    source: file.path,
    message: `every user of this machine can read the secrets in it (${first})`,
    hint: `chmod 600 ${file.path}`,
  };
  return { ...level, warnings: [warning] };
}

/** A file that somebody names to have it looked at: a project's by its name, else read as the user's own. */
function asFile(path: string, places: ConfigPlaces): ConfigFile {
  const full = resolve(places.cwd, path);
  return { path: full, role: basename(full) === "gantry.yaml" ? "project" : "named" };
}
