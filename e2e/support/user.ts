import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expect } from "vitest";
import { peer, type PeerName } from "./peers.ts";
import { gantryPath, run, type Outcome, type RunOptions } from "./run.ts";

/** A password that is right, and one that is not. */
export const password = "correct horse";
export const wrong = "wrong donkey";

/** A login of another registry: without any, the docker client takes the machine's own password store. */
export const another = { "other.example": { auth: "eDp5" } };

/** Somebody who logs in, with a home of their own. */
export interface User {
  readonly home: string;
  /** A path below the home. */
  readonly at: (path: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gantry: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  readonly peer: (name: PeerName, args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  /** Writes a text, or anything else as JSON, and answers where. */
  readonly write: (path: string, content: unknown) => Promise<string>;
}

/** Gives somebody an empty home below a folder; `bin` there comes first on the PATH. No output of theirs may have a password. */
export async function openUser(folder: string): Promise<User> {
  const home = await mkdtemp(join(folder, "u-"));
  const at = (path: string): string => join(home, path);
  for (const folder of ["bin", "run", "tmp"]) await mkdir(at(folder));
  const env = {
    HOME: home,
    XDG_RUNTIME_DIR: at("run"),
    XDG_CONFIG_HOME: undefined,
    DOCKER_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined,
    TMPDIR: at("tmp"),
    PATH: `${at("bin")}${delimiter}${process.env["PATH"]}`,
  };
  const secretive = async (running: Promise<Outcome>): Promise<Outcome> => {
    const ended = await running;
    for (const text of [ended.stdout, ended.stderr])
      for (const word of [password, wrong]) expect(text).not.toContain(word);
    return ended;
  };
  return {
    home,
    at,
    env,
    gantry: (args, options) => secretive(run(gantryPath, args, { env, ...options })),
    peer: (name, args, options) => run(peer(name)!.path, args, { env, timeout: 110_000, ...options }),
    async write(path, content) {
      await mkdir(join(at(path), ".."), { recursive: true });
      await writeFile(at(path), typeof content === "string" ? content : JSON.stringify(content));
      return at(path);
    },
  };
}
