import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { ask } from "../../src/cli/prompt.ts";
import { login, password, scene } from "./login-scene.ts";
import { gantry as run, testRegistry } from "./support.ts";

describe("login", () => {
  test("keeps what the registry accepts; a pull then uses it; logout ends that", async () => {
    const { host, gantry, config, home } = await scene();
    expect((await gantry(`ls ${host}/app`)).code).toBe(4);
    const { code, stdout, stderr } = await gantry(login(host), { stdin: `${password}\n` });
    expect([code, stdout]).toEqual([0, `logged in to ${host}\n`]);
    expect(stderr).toBe(
      `warning: ${home}/.docker/config.json has it unencrypted; a credential helper (credsStore) would not\n`,
    );
    expect(Object.keys((await config()).auths)).toEqual([host]);
    expect(JSON.stringify(await config())).not.toContain(btoa(`alice:${password}`)); // An identity token stands for it.
    expect((await gantry(`ls ${host}/app`)).code).toBe(3);
    const ended = await gantry(`logout ${host}`);
    expect([ended.code, ended.stdout]).toEqual([
      0,
      `logged out of ${host}: ${home}/.docker/config.json: auths["${host}"]\n`,
    ]);
    expect((await gantry(`ls ${host}/app`)).code).toBe(4);
    expect(await gantry(`logout ${host}`)).toMatchObject({ code: 3, stderr: `there is no login for ${host}\n` });
  });

  test("keeps nothing that the registry refuses", async () => {
    const { host, gantry, home } = await scene();
    const { code, stdout, stderr } = await gantry(login(host), { stdin: "topsecret-wrong" });
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toMatch(/does not accept the user "alice" or the password[^]*nothing was kept/);
    expect(await readdir(home)).toEqual(["key", "users"]);
  });

  test("without a check keeps anything, and asks nobody", async () => {
    const { gantry, config } = await scene();
    const { code } = await gantry(`${login("nowhere.invalid")} --no-check`, { stdin: "pw" });
    expect(code).toBe(0);
    expect((await config()).auths).toEqual({ "nowhere.invalid": { auth: btoa("alice:pw") } });
  });

  test("of a path, in a named file", async () => {
    const { host, gantry, home } = await scene();
    await gantry(`${login(`${host}/team`)} --authfile ${home}/auth.json`, { stdin: password });
    expect(
      Object.keys((JSON.parse(await readFile(join(home, "auth.json"), "utf8")) as { auths: object }).auths),
    ).toEqual([`${host}/team`]);
    const at = async (place: string): Promise<number> =>
      (await gantry(`auth check ${place} --authfile ${home}/auth.json`)).code;
    expect([await at(`${host}/team/app`), await at(`${host}/other`), await at(host)]).toEqual([0, 4, 4]);
  });

  test.each([
    ["-p", (host: string) => [`login ${host} -u alice -p ${password}`, ""]],
    ["--identity-token", () => ["login nowhere.invalid --no-check --identity-token topsecret-id", ""]],
  ])("%s is accepted with a warning", async (option, words) => {
    const { host, gantry } = await scene();
    const [line, stdin] = words(host);
    const { code, stderr } = await gantry(line!, { stdin: stdin! });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(`warning: the shell's history and the list of processes show what follows ${option}`);
  });

  test("tokens are kept as what they are", async () => {
    const { gantry, config } = await scene();
    await gantry("login a.invalid --no-check --identity-token-stdin", { stdin: "id\n" });
    await gantry("login b.invalid --no-check --token-stdin", { stdin: "rt\n" });
    expect((await config()).auths).toMatchObject({
      "a.invalid": { identitytoken: "id" },
      "b.invalid": { registrytoken: "rt" },
    });
  });

  test("without a registry's name is for Docker Hub, under Docker's key", async () => {
    const { gantry, config } = await scene();
    const { stdout, stderr } = await gantry("login -u alice --password-stdin --no-check", { stdin: "pw" });
    expect(stderr).toContain("no registry named: this is for docker.io\n");
    expect(stdout).toBe("logged in to docker.io\n");
    expect(Object.keys((await config()).auths)).toEqual(["https://index.docker.io/v1/"]);
    expect(await gantry("logout registry-1.docker.io")).toMatchObject({ code: 0 });
  });

  test("a registry that lets everybody in says nothing about it", async () => {
    const { gantry } = await scene();
    const open = await testRegistry();
    const { code, stderr } = await gantry(login(open.host), { stdin: "any" });
    expect(code).toBe(0);
    expect(stderr).toContain(`warning: ${open.host} lets everybody in`);
  });

  test("another file that comes before it is told", async () => {
    const { host, gantry, home } = await scene();
    await mkdir(join(home, "run", "containers"), { recursive: true });
    const podman = join(home, "run", "containers", "auth.json");
    await writeFile(podman, JSON.stringify({ auths: { [host]: { auth: btoa("bob:x") } } }));
    const { stderr } = await gantry(`${login(host)} --compat docker`, { stdin: password });
    expect(stderr).toContain(`warning: ${podman}: auths["${host}"] comes before ${home}/.docker/config.json: auths`);
    const { stdout } = await gantry(`logout ${host}`);
    expect(stdout.split("\n")).toHaveLength(3); // Both, each on a line.
  });

  test("a file that is not right is not touched", async () => {
    const { host, gantry, home } = await scene();
    await mkdir(join(home, ".docker"));
    const file = join(home, ".docker", "config.json");
    await writeFile(file, '{"auths": {"x": {"auth": "topsecret"}},}');
    const before = await stat(file);
    for (const line of [login(host), `logout ${host}`]) {
      const { code, stderr } = await gantry(line, { stdin: password });
      expect(code).toBe(2);
      expect(stderr).toMatch(/config\.json is not valid JSON: line 1, column \d+/);
    }
    expect(await readFile(file, "utf8")).toBe('{"auths": {"x": {"auth": "topsecret"}},}');
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
  });

  test.each([
    ["login registry.example -u alice", "", /password is missing/],
    ["login registry.example", "", /user's name is missing/],
    ["login registry.example -u a:b --password-stdin", "pw", /no colon/],
    ["login registry.example -u alice --password-stdin", "", /no secret on stdin/],
    ["login registry.example -u alice --password-stdin --token-stdin", "pw", /exclude each other/],
    ["login registry.example --token-stdin", "topsecret\u0007", /no token has/],
    ["login alice", "", /"alice" does not name a registry/],
    ["login registry.example/Team", "", /"Team" cannot be a repository's path/],
    ["login registry.example/app:1.0", "", /cannot be a repository's path/],
    ["login registry.example -u alice --password-stdin --compat crane", "pw", /neither docker nor podman/],
    ["logout registry.example --all", "", /exclude each other/],
  ])("%s is a mistake", async (line, stdin, message) => {
    const { gantry, home } = await scene();
    const { code, stderr } = await gantry(line, { stdin });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(await readdir(home)).toEqual(["key", "users"]);
  });

  test("of all ends all", async () => {
    const { gantry, config } = await scene();
    for (const host of ["a.invalid", "b.invalid/team"]) await gantry(`${login(host)} --no-check`, { stdin: "pw" });
    expect(await gantry("logout --all")).toMatchObject({ code: 0 });
    expect((await config()).auths).toEqual({});
    expect(await gantry("logout --all")).toMatchObject({ code: 3, stderr: "there is no login\n" });
  });
});

describe("on a terminal", () => {
  test("the user is asked for, and the password unseen", async () => {
    const { host, home } = await scene();
    const shown = { text: "" };
    const typist = terminal();
    const answers = [
      ["User of", "alice\r"],
      ["Password of alice", `${password}\r`],
    ];
    const { code } = await run(["login", host], {
      env: { HOME: home, XDG_RUNTIME_DIR: home },
      stdin: typist,
      terminal: 80,
      onStderr(text) {
        shown.text += text;
        if (answers[0] && shown.text.includes(answers[0][0]!)) typist.push(answers.shift()![1]);
      },
    });
    expect(code, shown.text).toBe(0);
    expect(shown.text).toContain("Password of alice: \n");
    expect(shown.text).not.toContain(password);
  });

  test.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ])("%s is the end", async (_, key) => {
    const stdin = terminal();
    const stderr = Object.assign(terminal(), { isTTY: true });
    const asked = ask(
      "? ",
      { stdin, stdout: stderr, stderr, env: {} },
      { hidden: true, signal: AbortSignal.timeout(5000) },
    );
    stdin.push(key);
    await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("a password on stdin", () => {
  test.each([
    ["blob put HOST/app FILE", "sha256:"],
    ["apply FILE", "is missing"],
    ["sync FILE", "version: is missing"],
    ["retain --policy FILE HOST/app", "policy"],
    ["tags plan --rules FILE HOST/app", "404"],
    ["promote --file FILE --to HOST/app", 'invalid reference "{}"'],
  ])("goes with a file that is read: %s", async (line, said) => {
    const { host, home, gantry } = await scene();
    const file = join(home, "input.json");
    await writeFile(file, "{}");
    const words = line.replaceAll("HOST", host).replaceAll("FILE", file);
    const { stdout, stderr } = await gantry(`${words} --creds alice --password-stdin`, { stdin: password });
    expect(stderr).not.toContain("stdin cannot");
    expect(stdout + stderr).toContain(said);
    const both = await gantry(`${words.replace(file, "-")} --creds alice --password-stdin`, { stdin: password });
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("stdin cannot be both")]);
  });
});

/** Something to type on. */
function terminal(): Duplex & { readonly isTTY: true } {
  const stream = new Duplex({ read: () => {}, write: (_piece, _encoding, done) => done() });
  return Object.assign(stream, { isTTY: true as const, setRawMode: () => stream });
}
