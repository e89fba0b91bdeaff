import { homedir } from "node:os";
import { configFiles, type Config, type ConfigPlaces } from "../index.ts";
import type { Io } from "./io.ts";
import type { Option } from "./option.ts";
import type { Parsed } from "./parse.ts";

type Line = Extract<Parsed, { command: unknown }>;

/** Where the configuration of a command line is looked for. */
export function configPlaces(file: string | undefined, env: Io["env"]): ConfigPlaces {
  return { env, home: env["HOME"] || homedir(), cwd: workingDirectory(), ...(file !== undefined && { file }) };
}

/** The configuration, read when it is first asked for; where there is no file and no variable, nothing is loaded for it. */
export function configOf(places: ConfigPlaces): () => Promise<Config> {
  let config: Promise<Config> | undefined;
  return () => (config ??= hasConfig(places) ? read(places) : Promise.resolve(none));
}

const none: Config = { values: {}, settings: [], warnings: [] };

function hasConfig(places: ConfigPlaces): boolean {
  const named = Object.keys(places.env).some((name) => name.startsWith("GANTRY_") && name !== "GANTRY_DEBUG");
  return named || configFiles(places).length > 0;
}

async function read(places: ConfigPlaces): Promise<Config> {
  const { loadConfig } = await import("./load-config.ts");
  return loadConfig(places);
}

/** The values of a command's options: what was typed, else what the configuration says, else the default. */
export function withSettings({ command, get, given }: Line, { settings }: Config): Line["get"] {
  return <T>(option: Option<T>): T => {
    if (option.setting === undefined || !command.options.includes(option) || given(option) !== undefined) {
      return get(option);
    }
    const setting = settings.find(({ name }) => name === option.setting);
    return setting ? option.read(setting.written) : get(option);
  };
}

/** The root where the working directory has gone: there is no project then. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
