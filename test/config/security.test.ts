import { chmod, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkConfig, loadConfig } from "../../src/config/load.ts";
import { configFiles } from "../../src/config/places.ts";
import { machine, put, rejection } from "./support.ts";

const guarded = [
  "authFile: x",
  "proxy: http://x",
  "caFiles: x",
  "certDir: x",
  "registriesConf: x",
  "minTls: 1.2",
  "kubernetes: {enabled: true}",
  "credentials: {a.b: {token: s3cret}}",
  "hosts: {a.b: {insecure: true}}",
  "hosts: {a.b: {plainHttp: true}}",
  "hosts: {a.b: {proxy: none}}",
  "hosts: {a.b: {address: 10.0.0.1}}",
  "hosts: {a.b: {caFiles: x}}",
  "hosts: {a.b: {certFile: x}}",
  "hosts: {a.b: {keyFile: x}}",
  "hosts: {a.b: {headers: {X: s3cret}}}",
  "hosts: {a.b: {mirrors: [x.y]}}",
  "hosts: {'*': {minTls: 1.2}}",
  "inUse: {kubernetes: current}",
  "inUse: {compose: compose.yaml}",
  "promote: {stages: {prod: {gates: {commands: {smoke: [./smoke.sh]}}}}}",
  "promote: {stages: {prod: {to: 'a.b/{name}'}}}",
  "promote: {stages: {prod: {gates: {approval: ['*']}}}}",
];
const free = [
  "jobs: 3",
  "minTls: 1.3",
  "referrers: false",
  "hosts: {a.b: {connectTimeout: 1s, minTls: 1.3}}",
  "tags: {immutable: ['v*']}",
];

describe("a project file", () => {
  test.each(guarded)("may not say %s where its directory is not trusted, and may where it is", async (project) => {
    const made = await machine({ project });
    const { message, hint } = await rejection(loadConfig(made));
    expect(message).toMatch(/counts in a project file only where its directory is trusted$/);
    expect(message).not.toContain("s3cret");
    expect(hint).toBe(`to trust it, put ${made.cwd} under trust in ${made.userFile}, or into GANTRY_TRUST`);
    expect((await loadConfig({ ...made, env: { GANTRY_TRUST: made.cwd } })).settings).not.toEqual([]);
    await put(made.systemFile, `trust: [${made.home}]`);
    expect((await loadConfig(made)).settings).not.toEqual([]);
  });

  test.each(free)("may say %s anywhere", async (project) => {
    expect((await loadConfig(await machine({ project }))).settings).not.toEqual([]);
  });

  test.each([
    ["a directory beside it", "/home/projec"],
    ["a directory below it", "/home/project/sub"],
    ["one that is not there", "/nowhere"],
  ])("is not trusted because of %s", async (_, directory) => {
    const made = await machine({ project: guarded[0]! });
    const { message } = await rejection(loadConfig({ ...made, env: { GANTRY_TRUST: `${made.root}${directory}` } }));
    expect(message).toContain("only where its directory is trusted");
  });

  test("is not trusted because a link in a trusted directory leads to it; a link that leads to it is its name too", async () => {
    const made = await machine({ project: guarded[0]! });
    const trusted = join(made.root, "trusted");
    await put(join(trusted, "x"), "");
    await symlink(made.cwd, join(trusted, "link"));
    const through = { ...made, cwd: join(trusted, "link") };
    expect((await rejection(loadConfig({ ...through, env: { GANTRY_TRUST: trusted } }))).message).toContain(
      "is trusted",
    );
    expect((await loadConfig({ ...made, env: { GANTRY_TRUST: join(trusted, "link") } })).settings).not.toEqual([]);
  });

  test("cannot say what is trusted", async () => {
    const made = await machine({ project: "trust: [/]" }, { GANTRY_TRUST: "/" });
    expect((await rejection(loadConfig(made))).message).toContain("trust cannot stand in a project file");
  });

  test("gets no variables where it is not trusted: they would go to registries", async () => {
    const made = await machine({ project: "userAgent: ${TOKEN}" }, { TOKEN: "s3cret" });
    const { message } = await rejection(loadConfig(made));
    expect(message).toContain("variables are put in only where the directory is trusted");
    expect(message).not.toContain("s3cret");
    const env = { ...made.env, GANTRY_TRUST: made.home };
    expect((await loadConfig({ ...made, env })).values).toMatchObject({ userAgent: "s3cret" });
  });

  test("is the nearest one upwards, as far as a .git, the home directory or the root", async () => {
    const made = await machine({ project: "jobs: 1" });
    const deep = join(made.cwd, "a", "b");
    await put(join(deep, "x"), "");
    const found = (cwd: string): readonly string[] => configFiles({ ...made, cwd }).map(({ path }) => path);
    expect(found(deep)).toEqual([made.projectFile]);
    await put(join(made.cwd, "a", "gantry.yaml"), "");
    expect(found(deep)).toEqual([join(made.cwd, "a", "gantry.yaml")]);
    await put(join(deep, ".git", "HEAD"), "");
    expect(found(deep)).toEqual([]);
    await put(join(made.root, "gantry.yaml"), "");
    expect(found(made.home)).toEqual([]);
    expect(found(made.root)).toEqual([join(made.root, "gantry.yaml")]);
    // A home directory may have two names.
    await symlink(made.home, join(made.root, "link"));
    expect(configFiles({ ...made, home: join(made.root, "link"), cwd: made.home })).toEqual([]);
  });
});

