import { chmod, chown, lstat, open, readlink, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { doing } from "../files/file-error.ts";
import { withLock } from "../files/lock.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { readSecretFile } from "./secret-file.ts";
import { invalidLogin, parseSecretJson } from "./secret-json.ts";

/** The JSON object that a file of logins is. */
export type Config = Readonly<Record<string, unknown>>;

/**
 * Changes a file of logins into what `change` makes of it, while no other Gantry does; the same object leaves it alone. The file is replaced in one step, readable by its owner alone; a link keeps leading to it, and what
 * others keep there stays as it is. One that is not right throws INVALID and is not touched.
 */
export async function changeConfig(
  file: string,
  change: (config: Config) => Config,
  signal?: AbortSignal,
): Promise<void> {
  const target = await targetOf(resolve(file));
  await doing(`write ${file}`, async () => {
    await makeDirectories(dirname(target), 0o700);
    await withLock(`${target}.lock`, { what: file, ...(signal && { signal }) }, async () => {
      const { text = "" } = (await readSecretFile(file, signal)) ?? {};
      const config = parse(text, file);
      const changed = change(config);
      if (changed !== config) await replace(target, format(changed, text));
    });
  });
}

/** Numbers are written again as they were: not every number is one of JavaScript's. */
function parse(text: string, file: string): Config {
  const { rawJSON } = JSON as unknown as { rawJSON(this: void, text: string): unknown };
  return parseSecretJson(text, file, (_, value, { source }) => (typeof value === "number" ? rawJSON(source) : value));
}

/** As the file was indented; a new one as Docker and Podman indent theirs. */
function format(config: Config, before: string): string {
  const indent = before.trim() === "" ? "\t" : (/^\s*\{\r?\n([ \t]+)/.exec(before)?.[1] ?? "");
  return `${JSON.stringify(config, undefined, indent)}${before.endsWith("\n") ? "\n" : ""}`;
}

/** The file that is meant, where links lead to it, be it there or not. */
async function targetOf(file: string, hops = 0): Promise<string> {
  const isLink = await lstat(file).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return file;
  if (hops === 40) return invalidLogin(`${file}: its symbolic links lead in a circle`);
  return targetOf(resolve(dirname(file), await readlink(file)), hops + 1);
}

async function replace(target: string, text: string): Promise<void> {
  const before = await stat(target).catch(() => undefined);
  // One name, as one process at a time is here: what a killed one left does not stay.
  const unfinished = join(dirname(target), `.${basename(target)}.gantry`);
  await rm(unfinished, { force: true });
  try {
    const file = await open(unfinished, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (before) {
      await chmod(unfinished, before.mode & 0o600);
      // Who is root for another user leaves that user the owner.
      if (process.getuid?.() !== before.uid) await chown(unfinished, before.uid, before.gid).catch(() => {});
    }
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
