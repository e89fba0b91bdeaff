import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { describe, expect, onTestFinished, test } from "vitest";
import { complete } from "../../src/cli/completion.ts";
import { schema } from "../../src/config/schema.ts";
import { createRegistry, htpasswdAccess, memoryStorage } from "../../src/server/index.ts";
import { machine, put, type Machine } from "../config/support.ts";
import { layoutStore } from "../../src/store/index.ts";
import { testCertificate, testKey } from "../server/certificate.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry, type Ended } from "./support.ts";

/** Runs a command line in a machine's project. */
async function inProject(made: Machine, ...words: readonly string[]): Promise<Ended> {
  const before = process.cwd();
  process.chdir(made.cwd);
  onTestFinished(() => process.chdir(before));
  return await gantry(words, { env: { HOME: made.home, ...made.env } });
}

async function registryWithLogin(): Promise<Awaited<ReturnType<typeof testRegistry>>> {
  const file = join(await temporaryDirectory(), "users");
  await writeFile(file, `alice:${hashSync("secret", 4)}\n`);
  return await testRegistry({ access: htpasswdAccess({ file }) });
}

describe("what a configuration says has an effect", () => {
  test.each(["insecure", "plainHttp"])("%s of a host, unless --tls-verify=true says otherwise", async (key) => {
    const registry = await testRegistry();
    const host = registry.host.replace("127.0.0.1", "registry.example");
    const made = await machine({ user: `hosts:\n  ${host}: {${key}: true, address: 127.0.0.1, proxy: none}\n` });
    expect(await inProject(made, "ls", host)).toMatchObject({ code: 0, stderr: "" });
    const strict = await inProject(made, "ls", host, "--tls-verify=true", "--retries", "0");
    expect(strict).toMatchObject({ code: 1, stderr: expect.stringContaining("does not speak TLS") as string });
    expect(await inProject(made, "ls", host, "--tls-verify=true", "--plain-http")).toMatchObject({ code: 0 });
  });

  test.each([
    ["password: secret", {}],
    ["password: '${REGISTRY_PASSWORD}'", { REGISTRY_PASSWORD: "secret" }],
    ["passwordFile: ~/password", {}],
  ])("a login with %s", async (way, env) => {
    const { host } = await registryWithLogin();
    const made = await machine({ user: `credentials:\n  ${host}:\n    username: alice\n    ${way}\n` }, env);
    await put(join(made.home, "password"), "secret\n");
    expect(await inProject(made, "ls", host)).toMatchObject({ code: 0, stderr: "" });
    expect(await gantry(["ls", host])).toMatchObject({ code: 4 });
  });

  test("a helper is asked, and its failure told with the place", async () => {
    const { host } = await registryWithLogin();
    const made = await machine({ user: `credentials: {"${host}": {credHelper: testing}}` });
    const helper = await put(
      join(made.root, "docker-credential-testing"),
      `#!/bin/sh\nread -r host\n[ "$host" = "${host}" ] && echo '{"Username":"alice","Secret":"secret"}'\n`,
    );
    await chmod(helper, 0o755);
    const withHelper = { ...made, env: { PATH: `${made.root}:${process.env["PATH"]}` } };
    expect(await inProject(withHelper, "ls", host)).toMatchObject({ code: 0, stderr: "" });
    await put(helper, "#!/bin/sh\nexit 1\n");
    const { code, stderr } = await inProject(withHelper, "ls", host);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `docker-credential-testing, named in ${made.userFile}: credentials["${host}"], could not get`,
    );
  });

  test("a login for a path goes nowhere else", async () => {
    const { host } = await registryWithLogin();
    const made = await machine({ user: `credentials: {"${host}/team": {username: alice, password: secret}}` });
    expect(await inProject(made, "ls", `${host}/team/app`)).toMatchObject({ code: 3 });
    expect(await inProject(made, "ls", `${host}/teams/app`)).toMatchObject({ code: 4 });
  });

  test("the file of logins, and the level above it", async () => {
    const { host } = await registryWithLogin();
    const auth = Buffer.from("alice:secret").toString("base64");
    const made = await machine({ user: "authFile: logins.json" });
    await put(join(made.home, ".config", "gantry", "logins.json"), JSON.stringify({ auths: { [host]: { auth } } }));
    expect(await inProject(made, "ls", host)).toMatchObject({ code: 0 });
    await putImage(layoutStore(join(made.root, "images")), image("app"), "1.0");
    expect(await inProject(made, "push", join(made.root, "images"), `${host}/app`)).toMatchObject({ code: 0 });
    expect((await inProject(made, "__complete", "--", "ls", `${host}/`)).stdout).toContain(`${host}/app\n`);
    await put(join(made.cwd, "none.json"), "{}");
    expect(await inProject({ ...made, env: { GANTRY_AUTH_FILE: "none.json" } }, "ls", host)).toMatchObject({ code: 4 });
    expect(await inProject(made, "ls", "--creds", "alice:wrong", host)).toMatchObject({ code: 4 });
  });

  test("how TLS is spoken with a host", async () => {
    const registry = createRegistry({ storage: memoryStorage() });
    onTestFinished(() => registry.close());
    const tls = { cert: testCertificate, key: testKey };
    const { host } = await registry.listen({ host: "127.0.0.1", port: 0, tls });
    const made = await machine({ user: `hosts:\n  "${host}":\n    caFiles: ca.pem\n` });
    await put(join(made.home, ".config", "gantry", "ca.pem"), testCertificate);
    expect(await inProject(made, "ls", host)).toMatchObject({ code: 0, stderr: "" });
    const without = { ...made, env: { GANTRY_CONFIG: "/dev/null", GANTRY_RETRIES: "0" } };
    expect(await inProject(without, "ls", host)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--ca-file FILE"),
    });
    const careless = { ...without, env: { ...without.env, GANTRY_HOSTS: `{"${host}": {insecure: true}}` } };
    expect(await inProject(careless, "ls", host)).toMatchObject({ code: 0 });
    expect(await inProject(careless, "ls", "--tls-verify=true", host)).toMatchObject({ code: 1 });
    expect(
      await inProject({ ...without, env: { ...without.env, GANTRY_CA_FILES: "~/.config/gantry/ca.pem" } }, "ls", host),
    ).toMatchObject({ code: 0 });
  });

  test("what Gantry calls itself", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers["user-agent"]);
      response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await inProject(await machine({ project: "userAgent: acme/7" }), "ls", `127.0.0.1:${port}/app`);
    expect(new Set(seen)).toEqual(new Set(["acme/7"]));
  });

  test("what goes along with a copy, and how it is shown", async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("app"), "1.0");
    const made = await machine({}, { GANTRY_PROGRESS: "json" });
    const { code, stderr } = await inProject(made, "copy", `${host}/app:1.0`, `${host}/other`);
    expect(code).toBe(0);
    expect(stderr).toContain('{"type":"found"');
    const shown = await inProject(made, "copy", "--progress", "none", `${host}/app:1.0`, `${host}/third`);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a configuration that is not right", () => {
  test("stops a command that needs it, with what to do; others run", async () => {
    const made = await machine({ project: "retrys: 3" });
    const { code, stdout, stderr } = await inProject(made, "ls", "127.0.0.1:1");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      `error: ${made.projectFile}:1:1: unknown key "retrys"\n  hint  did you mean retries?\n  next  gantry config validate\n`,
    );
    expect(await inProject(made, "completion", "bash")).toMatchObject({ code: 0 });
    expect(await inProject(made, "__complete", "--", "digest", "127.0.0.1:1/")).toMatchObject({ code: 0 });
  });

  test("is shown in full by config validate, as lines and as JSON", async () => {
    const made = await machine({ project: "retrys: 3\njobs: 0", user: "jobs: 3" }, { GANTRY_RETRY: "3" });
    const { code, stdout, stderr } = await inProject(made, "config", "validate");
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(stdout.replaceAll(made.root, "")).toBe(
      [
        '/home/project/gantry.yaml:1:1: error: unknown key "retrys"; did you mean retries?',
        '/home/project/gantry.yaml:2:7: error: jobs wants a whole number from 1 on, not "0"',
        "GANTRY_RETRY: warning: no key has this variable; did you mean GANTRY_RETRIES?",
        "/home/.config/gantry/config.yaml: right\n",
      ].join("\n"),
    );
    const json = await inProject(made, "config", "validate", "--format", "json", made.userFile);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toEqual({
      files: [{ path: made.userFile, role: "named" }],
      faults: [],
      warnings: [],
    });
  });

  test("names a file that is not there: that is told with the place, an option's with the option", async () => {
    const made = await machine({ user: "\ncaFiles: none.pem" });
    const { code, stderr } = await inProject(made, "ls", "127.0.0.1:1");
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot read .*none\.pem \(.*config\.yaml:2: caFiles\): there is no such file/);
    const option = await inProject(made, "ls", "--ca-file", "other.pem", "127.0.0.1:1");
    expect(option).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot read other.pem (--ca-file): there is no such file"),
    });
  });

  test.each<[string, readonly string[]]>([
    ["promote: {stages: {prod: {tags: [live]}}}", ["1: error: promote.stages.prod.to is missing: it says where"]],
    [
      "promote:\n stages:\n  prod:\n   to: r.example/{nam}\n  live:\n   to: r.example/UP/{name}\n",
      [
        '4: error: promote.stages.prod.to: "{nam}" is not known; there are {registry}',
        '6: error: promote.stages.live.to: invalid reference "r.example/UP/image"',
      ],
    ],
    [
      "promote:\n stages:\n  prod:\n   to: r.example/{name}\n   tags: ['a b', '{version}']\n   from: stagng\n",
      [
        '5: error: promote.stages.prod.tags: "a b" is no tag',
        '6: error: promote.stages.prod.from names "stagng", which is no stage',
      ],
    ],
    [
      "promote:\n stages:\n  a: {to: 'r.example/a/{name}', from: b}\n  b: {to: 'r.example/b/{name}', from: a}\n",
      [
        "3: error: promote.stages.a.from leads in a circle: a, b, a",
        "4: error: promote.stages.b.from leads in a circle: b, a, b",
      ],
    ],
    [
      "tags:\n  immutable: ['v*', 'semver:one', '/(/']",
      [
        '2: error: tags.immutable of the configuration: "semver:one" is no range of versions',
        "2: error: tags.immutable of the configuration: the pattern ",
      ],
    ],
    ["inUse:\n  namespaces: [prod]", ["2: warning: namespace prod is to be looked into, and no cluster is named"]],
  ])("is told of by config validate as by the commands that read it: %j", async (text, lines) => {
    const made = await machine({ user: text });
    for (const words of [[], [made.userFile]]) {
      const { code, stdout } = await inProject(made, "config", "validate", ...words);
      const [told, expected] = [stdout.trimEnd().split("\n"), lines.map((line) => `${made.userFile}:${line}`)];
      expect(told.slice(0, expected.length).map((line, i) => line.slice(0, expected[i]!.length))).toEqual(expected);
      expect(code).toBe(lines[0]!.includes("warning") ? 0 : 2);
    }
    if (!text.startsWith("promote")) return;
    const error = `error: ${made.userFile}:${lines[0]!.replace("error: ", "").split("; ")[0]}`;
    for (const words of [
      ["promote", "r.example/app:1", "--to", "prod"],
      ["promote", "history", "r.example/app:1"],
    ]) {
      expect(await inProject(made, ...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(error) });
    }
  });

  test("is right where one level names the stage of another, and by itself is not", async () => {
    const user = "promote: {stages: {dev: {to: 'r.example/dev/{name}'}}}";
    const made = await machine(
      { user },
      { GANTRY_PROMOTE: "{stages: {prod: {to: 'r.example/prod/{name}', from: dev}}}" },
    );
    expect(await inProject(made, "config", "validate")).toMatchObject({ code: 0 });
    const other = await machine({ user: "promote: {stages: {prod: {to: 'r.example/prod/{name}', from: dev}}}" });
    expect(await inProject(other, "config", "validate")).toMatchObject({ code: 2 });
  });

  test("names certificates that are not there, which is told of what counts here", async () => {
    const made = await machine({ user: "caFiles: a.pem\nhosts:\n  R.example:\n    caFiles: [b.pem]\n" });
    const { code, stdout } = await inProject(made, "config", "validate");
    expect(code).toBe(2);
    expect(stdout).toMatch(/config\.yaml:1: error: cannot read .*a\.pem \(/);
    expect(stdout).toMatch(/config\.yaml:4: error: cannot read .*b\.pem \(/);
    expect(await inProject(made, "config", "validate", made.userFile)).toMatchObject({ code: 0 });
  });

  test("that is only dangerous is warned of", async () => {
    const made = await machine({ user: "credentials: {a.example: {token: s3cret}}" });
    await chmod(made.userFile, 0o644);
    const { stderr } = await inProject(made, "ls", "--retries", "0", "127.0.0.1:1");
    expect(stderr).toContain(`warning: ${made.userFile}: every user of this machine can read`);
    expect(stderr).not.toContain("s3cret");
    expect((await inProject(made, "config", "validate")).stdout).toContain("warning:");
  });
});