describe("secrets", () => {
  const secret = "credentials: {a.b: {username: u, password: s3cret}}";

  test.each([
    [secret, 0o644, 1],
    ["hosts: {a.b: {headers: {X: s3cret}}}", 0o644, 1],
    ["proxy: http://u:s3cret@proxy.example", 0o604, 1],
    [secret, 0o640, 0],
    ["proxy: http://proxy.example", 0o644, 0],
    ["credentials: {a.b: {username: u, password: '${PASSWORD}'}}", 0o644, 0],
  ])("%s in a file of mode %i: %i warnings", async (user, mode, count) => {
    const made = await machine({ user }, { PASSWORD: "s3cret" });
    await chmod(made.userFile, mode);
    const { warnings } = await loadConfig(made);
    expect(warnings).toHaveLength(count);
    if (count === 0) return;
    expect(warnings[0]).toMatchObject({ source: made.userFile, hint: `chmod 600 ${made.userFile}` });
    expect(JSON.stringify(warnings)).not.toContain("s3cret");
  });

  test("are masked in what is shown, and in no message", async () => {
    const user = `${secret}\nproxy: http://u:s3@cret@s3cret@proxy.example\nhosts: {a.b: {headers: {X: s3cret}}}\n`;
    const { settings } = await loadConfig(await machine({ user }));
    expect(JSON.stringify(settings.map(({ name, shown, origin }) => [name, shown, origin]))).not.toContain("s3cret");
    expect(settings.find(({ name }) => name === "proxy")?.shown).toBe("http://[secret]@proxy.example");
  });
});

describe("variables in texts", () => {
  test.each([
    ["userAgent: a-${NAME}-b", "a-x-b"],
    ["userAgent: $${NAME} costs $$1 or $2", "${NAME} costs $1 or $2"],
    ["userAgent: '${EMPTY}a'", "a"],
    ["userAgent: ${DOLLARS}", "${NAME}"],
  ])("%s", async (user, text) => {
    const env = { NAME: "x", EMPTY: "", DOLLARS: "${NAME}" };
    expect((await loadConfig(await machine({ user }, env))).values).toEqual({ userAgent: text });
  });

  test("what is no text takes them too", async () => {
    const made = await machine({ user: "jobs: ${N}\nreferrers: ${B}\nhosts: {a.b: {caFiles: ['${D}/a.pem']}}" });
    const { values } = await loadConfig({ ...made, env: { N: "3", B: "false", D: "/certs" } });
    expect(values).toEqual({ jobs: 3, referrers: false, hosts: { "a.b": { caFiles: ["/certs/a.pem"] } } });
  });

  test.each([
    ["jobs: ${N}", "jobs: the variable N is not set"],
    ["jobs: ${N:-3}", "jobs: after ${ comes a variable's name and }; a dollar is $$"],
    ["userAgent: '${N'", "userAgent: after ${ comes a variable's name and }; a dollar is $$"],
    ["jobs: ${SECRET}", 'jobs wants a whole number from 1 on, not "${SECRET}"'],
  ])("%s: %s", async (user, message) => {
    const made = await machine({ user }, { SECRET: "s3cret" });
    expect((await rejection(loadConfig(made))).message.replace(/^.*yaml:1:\d+: /, "")).toBe(message);
  });

  test("those of the environment are taken as they are", async () => {
    const env = {
      GANTRY_USER_AGENT: "a: ${b}",
      GANTRY_CREDENTIALS: "{a.b: {token: 'x${y}z'}}",
      GANTRY_CA_FILES: "a: b",
    };
    const made = await machine({}, env);
    expect((await loadConfig(made)).values).toEqual({
      userAgent: "a: ${b}",
      credentials: { "a.b": { token: "x${y}z" } },
      caFiles: [join(made.cwd, "a: b")],
    });
  });
});

