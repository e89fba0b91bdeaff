import { hashSync } from "bcryptjs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { htpasswdAccess } from "../../src/server/index.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry as run, testRegistry, type CliOptions, type Ended } from "./support.ts";

/** The password of alice. */
export const password = "topsecret-password";

/** A registry with users, and the home of one of them. */
export interface Scene {
  readonly host: string;
  readonly home: string;
  /** Runs a command line as a user with this home; no output may have a secret. */
  readonly gantry: (line: string, options?: CliOptions) => Promise<Ended>;
  readonly config: () => Promise<{ readonly auths: Readonly<Record<string, Readonly<Record<string, string>>>> }>;
}

/** Starts a registry that alice may use, for a home without logins. */
export async function scene(): Promise<Scene> {
  const home = await temporaryDirectory();
  await writeFile(join(home, "users"), `alice:${hashSync(password, 4)}\n`);
  const { host } = await testRegistry({
    access: htpasswdAccess({ file: join(home, "users"), keyFile: join(home, "key") }),
  });
  return {
    host,
    home,
    async gantry(line, options = {}) {
      const env = { HOME: home, XDG_RUNTIME_DIR: join(home, "run"), ...options.env };
      const ended = await run(line.split(" "), { ...options, env });
      expect(ended.stderr).not.toContain("topsecret");
      if (!line.startsWith("auth token") && !line.startsWith("auth helper"))
        expect(ended.stdout).not.toContain("topsecret");
      return ended;
    },
    config: async () => JSON.parse(await readFile(join(home, ".docker", "config.json"), "utf8")) as never,
  };
}

/** The command that logs alice in, her password on stdin. */
export const login = (host: string): string => `login ${host} -u alice --password-stdin`;