describe("config show", () => {
  const user =
    'retries: 3\nhosts:\n  a.example: {proxy: "http://u:s3cret@p:1"}\ncredentials: {a.example: {token: s3cret}}\n';

  test("has all that counts, with the place on request", async () => {
    const made = await machine({ user });
    const { stdout } = await inProject(made, "config", "show", "--origin", "--limit-rate", "1MB");
    expect(stdout.replaceAll(made.root, "")).toMatch(
      /^KEY +VALUE +ORIGIN\ncredentials\["a\.example"\]\.token +\[secret\] +\/home\/.config\/gantry\/config\.yaml:4\nhosts\["a\.example"\]\.proxy +http:\/\/\[secret\]@p:1 +\/home\/.config\/gantry\/config\.yaml:3\nretries +3 +\/home\/.config\/gantry\/config\.yaml:1\nretryDelay +250ms +default\n/,
    );
    expect(stdout).toMatch(/\nlimitRate +1000000 +--limit-rate\n/);
    for (const format of ["table", "json", "yaml", "ndjson"]) {
      const shown = await inProject(made, "config", "show", "--origin", "--format", format);
      expect(shown.stdout).toContain("[secret]");
      expect(shown.stdout).not.toContain("s3cret");
    }
  });

  test.each([
    ["retries", "3\n"],
    ["hosts.a.example.proxy", "http://[secret]@p:1\n"],
    ['hosts["a.example"].proxy', "http://[secret]@p:1\n"],
    ["hosts", 'KEY                         VALUE\nhosts["a.example"].proxy    http://[secret]@p:1\n'],
    ["userAgent", ""],
    ["host", undefined],
    ["nothing", undefined],
  ])("of %s: %j", async (key, stdout) => {
    const { code, ...ended } = await inProject(await machine({ user }), "config", "show", key);
    if (stdout === undefined)
      expect({ code, stderr: ended.stderr }).toEqual({ code: 2, stderr: expect.stringContaining("there is no key") });
    else
      expect({ code, stdout: ended.stdout.replace(/ {2,}/g, "  ") }).toEqual({
        code: 0,
        stdout: stdout.replace(/ {2,}/g, "  "),
      });
  });
});

