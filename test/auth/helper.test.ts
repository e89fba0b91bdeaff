import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { credentialHelper, type Helper } from "../../src/auth/helper.ts";
import { userPassword } from "../../src/auth/credential.ts";
import { helperLogins } from "../../src/auth/helper-logins.ts";
import { Secret } from "../../src/auth/secret.ts";
import { lineOf } from "../contract/credentials.ts";
import { instantClock } from "../support/instant-clock.ts";
import { programs } from "../support/programs.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const declared = '/home/ann/.docker/config.json: credHelpers["r.example"]';

async function helper(script: string, timeout = 20_000): Promise<Helper> {
  const { PATH } = await programs({ "docker-credential-mine": script });
  return credentialHelper("mine", declared, { env: { PATH }, timeout });
}

describe("get", () => {
  const answer = (fields: unknown): string => `cat >/dev/null; echo '${JSON.stringify(fields)}'`;

  test.each<[string, string, string]>([
    ["a login", answer({ ServerURL: "r.example", Username: "ann", Secret: "pw" }), "basic ann:pw"],
    ["an identity token", answer({ ServerURL: "r.example", Username: "<token>", Secret: "abc" }), "identity abc"],
    ["an empty secret", answer({ ServerURL: "r.example", Username: "", Secret: "" }), "none"],
    ["none, on stdout", 'echo "credentials not found in native keychain"; exit 1', "none"],
    ["no server", 'echo "no credentials server URL"; exit 1', "none"],
    ["no user", 'echo "no credentials username"; exit 1', "none"],
    ["a login, without reading what is asked", `echo '{"Username":"ann","Secret":"pw"}'`, "basic ann:pw"],
    ["a login, with words on stderr", `echo oops >&2; echo '{"Username":"ann","Secret":"pw"}'`, "basic ann:pw"],
  ])("%s", async (_, script, expected) => {
    expect(lineOf(await (await helper(script)).get("r.example"))).toBe(expected);
  });

  test("is asked for the server on stdin, by one argument, and says where it is from", async () => {
    const script = `read -r server; printf '{"Username":"%s","Secret":"%s"}' "$*" "$server"`;
    const credential = await (await helper(script)).get("https://r.example/v1/");
    expect(lineOf(credential)).toBe("basic get:https://r.example/v1/");
    expect(credential?.origin).toBe(`${declared} (docker-credential-mine)`);
  });

  test.each<[string, string, RegExp]>([
    [
      "fails with words on stdout",
      "echo 'pass not initialized: exit status 1'; exit 1",
      /could not get the login for r\.example: pass not initialized: exit status 1$/,
    ],
    [
      "fails with words on stderr",
      "echo 'no keyring' >&2; exit 2",
      /could not get the login for r\.example: no keyring$/,
    ],
    ["is killed", "kill -9 $$", /could not get the login for r\.example: it was killed$/],
    ["fails without words", "exit 3", /could not get the login for r\.example: exit 3$/],
    [
      "fails after the login",
      `echo '{"Username":"ann","Secret":"s3cret"}'; exit 1`,
      /could not get the login for r\.example: exit 1$/,
    ],
    ["says garbage", "echo s3cret", /answered get with something that is not a JSON object$/],
    ["says nothing", "exit 0", /answered get with something that is not a JSON object$/],
    ["says a list", `echo '["s3cret"]'`, /answered get with something that is not a JSON object$/],
    ["says no secret", `echo '{"Username":"ann","Password":"s3cret"}'`, /answered get with no Secret for r\.example$/],
    ["drives the terminal", String.raw`printf 'a\033[31mb\n'; exit 1`, /: a \[31mb$/],
    [
      "never stops writing",
      "while :; do echo s3crets3crets3crets3crets3crets3crets3crets3cret; done",
      /wrote more than 1 MiB when asked to get the login/,
    ],
  ])("one that %s is INVALID, with names and no secret", async (_, script, message) => {
    const error: unknown = await (await helper(script)).get("r.example").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringMatching(message) as string });
    expect((error as Error).message).toContain(`docker-credential-mine, named in ${declared},`);
    expect(String(error) + (error as { hint: string }).hint).not.toContain("s3cret");
  });

  test("one that hangs is ended with its children, as one that nobody waits for is", async () => {
    const folder = await temporaryDirectory();
    const script = `echo $$ >'${folder}/parent'; sleep 600 & echo $! >'${folder}/child'; wait`;
    const gone = async (name: string): Promise<boolean> => {
      const pid = Number(await readFile(join(folder, name), "utf8"));
      return await readFile(`/proc/${pid}/stat`, "utf8").then(
        (stat) => / [ZX] /.test(stat),
        () => true,
      );
    };
    await expect((await helper(script, 1000)).get("r.example")).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/did not get the login for r\.example within 1 seconds$/) as string,
    });
    await vi.waitFor(async () => expect([await gone("parent"), await gone("child")]).toEqual([true, true]), 10_000);

    const stop = new AbortController();
    const waiting = (await helper(script.replaceAll("parent", "second"))).get("r.example", stop.signal);
    waiting.catch(() => {});
    await vi.waitFor(() => readFile(join(folder, "second"), "utf8").then((pid) => expect(pid).toMatch(/\d\n/)), 10_000);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    await vi.waitFor(async () => expect(await gone("second")).toBe(true), 10_000);
  });

  test("what one leaves behind, holding its pipes, is not waited for", async () => {
    const file = join(await temporaryDirectory(), "left");
    const one = await helper(`echo '{"Username":"ann","Secret":"pw"}'; sleep 600 & echo $! >'${file}'`);
    expect(lineOf(await one.get("r.example"))).toBe("basic ann:pw");
    process.kill(Number(await readFile(file, "utf8")));
  });
});

