import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { credentialHelper, parseUserPassword } from "../src/index.ts";
import { makeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, type Outcome, run, start } from "./support/run.ts";

const password = "correct horse";
const path = process.env["PATH"]!;

let work: string;
let registry: RunningRegistry;
let host: string;
let home: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-credentials-"));
  home = join(work, "home");
  registry = await startGantryRegistry({ htpasswd: { ann: password } });
  ({ host } = registry);
  await makeImage(join(work, "layout"), { tag: "v1" });
  const push = ["copy", "--creds", `ann:${password}`, `oci:${join(work, "layout")}:v1`, `${host}/team/app:v1`];
  await must(run(gantryPath, push, { env: clean() }));
});
afterEach(() => rm(home, { recursive: true, force: true }));
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

/** This process's environment without what has to do with logins, and with a home of its own. */
function clean(): Record<string, string | undefined> {
  const names = Object.keys(process.env).filter((name) =>
    /^(GANTRY_|DOCKER_|CI_|REGISTRY_AUTH|XDG_|NETRC|GITHUB_|GH_)/.test(name),
  );
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), HOME: home };
}

async function digest(env: Record<string, string | undefined> = {}, ...options: readonly string[]): Promise<Outcome> {
  return await run(gantryPath, ["digest", ...options, `${host}/team/app:v1`], { env: { ...clean(), ...env } });
}

async function inHome(name: string, text: string, mode = 0o600): Promise<string> {
  const file = join(home, name);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

function dockerConfig(config: unknown): Promise<string> {
  return inHome(".docker/config.json", JSON.stringify(config));
}

const auth = (user: string): unknown => ({ auths: { [host]: { auth: Buffer.from(user).toString("base64") } } });
const granted = { code: 0, stderr: "" };

describe("the built command line logs in", () => {
  test("not at all where there is no login", async () => {
    expect(await digest()).toMatchObject({ code: 4 });
  });

  test("by variables of the host, as a shell can set them, and by Gantry's own", async () => {
    const prefix = `_${host.replace(/[.:]/g, "_")}`;
    const script = `export ${prefix}_TEAM_USERNAME=ann ${prefix}_TEAM_PASSWORD='${password}'; exec "$0" digest ${host}/team/app:v1`;
    expect(await run("sh", ["-c", script, gantryPath], { env: clean() })).toMatchObject(granted);
    const own = { GANTRY_USERNAME: "ann", GANTRY_PASSWORD: password };
    expect(await digest({ ...own, GANTRY_REGISTRY: host })).toMatchObject(granted);
    expect(await digest({ ...own, GANTRY_REGISTRY: "other.example" })).toMatchObject({ code: 4 });
    const unscoped = await digest(own);
    expect(unscoped).toMatchObject({ code: 2, stdout: "" });
    expect(unscoped.stderr).toContain("GANTRY_REGISTRY");
    expect(unscoped.stderr).not.toContain(password);
  });

  test("by GitLab's variables, and by DOCKER_AUTH_CONFIG", async () => {
    const gitlab = { CI_REGISTRY: host, CI_REGISTRY_USER: "ann", CI_REGISTRY_PASSWORD: password };
    expect(await digest(gitlab)).toMatchObject(granted);
    expect(await digest({ DOCKER_AUTH_CONFIG: JSON.stringify(auth(`ann:${password}`)) })).toMatchObject(granted);
  });

  test("by netrc, with a warning where others can read it", async () => {
    const file = await inHome(".netrc", `machine ${host}\n  login ann\n  password "${password}"\n`);
    expect(await digest()).toMatchObject(granted);
    await chmod(file, 0o644);
    const { code, stderr } = await digest();
    expect(code).toBe(0);
    expect(stderr).toBe(
      `warning: ${host}: every user of this machine can read the login in ${file}: chmod 600 ${file}\n`,
    );
  });

  test("by registry.json, ~/.dockercfg, and what is named for this run before all others", async () => {
    await inHome(".ossb/registry.json", JSON.stringify({ registries: { [host]: { username: "ann", password } } }));
    expect(await digest()).toMatchObject(granted);
    const wrong = await inHome("wrong.json", JSON.stringify(auth("ann:wrong")));
    expect(await digest({}, "--authfile", wrong)).toMatchObject({ code: 4 });
    expect(await digest({ REGISTRY_AUTH_FILE: wrong })).toMatchObject({ code: 4 });
    await rm(home, { recursive: true });
    await inHome(".dockercfg", JSON.stringify((auth(`ann:${password}`) as { auths: unknown }).auths));
    expect(await digest()).toMatchObject(granted);
  });

  test("by a helper, whose failure is told in full", async () => {
    await inHome("bin/docker-credential-mine", `#!/bin/sh\necho '{"Username":"ann","Secret":"${password}"}'\n`, 0o755);
    await inHome("bin/docker-credential-bad", "#!/bin/sh\necho 'the keyring is locked'; exit 1\n", 0o755);
    const env = { PATH: `${join(home, "bin")}:${path}` };
    await dockerConfig({ credHelpers: { [host]: "mine" } });
    expect(await digest(env)).toMatchObject(granted);
    const file = await dockerConfig({ credsStore: "bad" });
    const { code, stderr } = await digest(env);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `docker-credential-bad, named in ${file}: credsStore, could not get the login for ${host}: the keyring is locked`,
    );
  });

  test("with a helper that hangs, and ends it when interrupted", async () => {
    await inHome("bin/docker-credential-slow", `#!/bin/sh\necho $$ >'${home}/pid'; sleep 600\n`, 0o755);
    await dockerConfig({ credsStore: "slow" });
    const env = { ...clean(), PATH: `${join(home, "bin")}:${path}` };
    const running = start(gantryPath, ["digest", `${host}/team/app:v1`], { env });
    const pid = await vi.waitFor(
      async () => Number(/^\d+\n/.exec(await readFile(join(home, "pid"), "utf8"))![0]),
      20_000,
    );
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), 10_000);
  });
});

