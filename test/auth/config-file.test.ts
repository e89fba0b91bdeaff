import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { changeConfig } from "../../src/auth/config-file.ts";
import { isRegistryError } from "../../src/oci/error.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const secret = "s3cret-in-the-file";

async function fileWith(text: string | undefined): Promise<string> {
  const file = join(await temporaryDirectory(), "config.json");
  if (text !== undefined) await writeFile(file, text);
  return file;
}

async function changed(text: string | undefined): Promise<string> {
  const file = await fileWith(text);
  await changeConfig(file, (config) => ({ ...config, added: true }));
  return readFile(file, "utf8");
}

describe("what others keep there stays", () => {
  test.each([
    ["tabs", '{\n\t"a": {\n\t\t"b": 1\n\t}\n}', '{\n\t"a": {\n\t\t"b": 1\n\t},\n\t"added": true\n}'],
    ["two spaces, and a last line end", '{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "added": true\n}\n'],
    ["one line", '{"a":1}', '{"a":1,"added":true}'],
    [
      "numbers as they are written",
      '{"a":1.0,"b":12345678901234567890}',
      '{"a":1.0,"b":12345678901234567890,"added":true}',
    ],
    ["a key called __proto__", '{"__proto__":{"x":1}}', '{"__proto__":{"x":1},"added":true}'],
    ["nothing in the file", "", '{\n\t"added": true\n}'],
    ["no file", undefined, '{\n\t"added": true\n}'],
    ["a byte order mark", '\uFEFF{"a":1}', '{"a":1,"added":true}'],
  ])("%s", async (_, before, after) => {
    expect(await changed(before)).toBe(after);
  });

  test("whatever it is", async () => {
    const file = await fileWith(undefined);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (config) => {
        const text = JSON.stringify(config, undefined, 2);
        await writeFile(file, text);
        await changeConfig(file, (now) => ({ ...now }));
        expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(text));
      }),
      { numRuns: 50 },
    );
  });
});

describe("a file that is not right is told, and not touched", () => {
  test.each([
    ["not JSON", `{"auths": {"a": {"auth": "${secret}"}},`, /config\.json is not valid JSON: line 1, column \d+$/],
    ["broken in its third line", `{\n"a": 1,\n ${secret}\n}`, /line 3, column/],
    ["a list", "[]", /is not a JSON object/],
    ["a text", `"${secret}"`, /is not a JSON object/],
    ["null", "null", /is not a JSON object/],
  ])("%s", async (_, text, message) => {
    const file = await fileWith(text);
    const error = await changeConfig(file, () => ({})).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringMatching(message), hint: "mend it" });
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
    expect(await readFile(file, "utf8")).toBe(text);
    expect(await readdir(join(file, ".."))).toEqual(["config.json"]);
  });

  test("a directory in its place", async () => {
    const file = await fileWith(undefined);
    await mkdir(file);
    await expect(changeConfig(file, () => ({}))).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/is not a file$/),
    });
  });

  test("a place where no directory can be", async () => {
    const file = await fileWith("{}");
    await expect(changeConfig(join(file, "below", "x.json"), () => ({ a: 1 }))).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot write .*x\.json: /),
    });
  });
});

describe("who may read it", () => {
  const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

  test.each([
    [0o644, "600"],
    [0o600, "600"],
    [0o400, "400"],
  ])("a file of mode %o has then %s", async (before, after) => {
    const file = await fileWith("{}");
    await chmod(file, before);
    await changeConfig(file, () => ({ a: 1 }));
    expect(await mode(file)).toBe(after);
  });

  test("a new one is its owner's alone, and so is its directory", async () => {
    const file = join(await temporaryDirectory(), "made", "config.json");
    await changeConfig(file, () => ({ a: 1 }));
    expect([await mode(file), await mode(join(file, ".."))]).toEqual(["600", "700"]);
  });
});

describe("a link stays one", () => {
  test.each([
    ["to a file", true],
    ["to nothing yet", false],
  ])("%s", async (_, exists) => {
    const folder = await temporaryDirectory();
    await mkdir(join(folder, "real"));
    if (exists) await writeFile(join(folder, "real", "config.json"), '{"a":1}');
    await symlink(join("real", "config.json"), join(folder, "config.json"));
    await changeConfig(join(folder, "config.json"), (config) => ({ ...config, b: 2 }));
    expect(await readlink(join(folder, "config.json"))).toBe(join("real", "config.json"));
    expect(JSON.parse(await readFile(join(folder, "real", "config.json"), "utf8"))).toMatchObject({ b: 2 });
    expect(await readdir(join(folder, "real"))).toEqual(["config.json"]);
  });

  test("in a circle it is told", async () => {
    const file = await fileWith(undefined);
    await symlink("config.json", file);
    await expect(changeConfig(file, () => ({}))).rejects.toSatisfy((error) => isRegistryError(error, "INVALID"));
  });
});

test("what is not changed is not written", async () => {
  const file = await fileWith('{ "odd":   1 }');
  const { ino } = await stat(file);
  await changeConfig(file, (config) => config);
  expect([await readFile(file, "utf8"), (await stat(file)).ino]).toEqual(['{ "odd":   1 }', ino]);
});

test("changes made at the same time do not lose each other", async () => {
  const file = await fileWith("{}");
  const names = Array.from({ length: 20 }, (_, i) => `login-${i}`);
  await Promise.all(names.map((name) => changeConfig(file, (config) => ({ ...config, [name]: 1 }))));
  expect(Object.keys(JSON.parse(await readFile(file, "utf8")) as object).sort()).toEqual(names.sort());
});

test("a process that is killed while it writes leaves a whole file, and no lock that stays", async () => {
  const file = await fileWith('{"log":""}');
  const module = join(import.meta.dirname, "../../src/auth/config-file.ts");
  const program = `import { changeConfig } from ${JSON.stringify(module)};
    const pad = "x".repeat(1_000_000);
    for (;;) { await changeConfig(${JSON.stringify(file)}, ({ log }) => ({ log: log + ".", pad })); console.log("."); }`;
  let before = 0;
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    onTestFinished(() => void child.kill("SIGKILL"));
    await Promise.race([once(child.stdout, "data"), ended]);
    child.kill("SIGKILL");
    await ended;
    const { log } = JSON.parse(await readFile(file, "utf8")) as { readonly log: string };
    expect(log.length).toBeGreaterThan(before);
    before = log.length;
  }
  await changeConfig(file, () => ({ done: true }));
  expect(await readFile(file, "utf8")).toBe('{"done":true}');
  expect(await readdir(join(file, ".."))).toEqual(["config.json"]);
});