test("paths are relative to the file they stand in, of variables to the working directory; ~/ is the home directory", async () => {
  const made = await machine(
    { project: "caFiles: [ca.pem, ~/ca.pem, /ca.pem]", user: "authFile: ../auth.json", system: "certDir: ./certs" },
    { GANTRY_REGISTRIES_CONF: "r.conf", GANTRY_TRUST: "[., ~]" },
  );
  expect((await loadConfig(made)).values).toEqual({
    caFiles: [join(made.cwd, "ca.pem"), join(made.home, "ca.pem"), "/ca.pem"],
    authFile: join(made.home, ".config", "auth.json"),
    certDir: join(made.root, "etc", "gantry", "certs"),
    registriesConf: join(made.cwd, "r.conf"),
    trust: [made.cwd, made.home],
  });
});

test("a number of a password is not read as one: what is written counts", async () => {
  const user = 'credentials: {a.b: {username: 007, password: 0123}, c.d: {token: 1e3}, e.f: {token: "null"}}';
  expect((await loadConfig(await machine({ user }))).values.credentials).toEqual({
    "a.b": { username: "007", password: "0123" },
    "c.d": { token: "1e3" },
    "e.f": { token: "null" },
  });
});

describe("config validate's report", () => {
  test("names variables that are nobody's, but for those that Kubernetes makes", async () => {
    const env = {
      GANTRY_RETRY: "1",
      GANTRY_SERVICE_HOST: "10.0.0.1",
      GANTRY_WEB_SERVICE_PORT_HTTP: "80",
      GANTRY_PORT: "tcp://10.0.0.1:80",
      GANTRY_PORT_80_TCP_ADDR: "10.0.0.1",
      GANTRY_DEBUG: "1",
      GANTRY_QQQQQQQQQQQ: "1",
    };
    expect(await checkConfig(await machine({}, env))).toEqual({
      files: [],
      faults: [],
      warnings: [
        { source: "GANTRY_RETRY", message: "no key has this variable", hint: "did you mean GANTRY_RETRIES?" },
        { source: "GANTRY_QQQQQQQQQQQ", message: "no key has this variable" },
      ],
    });
  });

  test("names files that nobody reads", async () => {
    const made = await machine();
    await put(join(made.cwd, "gantry.yml"), "jobs: 1");
    const hint = `its name would be ${made.projectFile}`;
    const warning = { source: join(made.cwd, "gantry.yml"), message: "this file is not read", hint };
    expect(await checkConfig(made)).toEqual({ files: [], faults: [], warnings: [warning] });
  });

  test("of files is of those alone; one that is called gantry.yaml is a project's", async () => {
    const made = await machine({ user: "zzz: 1" }, { GANTRY_RETRY: "1" });
    await put(join(made.cwd, "gantry.yaml"), "jobs: 0\nproxy: none");
    await put(join(made.cwd, "other.yaml"), "proxy: none\ntrust: [/]");
    const { files, faults, warnings } = await checkConfig(made, ["gantry.yaml", "other.yaml"]);
    expect(files.map(({ role }) => role)).toEqual(["project", "named"]);
    expect(faults.map(({ line, message }) => [line, message])).toEqual([
      [1, 'jobs wants a whole number from 1 on, not "0"'],
      [2, "proxy counts in a project file only where its directory is trusted"],
    ]);
    expect(warnings).toEqual([]);
    const trusting = { ...made, env: { GANTRY_TRUST: made.cwd } };
    expect((await checkConfig(trusting, ["gantry.yaml"])).faults).toHaveLength(1);
  });
});

test("one mistake in YAML is told once, though it makes many of its kind behind it", async () => {
  const { message } = await rejection(
    loadConfig(await machine({ project: "a: {b: c/{name}, d: [e, f]}\ng: {h: [i]}\n" })),
  );
  expect(message.match(/this is not YAML/g)).toHaveLength(1);
});