describeWith("docker-credential-pass", "docker-credential-pass, of others", () => {
  let env: Record<string, string>;
  beforeAll(async () => {
    // The path of the agent's socket must be short.
    const folder = await mkdtemp("/tmp/gantry-pass-");
    env = { GNUPGHOME: join(folder, "gpg"), PASSWORD_STORE_DIR: join(folder, "pass"), HOME: folder, PATH: path };
    await mkdir(env["GNUPGHOME"]!, { mode: 0o700 });
    await must(
      run(
        "gpg",
        ["--batch", "--passphrase", "", "--quick-gen-key", "gantry@registry.example", "default", "default", "never"],
        { env },
      ),
    );
    await must(run("pass", ["init", "gantry@registry.example"], { env }));
  });
  afterAll(async () => {
    await run("gpgconf", ["--kill", "all"], { env });
    await rm(env["HOME"]!, { recursive: true, force: true });
  });

  test("keeps a login, which the command line finds, and forgets it", async () => {
    expect(peer("docker-credential-pass")).toBeDefined();
    const helper = credentialHelper("pass", "the test", { env });
    expect(await helper.get(host)).toBeUndefined();
    await helper.store(host, parseUserPassword(`ann:${password}`, "it"));
    await helper.store("other.example", parseUserPassword("<token>:abc", "it"));
    expect(await helper.list()).toEqual({ [host]: "ann", "other.example": "<token>" });
    expect(await helper.get("other.example")).toMatchObject({ kind: "identity" });

    await dockerConfig({ auths: { [host]: {} }, credsStore: "pass" });
    const { GNUPGHOME, PASSWORD_STORE_DIR } = env;
    expect(await digest({ GNUPGHOME, PASSWORD_STORE_DIR })).toMatchObject(granted);
    await helper.erase(host);
    expect(await helper.get(host)).toBeUndefined();
    expect(await digest({ GNUPGHOME, PASSWORD_STORE_DIR })).toMatchObject({ code: 4 });
  });
});
