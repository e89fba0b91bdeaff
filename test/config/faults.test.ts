import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { machine, put, rejection } from "./support.ts";

/** What is said of a user's file with this text, with the file's name as FILE. */
async function told(user: string | Uint8Array, env = {}): Promise<{ message: string; hint?: string | undefined }> {
  const made = await machine({}, env);
  await put(made.userFile, user);
  const { message, code, hint } = await rejection(loadConfig(made));
  expect(code).toBe("INVALID");
  return { message: message.replaceAll(made.userFile, "FILE"), hint };
}

/** Does something without the rights that this process has where it is root's, who may read everything. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

describe("what is wrong in a file is told with its place", () => {
  test.each([
    ["retrys: 3", 'FILE:1:1: unknown key "retrys"', "did you mean retries?"],
    ["\nauth-file: x", 'FILE:2:1: unknown key "auth-file"', "did you mean authFile?"],
    [
      "hosts:\n  a.b:\n    conectTimeout: 3",
      'FILE:3:5: unknown key "conectTimeout" in hosts["a.b"]',
      "did you mean connectTimeout?",
    ],
    ["insecure: true", 'FILE:1:1: unknown key "insecure"', 'it belongs under a host: hosts: {"HOST": {insecure: ...}}'],
    ["zzz: 3", 'FILE:1:1: unknown key "zzz"', undefined],
    ["__proto__: 3", 'FILE:1:1: unknown key "__proto__"', undefined],
    ["<<: {jobs: 3}", 'FILE:1:1: unknown key "<<"', undefined],
    ["jobs: 0", 'FILE:1:7: jobs wants a whole number from 1 on, not "0"', undefined],
    ["jobs: 1.5", 'FILE:1:7: jobs wants a whole number from 1 on, not "1.5"', undefined],
    ["jobs: [1]", "FILE:1:7: jobs wants a whole number from 1 on, not a list", undefined],
    ["jobs: {a: 1}", "FILE:1:7: jobs wants a whole number from 1 on, not a map", undefined],
    ["jobs:", "FILE:1:6: jobs wants a whole number from 1 on; nothing is there", undefined],
    ["jobs: ~", "FILE:1:7: jobs wants a whole number from 1 on; nothing is there", undefined],
    ["{jobs}", "FILE:1:2: jobs wants a whole number from 1 on; nothing is there", undefined],
    ["referrers: yes", 'FILE:1:12: referrers wants true or false, not "yes"', undefined],
    ["retryDelay: 3 days", 'FILE:1:13: retryDelay wants a time such as 500ms, 10s or 2m, not "3 days"', undefined],
    [
      "limitRate: fast",
      'FILE:1:12: limitRate wants a number of bytes such as 800kB, 20MB or 1GiB, not "fast"',
      undefined,
    ],
    ["progress: loud", 'FILE:1:11: progress wants auto, plain, json or none, not "loud"', undefined],
    ["minTls: 1.1", 'FILE:1:9: minTls wants 1.2 or 1.3, not "1.1"', undefined],
    ['userAgent: "a\\r\\nb"', 'FILE:1:12: userAgent wants a text of one line, not "a\\r\\nb"', undefined],
    ["caFiles: [a, [b]]", "FILE:1:14: caFiles wants a path, not a list", undefined],
    ["hosts: []", "FILE:1:8: hosts wants a map", undefined],
    [
      "hosts: {https://a.b: {}}",
      'FILE:1:9: hosts: a name there is HOST, HOST:PORT or * for all, not "https://a.b"',
      "leave the scheme out",
    ],
    ["hosts: {a.b/c: {}}", 'FILE:1:9: hosts: a name there is HOST, HOST:PORT or * for all, not "a.b/c"', undefined],
    ["hosts: {a.b: {address: a.b}}", 'FILE:1:24: hosts["a.b"].address wants an IP address, not "a.b"', undefined],
    [
      "hosts: {a.b: {proxy: 'socks5://u:pw@c'}}",
      'FILE:1:22: hosts["a.b"].proxy wants http://HOST:PORT, https://HOST:PORT or none',
      undefined,
    ],
    [
      'hosts: {a.b: {headers: {"A B": c}}}',
      'FILE:1:25: hosts["a.b"].headers: a name there is the name of an HTTP header, not "A B"',
      undefined,
    ],
    ['hosts: {a.b: {headers: {A: "x\\ny"}}}', 'FILE:1:28: hosts["a.b"].headers.a wants a text of one line', undefined],
    ["hosts: {a.b: {}, A.B: {}}", 'FILE:1:18: hosts["a.b"] stands there twice, first in line 1', undefined],
    ["jobs: 1\njobs: 2", "FILE:2:1: jobs stands there twice, first in line 1", undefined],
    [
      "credentials: {'*': {token: a}}",
      'FILE:1:15: credentials: a name there is HOST[:PORT][/PATH], not "*"',
      undefined,
    ],
    [
      "credentials: {a.b: {token: [s3cret]}}",
      'FILE:1:28: credentials["a.b"].token wants a text, not a list',
      undefined,
    ],
    ["credentials: {a.b: {credHelper: ../x}}", /credHelper wants the name of a helper/, undefined],
    [
      "hosts: {u:s3cret@a.b: {}}",
      'FILE:1:9: hosts: a name there is HOST, HOST:PORT or * for all, not "...@a.b"',
      undefined,
    ],
    ["promote: {stages: {d: {}}}", "FILE:1:20: promote.stages.d has nothing in it", undefined],
    ["promote: {stages: {d: {gates: }}}", "FILE:1:20: promote.stages.d has nothing in it", undefined],
    [
      "promote: {stages: {d: {gates: {approval: []}}}}",
      "FILE:1:42: promote.stages.d.gates.approval wants at least one: a text of one line",
      undefined,
    ],
    [
      "promote: {stages: {d: {gates: {commands: {s: []}}}}}",
      "FILE:1:46: promote.stages.d.gates.commands.s wants at least one: a text of one line",
      undefined,
    ],
    [
      "promote: {stages: {d: {gates: {timeout: 0s}}}}",
      'FILE:1:41: promote.stages.d.gates.timeout wants a time above 0 such as 500ms, 10s or 2m, not "0s"',
      undefined,
    ],
    ["- jobs: 1", "FILE:1:1: this has to be a map of keys", undefined],
    ["jobs", "FILE:1:1: this has to be a map of keys", undefined],
  ])("%j", async (text, message, hint) => {
    const found = await told(text);
    expect(found.message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
    expect(found.hint).toBe(hint);
  });

  test.each([
    ["{username: a}"],
    ["{password: s3cret}"],
    ["{username: a, token: s3cret}"],
    ["{token: s3cret, identityToken: s3cret}"],
    ["{}"],
  ])("a login has one way: %s", async (entry) => {
    const { message } = await told(`credentials:\n  a.b: ${entry}\n`);
    expect(message).toMatch(
      /^FILE:2:3: credentials\["a.b"\] wants username and password, or username and passwordFile, or /,
    );
    expect(message).not.toContain("s3cret");
  });
});

describe("what is no YAML, or more of it than a configuration needs", () => {
  test.each([
    ["jobs: [1\nretries: 2", "FILE:2:1: the indentation is not right"],
    ["userAgent: 'x", "FILE:1:14: a closing quote or bracket, a comma or a colon is missing"],
    ["\tjobs: 1", "FILE:1:1: a tab cannot indent; use spaces"],
    ["userAgent: @s3cret", "FILE:1:12: a text that starts with this character has to be in quotes"],
    [
      "userAgent: s3cret: x",
      "FILE:1:12: a map cannot begin on this line; a text with a colon in it has to be in quotes",
    ],
    ['userAgent: "\\q"', "FILE:1:13: this escape (\\) is not known in double quotes"],
    ["jobs: 1\n---\njobs: 2", "FILE:2:1: there is more than one document"],
    ["jobs: &a 1\nretries: *a", "FILE:2:10: aliases (*name) are not taken here"],
    ["jobs: !!int 1", "FILE:1:13: tags (!name) are not taken here"],
    ["jobs: !s3cret 1", "FILE:1:15: tags (!name) are not taken here"],
    ["? [a]\n: b", "FILE:1:3: a key has to be a text"],
    ["%YAML 3\n---\njobs: 1", "FILE:1:7: this %directive is not known"],
  ])("%j", async (text, message) => {
    expect((await told(text)).message).toBe(message);
  });

  test.each([
    ["lists in lists", "[".repeat(400_000), /nested too deeply/],
    ["maps in maps", "{a: ".repeat(200_000), /nested too deeply/],
    ["many keys", Array.from({ length: 100_000 }, (_, i) => `k${i}:`).join("\n"), /unknown key "k0".*and 99980 more$/],
    ["one key very often", "jobs: 1\n".repeat(100_000), /FILE:2:1: jobs stands there twice/],
    ["a long word", `jobs: ${"a".repeat(1_000_000)}`, /^FILE:1:7: jobs wants .{1,100}\.\.\."$/],
    ["a long name", `hosts: {${"a:".repeat(400_000)}: {}}`, /^FILE:1:/],
    ["a long host", `credentials: {"${"a/".repeat(400_000)}": {}}`, /^FILE:1:15: .{1,150}\.\.\."$/],
    ["variables in variables", `userAgent: "${"${".repeat(400_000)}"`, /^FILE:1:12: userAgent: after/],
    ["aliases of aliases", `a: &a [x]\n${"b: &b [*a, *a]\n".repeat(1000)}`, /aliases/],
    ["anchors", "&a ".repeat(300_000), /FILE:1:/],
    ["more than a mebibyte", `#${" ".repeat(1024 * 1024)}`, /^FILE: this is larger than 1 MiB$/],
  ])("%s", async (_, text, message) => {
    expect((await told(text)).message).toMatch(message);
  });

  test("bytes that are not UTF-8, with their line", async () => {
    expect((await told(Buffer.from("jobs: 1\nuserAgent: \xE4", "latin1"))).message).toBe("FILE:2:1: this is not UTF-8");
    expect((await told(Buffer.from("\uFEFFjobs: x", "utf16le"))).message).toBe("FILE:1:1: this is not UTF-8");
  });

  test("a byte order mark, comments and nothing at all are fine", async () => {
    for (const text of ["\uFEFFjobs: 3", "# nothing", "", "---\n", "hosts:\ncredentials: ~\n"]) {
      const made = await machine({ user: text });
      expect((await loadConfig(made)).values).toEqual(text.includes("jobs") ? { jobs: 3 } : {});
    }
  });
});

test("all that is wrong is told at once, of all levels; of very much, a part", async () => {
  const made = await machine(
    { project: "jobs: 0", user: "retrys: 1\nprogress: loud", system: "a: 1" },
    { GANTRY_RETRIES: "many", GANTRY_HOSTS: "[1", GANTRY_CA_FILES: "[a, {b: c}]" },
  );
  const { message, hint } = await rejection(loadConfig(made));
  expect(message.split("; ").map((one) => one.replace(made.root, ""))).toEqual([
    expect.stringMatching(/^GANTRY_HOSTS: .*is missing$/),
    'GANTRY_RETRIES: retries wants a whole number from 0 on, not "many"',
    "GANTRY_CA_FILES: caFiles wants a path, not a map",
    '/home/project/gantry.yaml:1:7: jobs wants a whole number from 1 on, not "0"',
    '/home/.config/gantry/config.yaml:1:1: unknown key "retrys" (did you mean retries?)',
    '/home/.config/gantry/config.yaml:2:11: progress wants auto, plain, json or none, not "loud"',
    '/etc/gantry/config.yaml:1:1: unknown key "a"',
  ]);
  expect(hint).toBe("gantry config validate lists them");
});

describe("files that cannot be read", () => {
  test("without permission", async () => {
    const made = await machine({ user: "jobs: 1" });
    await chmod(made.userFile, 0);
    await chmod(made.root, 0o755);
    const { message } = await unprivileged(() => rejection(loadConfig(made)));
    expect(message).toBe(`${made.userFile}: this cannot be read: permission denied`);
  });

  test("a directory in its place", async () => {
    const made = await machine();
    await mkdir(made.projectFile);
    expect((await rejection(loadConfig(made))).message).toBe(`${made.projectFile}: this is not a file`);
    expect((await rejection(loadConfig({ ...made, file: made.root }))).message).toBe(
      `${made.root}: this is a directory`,
    );
  });

  test.skipIf(spawnSync("mkfifo", ["--version"]).status !== 0)("a pipe that nobody writes to", async () => {
    const made = await machine();
    spawnSync("mkfifo", [made.projectFile]);
    expect((await rejection(loadConfig(made))).message).toBe(`${made.projectFile}: this is not a file`);
  });

  test("one that is named and not there; others may be missing", async () => {
    const made = await machine();
    const { message } = await rejection(loadConfig({ ...made, file: "none.yaml" }));
    expect(message).toBe(`${join(made.cwd, "none.yaml")}: there is no such file`);
    expect((await loadConfig(made)).values).toEqual({});
  });

  test("links in a circle are no file where one is looked for, and told where one is named", async () => {
    const made = await machine();
    await symlink(made.projectFile, made.projectFile);
    expect((await loadConfig(made)).values).toEqual({});
    expect((await rejection(loadConfig({ ...made, file: made.projectFile }))).message).toContain("in a circle");
  });
});