test("an image's configuration is printed as before, also of an image that is called as one of the commands", async () => {
  const { host, store } = await testRegistry();
  const made = image("app");
  for (const name of ["app", "show"]) await putImage(store(name), made, "1.0");
  for (const name of ["app", "show"]) {
    expect((await gantry(["config", `${host}/${name}:1.0`])).stdout).toContain('"architecture"');
  }
  // With a tag it is an image, and this one is nowhere.
  expect((await gantry(["config", "--retries", "0", "--plain-http", "show:latest", "extra"])).stderr).toContain(
    "too many arguments",
  );
  expect((await gantry(["config", "--verbose", "show"])).stdout).toContain("retryDelay");
  expect((await gantry(["config", "--help"])).stdout).toMatch(
    /Print an image's configuration[^]*Commands:\n {2}show[^]*validate[^]*schema/,
  );
  expect((await gantry(["--help"])).stdout.match(/^ {2}config\b/gm)).toHaveLength(1);
});

test("words behind config, and keys behind config show, are completed", async () => {
  const none = async function* (): AsyncGenerator<string> {};
  const words = async (...typed: readonly string[]): Promise<readonly string[]> =>
    (await complete(typed, none)).candidates.map(({ word }) => word);
  expect(await words("config", "")).toEqual(expect.arrayContaining(["show", "validate", "schema", "oci:"]));
  expect(await words("config", "sh")).toEqual(["show"]);
  expect(await words("config", "show", "")).toEqual(Object.keys(schema));
  expect(await words("config", "show", "ret")).toEqual(["retries", "retryDelay"]);
  expect((await complete(["config", "sh"], none)).directions).toEqual([]);
  expect(await words("con")).toEqual(["config"]);
});
