import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { login, password, scene, type Scene } from "./login-scene.ts";
import { testRegistry, type Ended } from "./support.ts";

describe("auth", () => {
  const withLogin = async (): Promise<Scene> => {
    const made = await scene();
    await made.gantry(login(made.host), { stdin: password });
    return made;
  };

  test("why says where the login is from and what it is allowed", async () => {
    const { host, gantry, home } = await withLogin();
    const { code, stdout } = await gantry(`auth why --push ${host}/app:1 --format json`);
    expect(code).toBe(0);
    const { sources, ...rest } = JSON.parse(stdout) as { readonly sources: readonly unknown[] };
    expect(sources).toEqual(
      expect.arrayContaining([
        { source: `${home}/.config/gantry/auth.json`, outcome: "nothing" },
        { source: `${home}/run/containers/auth.json`, outcome: "nothing" },
        { source: `${home}/.docker/config.json`, outcome: "used" },
        { source: `${home}/.dockercfg`, outcome: "not asked" },
      ]),
    );
    expect(rest).toMatchObject({
      name: `${host}/app`,
      action: "push",
      credential: { kind: "identity", origin: `${home}/.docker/config.json: auths["${host}"]` },
      challenge: { scheme: "bearer", realm: `http://${host}/token` },
      asked: ["repository:app:pull,push"],
      granted: ["repository:app:pull,push"],
      status: 200,
      access: true,
    });
    expect((await gantry(`auth why ${host}/app:1`)).stdout).toContain(`${host}/app: pull allowed`);
  });

  test("why says what was refused, in words and by its exit code", async () => {
    const { host, gantry } = await scene();
    const { code, stdout } = await gantry(`auth why ${host}/app:1 --creds alice:topsecret-wrong`);
    expect(code).toBe(4);
    expect(stdout).toMatch(
      /--creds +used[^]*From +--creds[^]*User +alice[^]*no pull: .* does not accept the user "alice"/,
    );
    expect((await gantry(`auth why ${host}/app:1`)).code).toBe(4);
  });

  test("a refusal names the login and leads there", async () => {
    const { host, gantry } = await scene();
    const { stderr } = await gantry(`digest ${host}/app:1 --creds alice:topsecret-wrong`);
    expect(stderr).toMatch(/login +--creds\n/);
    expect(stderr).toMatch(`next    gantry auth why ${host}/app:1\n`);
    expect((await gantry(`digest ${host}/app:1`)).stderr).toMatch(`next    gantry login ${host}\n`);
  });

  test("check asks about the login there is, or the one given", async () => {
    const { host, gantry } = await withLogin();
    expect(await gantry(`auth check ${host}`)).toMatchObject({ code: 0, stdout: expect.stringContaining("accepts") });
    expect(await gantry(`auth check ${host} --creds alice --password-stdin`, { stdin: password })).toMatchObject({
      code: 0,
    });
    expect(await gantry(`auth check ${host} --creds alice --password-stdin`, { stdin: "no" })).toMatchObject({
      code: 4,
    });
    expect(await gantry("auth check nowhere.invalid")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("there is no login"),
    });
  });

  test("token prints what requests carry, and that works by hand", async () => {
    const { host, gantry } = await withLogin();
    const { stdout } = await gantry(`auth token ${host}/app`);
    const status = async (authorization: string): Promise<number> =>
      (await fetch(`http://${host}/v2/app/tags/list`, { headers: { authorization } })).status;
    expect(await status(`Bearer ${stdout.trim()}`)).toBe(404);
    expect(await status("Bearer x")).toBe(401);
    const header = (await gantry(`auth token --as-header --push ${host}/app`)).stdout;
    expect(await status(header.replace("Authorization: ", "").trim())).toBe(404);
    const token = stdout.trim();
    expect(await gantry(`ls ${host}/app --registry-token ${token}`)).toMatchObject({ code: 3 });
    const refused = await gantry(`ls ${host}/app --registry-token=topsecret-x`);
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining("--registry-token=TOKEN") });
  });

  test("token says where there is none", async () => {
    const { gantry } = await scene();
    const open = await testRegistry();
    expect(await gantry(`auth token ${open.host}/app`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/asks for no credentials/),
    });
    expect(await gantry(`auth token ${open.host}`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/names a registry/),
    });
  });
});

describe("auth helper", () => {
  test("keeps logins for others, and Gantry uses them too", async () => {
    const { host, gantry, home } = await scene();
    const entry = JSON.stringify({ ServerURL: host, Username: "alice", Secret: password });
    expect(await gantry("auth helper store", { stdin: entry })).toMatchObject({ code: 0, stdout: "" });
    expect((await stat(join(home, ".config", "gantry", "auth.json"))).mode & 0o777).toBe(0o600);
    const got = await gantry("auth helper get", { stdin: `https://${host}\n` });
    expect(JSON.parse(got.stdout)).toEqual({ ServerURL: `https://${host}`, Username: "alice", Secret: password });
    expect(JSON.parse((await gantry("auth helper list")).stdout)).toEqual({ [host]: "alice" });
    expect(await gantry(`ls ${host}/app`)).toMatchObject({ code: 3 });
    expect(await gantry("auth helper erase", { stdin: host })).toMatchObject({ code: 0, stdout: "" });
    expect(await gantry("auth helper get", { stdin: host })).toMatchObject({
      code: 1,
      stdout: "credentials not found in native keychain\n",
    });
  });

  test("identity tokens are told as Docker tells them", async () => {
    const { gantry } = await scene();
    const entry = JSON.stringify({ ServerURL: "r.example", Username: "<token>", Secret: "id" });
    await gantry("auth helper store", { stdin: entry });
    const { stdout } = await gantry("auth helper get", { stdin: "r.example" });
    expect(JSON.parse(stdout)).toMatchObject({ Username: "<token>", Secret: "id" });
  });

  test("what Docker keeps under addresses with a path is no login of the host", async () => {
    const { gantry } = await scene();
    const hub = "https://index.docker.io/v1/";
    const store = (ServerURL: string, Secret: string): Promise<Ended> =>
      gantry("auth helper store", { stdin: JSON.stringify({ ServerURL, Username: "alice", Secret }) });
    await store(hub, "pw");
    expect(await gantry("auth helper get", { stdin: `${hub}access-token` })).toMatchObject({ code: 1 });
    await store(`${hub}access-token`, "at");
    expect(JSON.parse((await gantry("auth helper get", { stdin: `${hub}access-token` })).stdout)).toMatchObject({
      Secret: "at",
    });
    expect(JSON.parse((await gantry("auth helper get", { stdin: hub })).stdout)).toMatchObject({ Secret: "pw" });
  });

  test.each([
    ["get", "", "no secret on stdin"],
    ["get", "\n", "no"],
    ["store", "{topsecret", "what is on stdin is not a login in JSON"],
    ["store", "{}", "no credentials server URL"],
    ["store", '{"ServerURL":"x.example"}', "no credentials username"],
  ])("%s of nonsense fails, and says why on stdout", async (action, stdin, says) => {
    const { gantry } = await scene();
    const { code, stdout } = await gantry(`auth helper ${action}`, { stdin });
    expect([code, stdout]).toEqual([1, expect.stringContaining(says)]);
    expect(stdout).not.toContain("topsecret");
  });

  test("another action is a mistake", async () => {
    const { gantry } = await scene();
    expect(await gantry("auth helper toString")).toMatchObject({ code: 2 });
  });
});
