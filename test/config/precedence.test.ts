import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gantry } from "../cli/support.ts";
import { settingOptions } from "../../src/cli/setting-options.ts";
import { defaultSettings } from "../../src/config/defaults.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configKeys, schema, variableOf } from "../../src/config/schema.ts";
import { mergeLevels, type Setting } from "../../src/config/setting.ts";
import { machine, put, type Machine } from "./support.ts";

/** What each level says, the highest first: an option, the variable, the project, the user, the system. */
type FiveValues = readonly [string, string, string, string, string];

const times: FiveValues = ["1s", "2s", "3s", "4s", "5s"];
const counts: FiveValues = ["1", "2", "3", "4", "5"];
const paths: FiveValues = ["/1", "/2", "/3", "/4", "/5"];
const yesNo: FiveValues = ["true", "false", "true", "false", "true"];

const values: Readonly<Record<string, FiveValues>> = {
  authFile: paths,
  "credentials.r.example.token": ["a", "b", "c", "d", "e"],
  "hosts.r.example.insecure": yesNo,
  "hosts.r.example.plainHttp": yesNo,
  "hosts.r.example.caFiles": paths,
  "hosts.r.example.certFile": paths,
  "hosts.r.example.keyFile": paths,
  "hosts.r.example.minTls": ["1.2", "1.3", "1.2", "1.3", "1.2"],
  "hosts.r.example.proxy": ["none", "http://b", "http://c", "http://d", "http://e"],
  "hosts.r.example.address": ["10.0.0.1", "10.0.0.2", "::3", "10.0.0.4", "10.0.0.5"],
  "hosts.r.example.headers.x-a": ["a", "b", "c", "d", "e"],
  "hosts.r.example.connectTimeout": times,
  "hosts.r.example.answerTimeout": times,
  "hosts.r.example.idleTimeout": times,
  "hosts.r.example.maxIdle": times,
  "hosts.r.example.mirrors": ["a.example", "b.example/x", "c.example", "d.example:1", "e.example"],
  "hosts.r.example.quotaReserve": counts,
  "hosts.r.example.provider": ["harbor", "quay", "gitlab", "ecr", "generic"],
  "hosts.r.example.api": ["https://a", "https://b/x", "http://c", "https://d:1", "https://e"],
  "hosts.r.example.env.AWS_PROFILE": ["a", "b", "c", "d", "e"],
  retries: counts,
  retryDelay: times,
  jobs: counts,
  limitRate: counts,
  referrers: yesNo,
  progress: ["plain", "json", "none", "plain", "json"],
  quotaReserve: counts,
  userAgent: ["a/1", "b/1", "c/1", "d/1", "e/1"],
  proxy: ["none", "http://b", "http://c", "http://d", "http://e"],
  connectTimeout: times,
  answerTimeout: times,
  idleTimeout: times,
  maxIdle: times,
  minTls: ["1.2", "1.3", "1.2", "1.3", "1.2"],
  caFiles: paths,
  certDir: paths,
  registriesConf: paths,
  shortNames: ["docker", "containers", "docker", "containers", "docker"],
  "kubernetes.registry": ["a.example", "b.example", "c.example", "d.example", "e.example"],
  "kubernetes.enabled": yesNo,
  "kubernetes.kubeconfig": paths,
  "kubernetes.context": ["a", "b", "c", "d", "e"],
  "kubernetes.namespace": ["a", "b", "c", "d", "e"],
  "kubernetes.serviceAccount": ["a", "b", "c", "d", "e"],
  "inUse.files": paths,
  "inUse.compose": paths,
  "inUse.kubernetes": ["a", "current", "c", "d", "e"],
  "inUse.namespaces": ["a", "b", "c", "d", "e"],
  "promote.stages.r.example.to": ["a", "b/{name}", "c", "d", "e"],
  "promote.stages.r.example.tags": ["a", "{tag}", "c", "d", "e"],
  "promote.stages.r.example.from": ["a", "b", "c", "d", "e"],
  "promote.stages.r.example.gates.age": ["1m", "2h", "3d", "4w", "5m"],
  "promote.stages.r.example.gates.requires": ["a", "sbom", "application/x", "d", "e"],
  "promote.stages.r.example.gates.approval": ["a", "*", "c", "d", "e"],
  "promote.stages.r.example.gates.commands.smoke": ["a", "./b", "c", "d", "e"],
  "promote.stages.r.example.gates.timeout": times,
  "tags.immutable": ["v*", "/v.+/", "semver:*", "*.*.*", "rc"],
};

