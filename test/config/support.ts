import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ConfigPlaces } from "../../src/config/places.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** A machine with a home directory, a project in it and a place for the system's file, all of them the test's own. */
export interface Machine extends ConfigPlaces {
  readonly root: string;
  readonly systemFile: string;
  readonly userFile: string;
  readonly projectFile: string;
}

/** Makes such a machine; the texts are what its files say, none is no file. */
export async function machine(
  texts: { readonly project?: string; readonly user?: string; readonly system?: string } = {},
  env: ConfigPlaces["env"] = {},
): Promise<Machine> {
  const root = await temporaryDirectory();
  const home = join(root, "home");
  const made = {
    root,
    home,
    env,
    cwd: join(home, "project"),
    systemFile: join(root, "etc", "gantry", "config.yaml"),
    userFile: join(home, ".config", "gantry", "config.yaml"),
    projectFile: join(home, "project", "gantry.yaml"),
  };
  await mkdir(made.cwd, { recursive: true });
  const files = { [made.projectFile]: texts.project, [made.userFile]: texts.user, [made.systemFile]: texts.system };
  for (const [path, text] of Object.entries(files)) if (text !== undefined) await put(path, text);
  return made;
}

/** Writes a file that only its owner can read, and the directories it is in. */
export async function put(path: string, text: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** What an asynchronous call rejects with. */
export async function rejection(
  work: Promise<unknown>,
): Promise<Error & { readonly code?: string; readonly hint?: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
