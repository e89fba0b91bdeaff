import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, run, start, type Outcome } from "./support/run.ts";
import { another, openUser, password, type User } from "./support/user.ts";

// What becomes of a login that is kept: in files as they can be, with helpers as they can be, from a terminal.
let work: string;
beforeAll(async () => void (work = await mkdtemp(join(tmpdir(), "gantry-login-"))));
afterAll(() => rm(work, { recursive: true, force: true }));
const user = (): Promise<User> => openUser(work);

describe("the file", () => {
  const noCheck = ["login", "registry.example", "-u", "alice", "--password-stdin", "--no-check"];

  test("of two logins at once has both", async () => {
    const { gantry, at } = await user();
    const hosts = Array.from({ length: 6 }, (_, i) => `r${i}.example`);
    const login = (host: string): Promise<Outcome> =>
      gantry(["login", host, "-u", "alice", "--password-stdin", "--no-check"], { stdin: password });
    await Promise.all(hosts.map((host) => must(login(host))));
    const { auths } = JSON.parse(await readFile(at(".docker/config.json"), "utf8")) as { auths: object };
    expect(Object.keys(auths).sort()).toEqual(hosts);
  });

  test("is whole whenever a login is killed", async () => {
    const { gantry, at, env, write } = await user();
    const padding = "x".repeat(3_000_000);
    const file = await write(".docker/config.json", { auths: another, padding });
    for (const ms of [0, 20, 40, 60, 80, 100, 120]) {
      const running = start(gantryPath, noCheck, { env, stdin: password });
      const timer = setTimeout(() => running.kill("SIGKILL"), ms);
      await running.ended.finally(() => clearTimeout(timer));
      expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ auths: another, padding });
    }
    await must(gantry(noCheck, { stdin: password }));
    expect(await readdir(at(".docker"))).toEqual(["config.json"]);
  });

  test("in a directory that is read-only is told, and stays", async () => {
    const { at, env, write, home } = await user();
    await write(".docker/config.json", { auths: another });
    // Root may write everywhere.
    const isRoot = process.getuid?.() === 0;
    const id = "65534";
    if (isRoot)
      for (const path of [home, at(".docker"), at(".docker/config.json")]) await chown(path, Number(id), Number(id));
    if (isRoot) await chmod(work, 0o755);
    await chmod(at(".docker"), 0o500);
    onTestFinished(() => chmod(at(".docker"), 0o700));
    const nobody = ["setpriv", "--reuid", id, "--regid", id, "--clear-groups"];
    const [command, ...args] = [...(isRoot ? nobody : []), gantryPath, ...noCheck];
    const { code, stderr } = await run(command!, args, { env, stdin: password });
    expect([code, stderr]).toEqual([4, expect.stringMatching(/cannot write .*config\.json: permission denied/)]);
    expect(JSON.parse(await readFile(at(".docker/config.json"), "utf8"))).toEqual({ auths: another });
  });

  test("that cannot be read is told, and stays", async () => {
    const { gantry, at } = await user();
    await mkdir(at(".docker/config.json"), { recursive: true });
    const { code, stderr } = await gantry(noCheck, { stdin: password });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/config\.json is not a file/)]);
  });
});

describe("a credential helper", () => {
  const script = async ({ at }: User, body: string): Promise<void> => {
    await writeFile(at("bin/docker-credential-test"), `#!/bin/sh\n${body}\n`);
    await chmod(at("bin/docker-credential-test"), 0o755);
  };
  const login = (somebody: User, host = "registry.example"): Promise<Outcome> =>
    somebody.gantry(["login", host, "-u", "alice", "--password-stdin", "--no-check"], { stdin: password });

  test("that the file names keeps the login, and the file does not", async () => {
    const somebody = await user();
    await script(somebody, `case $1 in store) cat > "$HOME/kept";; get) cat "$HOME/kept";; esac`);
    const file = await somebody.write(".docker/config.json", { credsStore: "test" });
    await must(login(somebody));
    expect(JSON.parse(await readFile(somebody.at("kept"), "utf8"))).toEqual({
      ServerURL: "registry.example",
      Username: "alice",
      Secret: password,
    });
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ credsStore: "test", auths: { "registry.example": {} } });
  });

  test.each([
    ["fails", "cat >&2; exit 7", /docker-credential-test.* could not store the login .*: exit 7/],
    [
      "answers nonsense",
      `case $1 in store) cat > /dev/null;; *) echo "<html>";; esac`,
      /docker-credential-test.* answered get with something that is not a JSON object/,
    ],
  ])("that %s is told, and the file stays as it is", async (_, body, message) => {
    const somebody = await user();
    await script(somebody, body);
    const file = await somebody.write(".docker/config.json", { credsStore: "test" });
    const { code, stderr } = await login(somebody);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(await readFile(file, "utf8")).toBe('{"credsStore":"test"}');
  });

  test("that hangs is left by Ctrl-C, and does not outlive it", async () => {
    const somebody = await user();
    await script(somebody, `echo $$ > "$HOME/pid"; sleep 600`);
    await somebody.write(".docker/config.json", { credsStore: "test" });
    const args = ["login", "registry.example", "-u", "alice", "--password-stdin", "--no-check"];
    const running = start(gantryPath, args, { env: somebody.env, stdin: password });
    await expect.poll(() => readFile(somebody.at("pid"), "utf8").catch(() => ""), { timeout: 20_000 }).toMatch(/\d\n/);
    const pid = Number(await readFile(somebody.at("pid"), "utf8"));
    process.kill(running.pid, "SIGINT");
    expect((await running.ended).code).toBe(130);
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a password is asked for on the terminal, and not shown", async () => {
  const { env } = await user();
  await using registry = await startGantryRegistry({ htpasswd: { alice: password } });
  // script(1) is a terminal for the command, and shows what that shows.
  const command = `${gantryPath} login ${registry.host} -u alice`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, ...env }, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let shown = "";
  child.stdout.on("data", (piece: Buffer) => {
    const before = shown;
    shown += piece.toString();
    const asked = (text: string): boolean => text.includes("Password of alice: ");
    if (asked(shown) && !asked(before)) child.stdin.write(`${password}\r`);
  });
  const [code] = (await once(child, "exit")) as [number];
  expect(code, shown).toBe(0);
  expect(shown).toContain(`logged in to ${registry.host}`);
  expect(shown).not.toContain(password);
});
