import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gantryPath, run } from "../e2e/support/run.ts";
import { startDockerRegistry } from "../e2e/support/registries.ts";
import { homeIn } from "./support/clients.ts";
import { digits, spread } from "./support/report.ts";
import { median, rounds } from "./support/rounds.ts";
import type { Scenario } from "./support/scenario.ts";
import { scratch } from "./support/scratch.ts";

const none = "no file, no variable";
const configured = "a gantry.yaml without logins";
const many = "that, and ten places with five logins each, none of them for this registry";

/** How long it takes to look for a login in many places. */
export const credentials: Scenario = {
  name: "credentials",
  about:
    "From the start of `gantry digest` to its end, at a registry that refuses who has no login: every place where one may be is looked at. " +
    "The places are four files of Podman, Docker and our own, .dockercfg, .netrc, registry.json, gantry.yaml and two kinds of variables. " +
    "What reading gantry.yaml takes is on a line of its own, as every command pays that, whatever stands in it.",
  runs: 30,
  async run(settings) {
    const folder = scratch("memory");
    await using registry = await startDockerRegistry({ folder, htpasswd: { alice: "secret" } });
    const bare = await homeIn(folder);
    const plain = await withFiles(join(folder, "plain"), bare, { ".config/gantry/config.yaml": "retries: 5\n" });
    const full = await withLogins(join(folder, "full"), bare);
    const ending = (env: typeof bare) => async (): Promise<number> => {
      const before = performance.now();
      const { code, stderr } = await run(gantryPath, ["digest", `${registry.host}/app:1`], { env });
      if (code !== 4) throw new Error(`exit ${code} instead of 4\n${stderr}`);
      return performance.now() - before;
    };
    const contenders = [
      { name: none, run: ending(bare) },
      { name: configured, run: ending(plain) },
      { name: many, run: ending(full) },
    ];
    const samples = await rounds("credentials", contenders, settings);
    const ms = (name: string): readonly number[] => samples.get(name) ?? [];
    const added = (name: string, to: string): number => median(ms(name)) - median(ms(to));
    return {
      tables: [
        {
          title: "Milliseconds (least-most)",
          head: ["", "ms", "added"],
          rows: [
            [none, spread(ms(none)), ""],
            [configured, spread(ms(configured)), digits(added(configured, none))],
            [many, spread(ms(many)), digits(added(many, configured))],
          ],
        },
      ],
      goals: [{ what: "looking in ten places", value: added(many, configured), most: 10, unit: " ms" }],
    };
  },
};

type Environment = Readonly<Record<string, string | undefined>>;

/** A home in which every place has logins, for other registries. */
async function withLogins(home: string, env: Environment): Promise<Environment> {
  const auth = Buffer.from("alice:secret").toString("base64");
  const hosts = Array.from({ length: 5 }, (_, i) => `registry-${i}.example`);
  const logins = Object.fromEntries(hosts.map((host) => [host, { auth }]));
  const auths = JSON.stringify({ auths: logins });
  const runtime = join(home, "run");
  const files: Readonly<Record<string, string>> = {
    "run/containers/auth.json": auths,
    ".config/containers/auth.json": auths,
    ".config/gantry/auth.json": auths,
    ".docker/config.json": auths,
    ".dockercfg": JSON.stringify(logins),
    ".netrc": hosts.map((host) => `machine ${host} login alice password secret\n`).join(""),
    ".ossb/registry.json": JSON.stringify({
      registries: Object.fromEntries(hosts.map((host) => [host, { username: "alice", password: "secret" }])),
    }),
    ".config/gantry/config.yaml": JSON.stringify({
      credentials: Object.fromEntries(hosts.map((host) => [host, { username: "alice", password: "secret" }])),
    }),
  };
  return {
    ...(await withFiles(home, env, files)),
    XDG_RUNTIME_DIR: runtime,
    DOCKER_AUTH_CONFIG: auths,
    REGISTRY_EXAMPLE_USERNAME: "alice",
    REGISTRY_EXAMPLE_PASSWORD: "secret",
  };
}

async function withFiles(
  home: string,
  env: Environment,
  files: Readonly<Record<string, string>>,
): Promise<Environment> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(home, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o600 });
  }
  return { ...env, HOME: home };
}