/** The keys of a path; the host's name has a dot in it. */
function keysOf(path: string): readonly string[] {
  return path
    .replace("r.example", "r_example")
    .split(".")
    .map((key) => key.replace("r_example", "r.example"));
}

/** YAML that says one thing. */
function yaml(keys: readonly string[], value: string): string {
  return keys.toReversed().reduce((inner, key) => `{"${key}": ${inner}}`, `"${value}"`);
}

function find(settings: readonly Setting[], keys: readonly string[]): Setting | undefined {
  return settings.find((setting) => setting.path.join("/") === keys.join("/"));
}

async function fullMachine(keys: readonly string[], [, env, ...files]: FiveValues): Promise<Machine> {
  const [key, ...below] = keys;
  const [project, user, system] = files.map((value) => `# first\n${yaml(keys, value)}\n`);
  const text = below.length === 0 ? env : yaml(below, env);
  return await machine(
    { project: project!, user: user!, system: system! },
    { [variableOf(key!)]: text, GANTRY_TRUST: "~" },
  );
}

test("every key of the schema is in the table", () => {
  const leaves = (fields: object, path: string): string[] =>
    Object.entries(fields as Record<string, { shape: string; fields?: object; entry?: { fields?: object } }>).flatMap(
      ([key, entry]) => {
        if (entry.fields) return leaves(entry.fields, `${path}${key}.`);
        if (entry.shape !== "table") return [`${path}${key}`];
        const names: Readonly<Record<string, string>> = { headers: "x-a", env: "AWS_PROFILE", commands: "smoke" };
        const name = names[key] ?? "r.example";
        return entry.entry?.fields ? leaves(entry.entry.fields, `${path}${key}.${name}.`) : [`${path}${key}.${name}`];
      },
    );
  // Trust is no project's, and of a login the ways exclude each other: both have tests of their own.
  const own = (name: string): boolean => name === "trust" || /^credentials\..*\.(?!token)\w+$/.test(name);
  expect(leaves(schema, "").filter((name) => !own(name))).toEqual(Object.keys(values));
});

/** A setting's value, as it would be written. */
function text({ written }: Setting): string {
  return [written].flat().join();
}

test.each(Object.entries(values))(
  "%s: the highest level that says something counts, from its place",
  async (path, five) => {
    const keys = keysOf(path);
    const made = await fullMachine(keys, five);
    const levels = [
      { origin: variableOf(keys[0]!), file: made.projectFile },
      { origin: `${made.projectFile}:2`, file: made.userFile },
      { origin: `${made.userFile}:2`, file: made.systemFile },
      { origin: `${made.systemFile}:2`, file: made.systemFile },
    ];
    for (const [i, { origin }] of levels.entries()) {
      const env = i === 0 ? made.env : { GANTRY_TRUST: "~" };
      if (i > 1) await rm(levels[i - 2]!.file);
      const found = find((await loadConfig({ ...made, env })).settings, keys);
      expect(found?.origin).toBe(origin);
      expect(text(found!)).toBe(five[i + 1]);
    }
    await rm(made.systemFile);
    expect(find((await loadConfig({ ...made, env: {} })).settings, keys)).toBeUndefined();
  },
);

test.each(settingOptions.map((option) => [option.setting!, option] as const))(
  "%s: an option counts more than all of them",
  async (key, { flags }) => {
    const five = values[key]!;
    const made = await fullMachine(keysOf(key), five);
    const name = /--[a-z-]+/.exec(flags)![0];
    const isOff = name.startsWith("--no-");
    const words = ["config", "show", key, "--origin", "--format", "json", name, ...(isOff ? [] : [five[0]])];
    const { code, stdout, stderr } = await gantry([...words, "--config", made.userFile], {
      env: { HOME: made.home, ...made.env },
    });
    expect(code, stderr).toBe(0);
    const [{ value, origin }] = JSON.parse(stdout) as [{ value: unknown; origin: string }];
    expect({ value: [value].flat().join(), origin }).toEqual({
      value: isOff ? "false" : five[0],
      origin: name,
    });
  },
);

