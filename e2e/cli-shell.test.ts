import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, type Outcome, run } from "./support/run.ts";

// The built command line in a shell: on a terminal, with a reader that leaves, and completed.
let work: string;
let image: MadeImage;
let registry: RunningRegistry;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-shell-"));
  registry = await startGantryRegistry();
  image = await makeImage(join(work, "layout"), { tag: "1.0", layers: 3, layerSize: 1_000_000 });
  await pushImage(join(work, "layout"), image, at("app:1.0"));
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

const at = (name: string): string => `${registry.host}/${name}`;
const hasProgram = (name: string, ...args: readonly string[]): boolean => spawnSync(name, args).status === 0;
const escape = "\u001B";

// util-linux's `script` gives a command a terminal, and shows what the terminal got.
describe.skipIf(!hasProgram("script", "--version"))("on a terminal [by util-linux's script]", () => {
  /** Runs a line in a shell on a terminal; `gantry` is the built one. */
  async function onTerminal(
    line: string,
    settings: { keys?: string; env?: Record<string, string | undefined> } = {},
  ): Promise<Outcome> {
    const env = { SHELL: "/bin/sh", TERM: "xterm", NO_COLOR: undefined, FORCE_COLOR: undefined, ...settings.env };
    const command = `stty cols 100; alias gantry='${gantryPath}'\n${line}`;
    return await run("script", ["-qefc", command, "/dev/null"], { cwd: work, env, stdin: settings.keys ?? "" });
  }
  const slow = "--limit-rate 4MB";

  test("a copy shows bars, which are gone at the end, and only the result goes to stdout", async () => {
    const { code, stdout } = await onTerminal(`gantry copy ${slow} oci:layout:1.0 ${at("bars")} > result`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/sha256:[0-9a-f]{12} .*━.* of 1\.0 MB/);
    expect(stdout).toMatch(/ of 3\.\d MB, \d of 4 blobs, .*\/s/);
    expect(stdout.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(stdout.lastIndexOf(`${escape}[?25l`));
    const result = await readFile(join(work, "result"), "utf8");
    expect(result).toMatch(new RegExp(`^${at("bars:1.0")}@${image.root.digest}\n`));
    expect(result).not.toContain(escape);
  });

  test.each([
    { name: "--progress none", flags: "--progress none", env: {} },
    { name: "--quiet", flags: "--quiet", env: {} },
    { name: "--progress plain", flags: "--progress plain", env: {} },
    { name: "TERM=dumb", flags: "", env: { TERM: "dumb" } },
  ])("with $name there are no bars", async ({ name, flags, env }) => {
    const { code, stdout } = await onTerminal(
      `gantry copy ${slow} ${flags} oci:layout:1.0 ${at(name.replace(/\W/g, "").toLowerCase())}`,
      { env },
    );
    expect(code).toBe(0);
    expect(stdout).toContain(image.root.digest);
    expect(stdout).not.toMatch(/━|\[\?25/);
  });

  test("results have colours, unless NO_COLOR", async () => {
    expect((await onTerminal(`gantry inspect ${at("app:1.0")}`)).stdout).toContain(`${escape}[`);
    const plain = await onTerminal(`gantry inspect ${at("app:1.0")}`, { env: { NO_COLOR: "1" } });
    expect(plain.stdout).toContain(image.root.digest);
    expect(plain.stdout).not.toContain(escape);
    const bars = await onTerminal(`gantry copy ${slow} oci:layout:1.0 ${at("colourless")}`, { env: { NO_COLOR: "1" } });
    expect(bars.stdout).toContain("━");
    expect(bars.stdout).not.toMatch(/\[3\dm/);
  });

  test("Ctrl-C ends a copy with 130 and gives the cursor back", async () => {
    const copy = `gantry copy --limit-rate 300kB oci:layout:1.0 ${at("stopped")}`;
    const keys = "until grep -aq /s shown; do sleep 0.05; done; printf '\\003'; sleep 1";
    const line = `touch shown; (${keys}) | TERM=xterm script -qefc "stty cols 100; ${copy.replace("gantry", gantryPath)}" shown`;
    const { code } = await run("bash", ["-c", line], { cwd: work });
    const shown = await readFile(join(work, "shown"), "utf8");
    expect({ code, shown }).toMatchObject({ code: 130, shown: expect.stringContaining("interrupted") });
    expect(shown.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(shown.lastIndexOf(`${escape}[?25l`));
    expect((await gantry("digest", at("stopped:1.0"))).code).toBe(3);
  });

  test("a digest is deleted after a yes, and after nothing else", async () => {
    await must(gantry("copy", at("app:1.0"), at("asked")));
    const line = `gantry delete ${at(`asked@${image.root.digest}`)}`;
    const refused = await onTerminal(line, { keys: "n\n" });
    expect(refused).toMatchObject({
      stdout: expect.stringMatching(/would delete .* with its tag 1\.0[^]*\[y\/N\][^]*nothing was deleted/),
    });
    expect(refused.code).not.toBe(0);
    expect((await gantry("digest", at("asked:1.0"))).code).toBe(0);
    expect(await onTerminal(line, { keys: "y\n" })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("deleted "),
    });
    expect((await gantry("digest", at("asked:1.0"))).code).toBe(3);
  });
});

describe("a reader that has had enough", () => {
  test("is no failure", async () => {
    await must(gantry("copy", at("app:1.0"), at("many")));
    const tags = Array.from({ length: 3000 }, (_, i) => `a-long-tag-that-fills-a-pipe-${i}`);
    for (let i = 0; i < tags.length; i += 1000) {
      await must(run(gantryPath, ["tag", at("many:1.0"), ...tags.slice(i, i + 1000)]));
    }
    const line = '"$0" ls "$1" | head -1; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await run("bash", ["-c", line, gantryPath, at("many")]);
    expect({ stdout, stderr }).toEqual({ stdout: "1.0\n0\n", stderr: "" });
  });
});

describe("completion", () => {
  /** Like `describe`, in a shell: skipped by name where it is absent. */
  const describeIn = (shell: string, body: () => void): void => {
    if (hasProgram(shell, "-c", "exit 0")) describe(`in ${shell}`, body);
    else describe.skip(`in ${shell} [absent: ${shell}]`, body);
  };

  describeIn("bash", () => {
    const complete = async (line: string): Promise<readonly string[]> => {
      const script =
        'PATH="${0%/*}:$PATH"; source <(gantry completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _gantry 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"';
      return (await must(run("bash", ["-c", script, gantryPath, line], { cwd: work }))).split("\n");
    };
    test("knows commands, options, repositories and tags", async () => {
      expect(await complete("gantry co")).toEqual(expect.arrayContaining(["copy", "config", "completion"]));
      expect(await complete("gantry copy --all")).toContain("--all-tags");
      expect(await complete(`gantry digest ${registry.host}/`)).toContainEqual(expect.stringMatching(/\/app$/));
      expect(await complete(`gantry digest ${registry.host}/app:`)).toEqual(["1.0"]);
    });
  });

  describeIn("zsh", () => {
    test("loads", async () => {
      const line = 'autoload -U compinit; compinit -u -D; source <("$0" completion zsh); whence -w _gantry';
      expect(await must(run("zsh", ["-f", "-c", line, gantryPath]))).toBe("_gantry: function");
    });
  });

  describeIn("fish", () => {
    test("knows commands", async () => {
      const line = `${gantryPath} completion fish | source; set PATH ${join(gantryPath, "..")} $PATH; complete -C "gantry co"`;
      expect(await must(run("fish", ["--no-config", "-c", line]))).toContain("copy");
    });
  });
});
