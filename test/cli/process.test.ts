import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { version } from "../../src/version.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testRegistry } from "./support.ts";

const root = join(import.meta.dirname, "../..");
const main = join(root, "src/cli/main.ts");
const built = join(root, "dist/gantry.cjs");

function start(...words: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...words], { env: { ...process.env, HOME: "/nonexistent" } });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (piece: Buffer) => (texts[name] += piece.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts };
}

test("the version is the package's", async () => {
  const { version: packaged } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(version).toBe(packaged);
  for (const word of ["version", "--version", "-V"]) {
    expect(await ended(start(word))).toEqual({ code: 0, stdout: `gantry ${packaged}\n`, stderr: "" });
  }
});

/** The files of ours that a command line reads, by Node's loaders or the built program's own. */
async function filesRead(entry: string, ...words: readonly string[]): Promise<string[]> {
  const recorder = join(await temporaryDirectory(), "recorder.cjs");
  await writeFile(
    recorder,
    `const fs = require("node:fs");
     const told = (name) => process.stderr.write("read " + name + "\\n");
     require("node:module").registerHooks({
       load(url, context, next) { if (url.startsWith("file:")) told(new URL(url).pathname); return next(url, context); },
     });
     const { readFileSync } = fs;
     fs.readFileSync = (path, ...rest) => { if (/\\.cjs$/.test(path)) told(path); return readFileSync(path, ...rest); };`,
  );
  const { stderr } = spawnSync(process.execPath, ["--require", recorder, entry, ...words], { encoding: "utf8" });
  const files = stderr.split("\n").flatMap((line) => (line.startsWith("read ") ? [line.slice(5)] : []));
  return [...new Set(files)].map((path) => relative(root, path)).filter((path) => !path.startsWith(".."));
}

describe("start-up", () => {
  test("version reads three small files", async () => {
    expect(await filesRead(main, "version")).toEqual(["src/cli/main.ts", "src/cli/start.ts", "src/version.ts"]);
  });

  test.skipIf(!existsSync(built))(
    "of the built program reads few files: for help all tables, for a command its own",
    async () => {
      const plain = async (...words: readonly string[]): Promise<string[]> =>
        (await filesRead(built, ...words)).map((path) => path.replace(/\.cjs$/, ""));
      expect(await plain("version")).toEqual(["dist/gantry"]);
      const help = await plain("--help");
      expect(help.some((path) => /client|registry/.test(path))).toBe(false);
      expect(help.filter((path) => path.endsWith("-table"))).toHaveLength(4);
      expect(help.length).toBeLessThanOrEqual(9);
      const digest = await plain("digest", "127.0.0.1:1/x:y", "--retries", "0");
      expect(digest).toEqual(expect.arrayContaining(["dist/cli/client", "dist/cli/registry", "dist/cli/digest"]));
      expect(digest.some((path) => /serve|copy|images$|tree/.test(path))).toBe(false);
      // It fails, and all tables are asked which words are secrets.
      expect(digest.filter((path) => !path.endsWith("-table")).length).toBeLessThanOrEqual(9);
    },
  );
});