describe("the program", () => {
  test.each(["../evil", "a/b", "a b", "", "$(id)", "a;b"])("%j is no name", async (name) => {
    const { PATH } = await programs({});
    await expect(credentialHelper(name, declared, { env: { PATH } }).get("r.example")).rejects.toMatchObject({
      code: "INVALID",
      message: `${declared} names the helper ${JSON.stringify(name)}, which is no name`,
    });
  });

  test("that is missing, is named", async () => {
    const { PATH } = await programs({});
    await expect(credentialHelper("gone", declared, { env: { PATH } }).get("r.example")).rejects.toMatchObject({
      code: "INVALID",
      message: `docker-credential-gone, named in ${declared}, is not in PATH`,
      hint: `install docker-credential-gone, or take it out of ${declared}`,
    });
  });

  test("is not looked for in the current directory, nor is what is no program", async () => {
    const { folder } = await programs({ "docker-credential-mine": "echo '{}'" });
    await writeFile(join(folder, "docker-credential-text"), "echo");
    for (const [name, PATH] of [
      ["mine", ".:"],
      ["mine", ""],
      ["text", folder],
    ] as const) {
      await expect(credentialHelper(name, declared, { env: { PATH } }).get("r.example")).rejects.toThrow(
        "is not in PATH",
      );
    }
  });

  test("that cannot be started is named", async () => {
    const { folder } = await programs({});
    await writeFile(join(folder, "docker-credential-broken"), "#!/no/such/interpreter\n", { mode: 0o755 });
    await expect(
      credentialHelper("broken", declared, { env: { PATH: folder } }).get("r.example"),
    ).rejects.toMatchObject({ code: "INVALID", message: expect.stringContaining("cannot be run (ENOENT)") as string });
  });
});

