import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { beforeEach, expect, test } from "vitest";
import { allCommands } from "../../src/cli/commands.ts";
import { longName } from "../../src/cli/option.ts";
import { asRegistryError, explain } from "../../src/cli/render/error.ts";
import { fileError } from "../../src/files/file-error.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { htpasswdAccess } from "../../src/server/index.ts";
import { testCertificate } from "../server/certificate.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, testRegistry } from "./support.ts";

interface Scene {
  /** A registry's repository with an image `1`. */
  readonly app: string;
  /** A host that wants a login. */
  readonly closed: string;
  readonly policy: string;
  readonly sync: string;
  readonly certificate: string;
}

type Line = (scene: Scene, file: string) => readonly string[];

/** Options and arguments that name a file which is read; what is absent is as wrong as what is a directory. */
const read: Readonly<Record<string, Line>> = {
  "apply plan": (_, file) => ["apply", file],
  "artifact attach file": ({ app }, file) => ["artifact", "attach", "--type", "a/b", `${app}:1`, file],
  "blob put file": ({ app }, file) => ["blob", "put", app, file],
  "config validate file": (_, file) => ["config", "validate", file],
  "lifecycle convert file": (_, file) => ["lifecycle", "convert", "--to", "ecr", file],
  "push path": ({ app }, file) => ["push", file, app],
  "sync file": (_, file) => ["sync", file],
  "sync import file": (_, file) => ["sync", "import", file],
  "undo journal": (_, file) => ["undo", file],
  "--ca-file": ({ app }, file) => ["ls", app, "--ca-file", file],
  "--cert-file": ({ app }, file) => ["ls", app, "--cert-file", file],
  "--key-file": ({ app, certificate }, file) => ["ls", app, "--cert-file", certificate, "--key-file", file],
  "--config": ({ app }, file) => ["ls", app, "--config", file],
  "--file": ({ app }, file) => ["promote", "--file", file, "--to", app],
  "--from": (_, file) => ["sync", "--from", file],
  "--have": ({ sync }, file) => ["sync", sync, "--to", `${sync}.tar`, "--have", file],
  "--htpasswd": ({ sync }, file) => ["serve", "--data", `${sync}.data`, "--listen", "0", "--htpasswd", file],
  "--in-use": ({ app, policy }, file) => ["retain", app, "--policy", policy, "--in-use", file],
  "--in-use-compose": ({ app, policy }, file) => ["retain", app, "--policy", policy, "--in-use-compose", file],
  "--policy": ({ app }, file) => ["retain", app, "--policy", file],
  "--registries-conf": ({ app }, file) => ["ls", app, "--registries-conf", file],
  "--rules": ({ app }, file) => ["tags", "plan", `${app}:1`, "--git-tag", "v1", "--rules", file],
  "--tls-cert": ({ sync }, file) => ["serve", "--data", `${sync}.data`, "--tls-cert", file, "--tls-key", sync],
  "--tls-key": ({ sync, certificate }, file) => [
    "serve",
    "--data",
    `${sync}.data`,
    "--tls-cert",
    certificate,
    "--tls-key",
    file,
  ],
};

/** Those that are read where they are there. */
const readIfThere: Readonly<Record<string, Line>> = {
  "--authfile": ({ closed }, file) => ["ls", `${closed}/app`, "--authfile", file],
  "--src-authfile": ({ app, closed }, file) => ["copy", `${closed}/app:1`, `${app}2`, "--src-authfile", file],
  "--dest-authfile": ({ app, closed }, file) => ["copy", `${app}:1`, `${closed}/app`, "--dest-authfile", file],
  "--history": ({ app }, file) => ["tags", "check", app, "--history", file],
};

/** Those that are written. */
const written: Readonly<Record<string, Line>> = {
  "pull path": ({ app }, file) => ["pull", `${app}:1`, `oci-archive:${file}`],
  "--chart": ({ app, policy }, file) => ["retain", app, "--policy", policy, "--chart", file],
  "--digest-file": ({ app }, file) => ["copy", `${app}:1`, `${app}2`, "--digest-file", file],
  "--html": ({ app }, file) => ["ls", app, "--usage", "--html", file],
  "--journal": ({ sync }, file) => ["sync", sync, "--yes", "--journal", file],
  "--out": ({ app, policy }, file) => ["retain", app, "--policy", policy, "--out", file],
  "--output": ({ app, sync }, file) => ["sync", "import", `${sync}.skopeo`, "--to", app, "--output", file],
  "--record": ({ sync }, file) => ["sync", sync, "--record", file],
  "--report": ({ sync }, file) => ["sync", sync, "--report", file],
  "--to": ({ sync }, file) => ["sync", sync, "--to", file, "--yes"],
};

/** What is only remembered: a warning, and all goes on. */
const optional = ["--cache"];

/** Arguments that a service has to be there for. */
const ofServices = ["lifecycle set file", "lifecycle preview file"];