test("what nobody says is the default", async () => {
  const settings = mergeLevels([(await loadConfig(await machine())).settings, defaultSettings()]);
  expect(find(settings, ["retries"])).toMatchObject({ value: 5, origin: "default" });
  expect(find(settings, ["answerTimeout"])).toMatchObject({ value: 300_000, shown: "5m" });
  expect(find(settings, ["kubernetes", "serviceAccount"])).toMatchObject({ value: "default", origin: "default" });
});

test("maps are merged key by key, lists and logins are not", async () => {
  const made = await machine(
    {
      project: 'hosts: {"*": {quotaReserve: 3}, a.example: {connectTimeout: 3s, headers: {x-a: project}}}',
      user: [
        "caFiles: [/u1, /u2]",
        "hosts: {a.example: {connectTimeout: 4s, answerTimeout: 4s, headers: {X-A: user, X-B: user}}}",
        "credentials: {a.example: {username: u, password: u}, b.example: {token: u}}",
        "trust: ~/",
      ].join("\n"),
      system: [
        "caFiles: [/s]",
        "hosts: {a.example: {idleTimeout: 5s}, b.example: {insecure: true}}",
        "credentials: {a.example: {token: s}, c.example: {token: s}}",
        "kubernetes: {namespace: s}",
      ].join("\n"),
    },
    { GANTRY_HOSTS: "{a.example: {maxIdle: 2s}}", GANTRY_KUBERNETES: "{context: e}" },
  );
  const { values: merged } = await loadConfig(made);
  expect(merged).toEqual({
    trust: [`${made.home}/`],
    caFiles: ["/u1", "/u2"],
    hosts: {
      "*": { quotaReserve: 3 },
      "a.example": {
        maxIdle: 2000,
        connectTimeout: 3000,
        answerTimeout: 4000,
        idleTimeout: 5000,
        headers: { "x-a": "project", "x-b": "user" },
      },
      "b.example": { insecure: true },
    },
    kubernetes: { context: "e", namespace: "s" },
    credentials: {
      "a.example": { username: "u", password: "u" },
      "b.example": { token: "u" },
      "c.example": { token: "s" },
    },
  });
});

test.each(["--config", "GANTRY_CONFIG"])("%s takes the place of the project's and the user's file", async (way) => {
  const made = await machine({ project: "jobs: 3", user: "retries: 4", system: "retryDelay: 5s" });
  const file = await put(join(made.root, "named.yaml"), "userAgent: named\nauthFile: auth.json");
  const named = way === "--config" ? { file } : { env: { GANTRY_CONFIG: "../../named.yaml" } };
  const { values: found } = await loadConfig({ ...made, ...named });
  expect(found).toEqual({ userAgent: "named", authFile: join(made.root, "auth.json"), retryDelay: 5000 });
});

test("the highest level that says whom to trust counts alone", async () => {
  const made = await machine({ project: "proxy: none", user: "trust: [/nowhere]", system: "trust: ~" });
  await expect(loadConfig(made)).rejects.toMatchObject({ code: "INVALID" });
  expect((await loadConfig({ ...made, env: { GANTRY_TRUST: "~" } })).values).toMatchObject({ proxy: false });
});

test("XDG_CONFIG_HOME moves the user's file, where it is absolute", async () => {
  const made = await machine({ user: "jobs: 4" });
  await put(join(made.root, "xdg", "gantry", "config.yaml"), "jobs: 5");
  expect((await loadConfig({ ...made, env: { XDG_CONFIG_HOME: join(made.root, "xdg") } })).values.jobs).toBe(5);
  expect((await loadConfig({ ...made, env: { XDG_CONFIG_HOME: "../../xdg" } })).values.jobs).toBe(4);
});

test("an empty variable is none, and unknown ones do nothing", async () => {
  const env = { GANTRY_RETRIES: "", GANTRY_PORT: "tcp://10.0.0.1:80", GANTRY_NO_KEY: "x" };
  expect((await loadConfig(await machine({}, env))).values).toEqual({});
});

test("every key has a variable of its own", () => {
  const names = configKeys.map(variableOf);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("GANTRY_LIMIT_RATE");
  expect(names).toContain("GANTRY_CA_FILES");
});