describe("signals", () => {
  test("Ctrl-C ends a command with 130, and a registry with 0", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const silent = createServer(() => resolve()).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await once(silent, "listening");
    const child = start("digest", `127.0.0.1:${(silent.address() as { port: number }).port}/app:1`);
    await asked;
    child.kill("SIGINT");
    expect(await ended(child)).toEqual({ code: 130, stdout: "", stderr: "error: interrupted\n" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s stops a registry cleanly, which has said nothing but where it listens",
    async (signal) => {
      const child = start("serve", "--data", join(await temporaryDirectory(), "data"), "--listen", "127.0.0.1:0");
      const [first] = (await once(child.stderr, "data")) as [Buffer];
      expect(first.toString()).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+, /);
      child.kill(signal);
      expect(await ended(child)).toEqual({ code: 0, stdout: "", stderr: "stopping\n" });
    },
  );
});

describe("a pipe that nobody writes", () => {
  async function hanging(...more: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
    const pipe = join(await temporaryDirectory(), "pipe");
    spawnSync("mkfifo", [pipe]);
    const child = start("apply", pipe, ...more);
    await expect.poll(() => waitsFor(child.pid!), { timeout: 10_000 }).toBe(true);
    return child;
  }

  /** Whether a thread of a process waits for somebody to open the other end. */
  function waitsFor(pid: number): boolean {
    return readdirSync(`/proc/${pid}/task`).some((thread) =>
      /wait_for_partner|fifo_open/.test(readFileSync(`/proc/${pid}/task/${thread}/wchan`, "utf8")),
    );
  }

  test("keeps no command that was told to stop", { timeout: 30_000 }, async () => {
    const child = await hanging();
    child.kill("SIGTERM");
    const { stderr } = await ended(child);
    expect(child.signalCode).toBe("SIGINT");
    expect(stderr).toBe(
      "warning: a file, a pipe or a program did not let go within 5.0 s: ended all the same\n" +
        "error: interrupted\n  hint  run it again: it goes on from there\n",
    );
  });

  test("keeps none whose time is up", { timeout: 30_000 }, async () => {
    const child = await hanging("--command-timeout", "2s");
    const { stderr } = await ended(child);
    expect(child.signalCode).toBe("SIGTERM");
    expect(stderr).toContain("error: the command was not done within 2.0 s\n");
  });

  test("keeps none that was told twice", { timeout: 30_000 }, async () => {
    const child = await hanging();
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGTERM"), 100);
    const began = performance.now();
    await ended(child);
    expect(child.signalCode).toBe("SIGINT");
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

test("a name that is not UTF-8 is refused, and nothing is made under another", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("app"), "1");
  const directory = await temporaryDirectory();
  const line = `exec "$0" "$1" pull "$2" "$(printf 'a\\377')"`;
  const child = spawn("sh", ["-c", line, process.execPath, main, `${host}/app:1`], { cwd: directory });
  expect(await ended(child)).toMatchObject({ code: 2, stderr: expect.stringContaining("is not UTF-8") });
  expect(readdirSync(directory)).toEqual([]);
});

test("in a directory whose name is not UTF-8, no layout is made in another", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("app"), "1");
  const directory = await temporaryDirectory();
  const line = `mkdir "$(printf 'd\\377')" && cd "$(printf 'd\\377')" && exec "$0" "$1" copy "$2" oci:out`;
  const child = spawn("sh", ["-c", line, process.execPath, main, `${host}/app:1`], { cwd: directory });
  const stderr = expect.stringContaining("out is below a directory whose name is not UTF-8") as unknown;
  expect(await ended(child)).toMatchObject({ code: 2, stderr });
  expect(readdirSync(directory)).toHaveLength(1);
});

test("a reader that goes early is no failure", async () => {
  const { host, store } = await testRegistry();
  await putImage(store("app"), image("app"), "1");
  const manifest = image("app").manifest;
  for (let i = 0; i < 2000; i++)
    await store("app").putManifest(manifest, { tag: `a-tag-with-a-long-name-so-that-it-fills-a-pipe-${i}` });
  const child = start("ls", `${host}/app`);
  const [piece] = (await once(child.stdout, "data")) as [Buffer];
  child.stdout.destroy();
  expect(piece.toString()).toContain("1\n");
  expect(await ended(child)).toMatchObject({ code: 0, stderr: "" });
});

test.skipIf(!existsSync("/dev/full"))(
  "a full disk is an error, which says what could not be written",
  { timeout: 60_000 },
  async () => {
    const { host, store } = await testRegistry();
    await putImage(store("app"), image("app"), "1");
    const full = async (...words: readonly string[]): Promise<{ code: number | null; stderr: string }> => {
      const child = spawn("sh", ["-c", 'exec "$@" > /dev/full', "sh", process.execPath, main, ...words]);
      const { code, stderr } = await ended(child);
      return { code, stderr: stderr.split("\n")[0]! };
    };
    const message = "cannot write standard output: no space is left on the device";
    expect(await full("version")).toEqual({ code: 1, stderr: "error: cannot write standard output: ENOSPC" });
    for (const words of [["--help"], ["ls", `${host}/app`, "--format", "yaml"], ["pull", `${host}/app:1`, "-"]])
      expect(await full(...words)).toEqual({ code: 1, stderr: `error: ${message}` });
    const written = await ended(start("copy", `${host}/app:1`, `${host}/b:1`, "--digest-file", "/dev/full"));
    expect([written.code, written.stderr]).toEqual([1, expect.stringContaining("cannot write /dev/full: no space")]);
  },
);
