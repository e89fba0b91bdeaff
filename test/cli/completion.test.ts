import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complete, type Lookup } from "../../src/cli/completion.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry } from "./support.ts";

const registry: Readonly<Record<string, readonly string[]>> = {
  "r.example:5000": ["app", "team/api"],
  "r.example:5000/app": ["1.0", "1.1", "latest"],
};
const lookup: Lookup = async function* (place) {
  const list = registry[place];
  if (!list) throw new Error(`${place} does not answer`);
  yield* list;
};

async function words(...typed: readonly string[]): Promise<readonly string[]> {
  return (await complete(typed, lookup)).candidates.map(({ word }) => word);
}

describe("offers", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["co"], ["copy", "config", "completion"]],
    [["bl"], ["blob"]],
    [
      ["blob", ""],
      ["get", "put"],
    ],
    [["__"], []],
    [["nothing", ""], []],
    [["copy", "--dry"], ["--dry-run"]],
    [
      ["cp", "--no-"],
      ["--no-clobber", "--no-referrers", "--no-mirrors"],
    ],
    [
      ["version", "-"],
      ["--format", "--help"],
    ],
    [["digest", "--format", "j"], ["json"]],
    [["digest", "--format=n"], ["--format=ndjson"]],
    [
      ["copy", "--platform", "linux/arm"],
      ["linux/arm64", "linux/arm/v7"],
    ],
    [["copy", "--creds", "a"], []],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [
      ["copy", "oci"],
      ["oci:", "oci-archive:"],
    ],
    [
      ["digest", "r.example:5000/"],
      ["r.example:5000/app", "r.example:5000/team/api"],
    ],
    [["digest", "r.example:5000/t"], ["r.example:5000/team/api"]],
    [
      ["copy", "--jobs", "2", "x", "r.example:5000/app:1"],
      ["r.example:5000/app:1.0", "r.example:5000/app:1.1"],
    ],
    [["ls", "r.example:5000/app:"], []],
    [["digest", "unknown.example/"], []],
    [["digest", "app"], []],
    [["digest", "a", "r.example:5000/"], []],
    [
      ["repo", ""],
      ["list", "info", "create", "delete"],
    ],
    [["repo", "ls", "--fil"], ["--filter"]],
    [["immutability", "set", "--tags", "i"], ["immutable"]],
    [
      ["ls", "--provider", "ecr"],
      ["ecr", "ecr-public"],
    ],
  ])("for %j: %j", async (typed, expected) => {
    expect(await words(...typed)).toEqual(expected);
  });

  test.each<[readonly string[], readonly string[]]>([
    [["push", ""], ["files"]],
    [["serve", "--data", ""], ["directories"]],
    [["copy", "--ca-file", ""], ["files"]],
    [["digest", "r.example:5000/"], ["nospace"]],
  ])("for %j the shell gets the direction %j", async (typed, expected) => {
    expect((await complete(typed, lookup)).directions).toEqual(expected);
  });
});

test("the hidden command answers from a registry, with what commands are about behind a tab", async () => {
  const { host, store } = await testRegistry();
  for (const tag of ["1.0", "2.0"]) await putImage(store("app"), image(tag), tag);
  expect(await must("__complete", "--", "digest", `${host}/app:`)).toBe(`${host}/app:1.0\n${host}/app:2.0\n:nospace\n`);
  expect(await must("__complete", "--", "digest", `${host}/`)).toBe(`${host}/app\n:nospace\n`);
  expect(await must("__complete", "--", "che")).toBe(
    "check\tsee whether all that a tag needs is there and intact, and mend it\n",
  );
});

test("there is a script for three shells", async () => {
  for (const shell of ["bash", "zsh", "fish"]) expect(await must("completion", shell)).toContain("__complete");
  expect(await gantry(["completion", "tcsh"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("bash, zsh and fish"),
  });
});

const hasShell = (name: string): boolean => spawnSync(name, ["-c", "exit 0"]).status === 0;

describe.skipIf(!hasShell("bash"))("in bash", () => {
  /** What bash would put in place of the word before the cursor. */
  async function reply(line: string): Promise<string> {
    const work = await temporaryDirectory();
    const fake = join(work, "gantry");
    const answers = "printf 'r.example:5000/app:1.0\\nr.example:5000/app:1.1\\n:nospace\\n'";
    await writeFile(fake, `#!/bin/sh\necho "$@" >${work}/asked\n${answers}\n`, { mode: 0o755 });
    await writeFile(join(work, "script"), await must("completion", "bash"));
    const commands = `source ${work}/script; COMP_LINE='${line}'; COMP_POINT=${line.length}; _gantry 2>/dev/null; echo "\${COMPREPLY[@]}"; cat ${work}/asked`;
    return spawnSync("bash", ["-c", commands], { env: { PATH: `${work}:/usr/bin:/bin` } }).stdout.toString();
  }

  test("what stands before the last colon is not repeated", async () => {
    expect(await reply("gantry digest r.example:5000/app:1")).toBe(
      "1.0 1.1\n__complete -- digest r.example:5000/app:1\n",
    );
  });

  test("an empty word is a word", async () => {
    expect(await reply("gantry digest ")).toBe(
      "r.example:5000/app:1.0 r.example:5000/app:1.1\n__complete -- digest \n",
    );
  });
});