describe("store, erase and list", () => {
  test("go by the protocol", async () => {
    const folder = await temporaryDirectory();
    const one = await helper(`printf '%s ' "$1" >>'${folder}/log'; cat >>'${folder}/log'; echo >>'${folder}/log'`);
    await one.store("r.example", userPassword("ann", 'p"w'));
    await one.store("r.example", { kind: "identity", token: new Secret("abc") });
    await one.erase("r.example");
    expect((await readFile(join(folder, "log"), "utf8")).trimEnd().split("\n")).toEqual([
      String.raw`store {"ServerURL":"r.example","Username":"ann","Secret":"p\"w"}`,
      'store {"ServerURL":"r.example","Username":"<token>","Secret":"abc"}',
      "erase r.example",
    ]);
  });

  test("list gives the users by server", async () => {
    const users = { "https://index.docker.io/v1/": "ann", "r.example": "<token>" };
    expect(await (await helper(`echo '${JSON.stringify(users)}'`)).list()).toEqual(users);
    expect(await (await helper("echo '{}'")).list()).toEqual({});
  });

  test("to erase what is not kept is no failure, to store a token used as it is is none of theirs", async () => {
    await (await helper('echo "credentials not found in native keychain"; exit 1')).erase("r.example");
    await expect(
      (await helper("exit 0")).store("r.example", { kind: "bearer", token: new Secret("s3cret") }),
    ).rejects.toMatchObject({ code: "INVALID" });
  });

  test("a failure does not repeat what was to be stored", async () => {
    const one = await helper('echo "cannot keep $(cat)"; exit 1');
    const error: unknown = await one
      .store("r.example", userPassword("ann", 's3cr"et'))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringContaining("cannot keep") as string });
    expect(String(error)).not.toContain("s3cr");
  });
});

describe("logins from helpers", () => {
  const counting = (folder: string): string =>
    `read -r server; echo "$server" >>'${folder}/calls'; [ "$server" = fails ] && exit 1
     [ "$server" = none ] && { echo "credentials not found in native keychain"; exit 1; }
     printf '{"Username":"ann","Secret":"%s"}' "$server"`;
  const calls = async (folder: string): Promise<string[]> =>
    (await readFile(join(folder, "calls"), "utf8")).trimEnd().split("\n");

  test("are asked for once by all who want them, and kept for a while", async () => {
    const folder = await temporaryDirectory();
    const { PATH } = await programs({ "docker-credential-mine": counting(folder) });
    let now = 0;
    const logins = helperLogins({ env: { PATH }, clock: { ...instantClock(), now: () => now } });
    const find = (...servers: string[]): Promise<unknown> => logins.find("mine", declared, servers);
    await Promise.all([find("none", "r.example"), find("none", "r.example"), find("none", "r.example")]);
    expect(await find("r.example")).toMatchObject({ username: "ann" });
    expect(await calls(folder)).toEqual(["none", "r.example"]);
    now += 61_000;
    await find("r.example");
    expect(await calls(folder)).toEqual(["none", "r.example", "r.example"]);
  });

  test("a failure is not kept, nor is one given up", async () => {
    const folder = await temporaryDirectory();
    const { PATH } = await programs({ "docker-credential-mine": counting(folder) });
    const logins = helperLogins({ env: { PATH } });
    for (let i = 0; i < 2; i += 1) await expect(logins.find("mine", declared, ["fails"])).rejects.toThrow("exit 1");
    expect(await calls(folder)).toEqual(["fails", "fails"]);
    const stop = new AbortController();
    const waiting = logins.find("mine", declared, ["r.example"], stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    expect(await logins.find("mine", declared, ["r.example"])).toMatchObject({ username: "ann" });
  });

  test("one who gives up does not end it for the others", async () => {
    const folder = await temporaryDirectory();
    const { PATH } = await programs({ "docker-credential-mine": counting(folder) });
    const logins = helperLogins({ env: { PATH } });
    const stop = new AbortController();
    const first = logins.find("mine", declared, ["r.example"], stop.signal);
    const second = logins.find("mine", declared, ["r.example"]);
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect(await second).toMatchObject({ username: "ann" });
    expect(await calls(folder)).toEqual(["r.example"]);
  });
});