test("every option and argument that names a file is in a table", () => {
  const named = allCommands().flatMap((command) => [
    ...command.options.filter(({ completes }) => completes === "file").map(({ flags }) => `--${longName(flags)}`),
    ...(command.arguments ?? [])
      .filter(({ completes }) => completes === "file")
      .map(({ name }) => `${command.name} ${name}`),
  ]);
  const known = [...Object.keys({ ...read, ...readIfThere, ...written }), ...optional, ...ofServices];
  expect(known.toSorted()).toEqual([...new Set(named)].toSorted());
});

let scene: Scene;
let folder: string;
beforeEach(async () => {
  folder = await temporaryDirectory();
  const users = join(folder, "users");
  await writeFile(users, `ci:${hashSync("pw", 4)}\n`);
  const [open, closed] = [await testRegistry(), await testRegistry({ access: htpasswdAccess({ file: users }) })];
  await putImage(open.store("app"), image("one"), "1");
  const app = `${open.host}/app`;
  const [policy, sync] = [join(folder, "policy.yaml"), join(folder, "sync.yaml")];
  await writeFile(policy, "version: 1\nrules: [{ name: some, keep: { newest: 3 } }]\n");
  await writeFile(sync, `version: 1\nsync: [{ name: app, from: ${app}, to: ${app}2, tags: [{ include: ["*"] }] }]\n`);
  await writeFile(`${sync}.skopeo`, "registry.example: { images: { app: [v1] } }\n");
  const certificate = join(folder, "certificate.pem");
  await writeFile(certificate, testCertificate);
  scene = { app, closed: closed.host, policy, sync, certificate };
});

const run = async (line: Line, file: string) => {
  const ended = await gantry(line(scene, file), { env: { HOME: folder }, signal: AbortSignal.timeout(10_000) });
  const told = ended.stdout + ended.stderr;
  expect(told).toContain(file);
  expect(told).not.toMatch(/illegal operation|(?<![-\w])E[A-Z]{4,}|\.gantry-|internal error/);
  expect(ended.code, ended.stderr).toBe(2);
  return told;
};

test.each(Object.entries({ ...read, ...readIfThere, ...written }))("%s is a directory", async (name, line) => {
  const file = join(folder, name === "--report" ? "directory.json" : "directory.svg");
  await mkdir(file);
  const told = await run(line, file);
  expect(told).toMatch(/is a directory|is not a file|is neither an OCI layout/);
  expect(await readdir(file)).toEqual([]);
});

const { "--journal": _made, ...intoFolders } = written;
test.each(Object.entries({ ...read, ...intoFolders }))(
  "%s is absent, or to be in a directory that is",
  async (name, line) => {
    const file = join(folder, "absent", name === "--report" ? "file.json" : "file.svg");
    const told = await run(line, file);
    expect(told).toMatch(/there is no (such (file|directory)|bundle)|is not there/);
  },
);

test.each<[string, Line]>([
  ["copy --digest-file", written["--digest-file"]!],
  ["pull --digest-file", ({ app, sync }, file) => ["pull", `${app}:1`, `oci:${sync}.oci`, "--digest-file", file]],
  ["sync --yes --report", ({ sync }, file) => ["sync", sync, "--yes", "--report", `${file}.json`]],
])("%s is looked at before anything is copied", async (_, line) => {
  const before = await readdir(folder);
  await run(line, join(folder, "absent", "file"));
  expect((await gantry(["digest", `${scene.app}2:1`])).code).toBe(3);
  expect(await readdir(folder)).toEqual(before);
});

test.skipIf(process.platform === "win32")("what goes to a device or a pipe does not take its place", async () => {
  const digest = image("one").blobs[1]!.descriptor.digest;
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const [bytes, ended] = await Promise.all([
    readFile(pipe),
    gantry(["blob", "get", `${scene.app}@${digest}`, "--output", pipe]),
  ]);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(digestOf(bytes)).toBe(digest);
  expect((await stat(pipe)).isFIFO()).toBe(true);
  expect(await gantry(["pull", `${scene.app}:1`, `oci-archive:${pipe}`])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`cannot write ${pipe}: it is a device or a pipe`),
  });
});

test.skipIf(!existsSync("/proc/self")).each<[string, Line]>([
  ["pull", ({ app }, place) => ["pull", `${app}:1`, `oci:${place}`]],
  ["artifact get --output-directory", ({ app }, place) => ["artifact", "get", `${app}:1`, "-o", place]],
  [
    "login --authfile",
    ({ closed }, place) => ["login", closed, "--no-check", "-u", "ci", "-p", "pw", "--authfile", `${place}/auth.json`],
  ],
])("%s where no directory can be made", async (_, line) => {
  await gantry(["artifact", "attach", "--type", "text/note", `${scene.app}:1`, scene.policy]);
  await run(line, "/proc/gantry/a");
});

test("a file that may not be read is nobody's login", () => {
  const error = Object.assign(new Error("EACCES"), { code: "EACCES", syscall: "open" });
  const explained = explain(asRegistryError(fileError(error, "read policy.yaml")), {
    words: ["retain", "registry.example/app", "--policy", "policy.yaml"],
    references: ["registry.example/app"],
  });
  expect(explained).toMatchObject({ code: "DENIED", message: "cannot read policy.yaml: permission denied" });
  expect(explained).not.toHaveProperty("likely");
  expect(explained).not.toHaveProperty("next");
});
