// Runs one task of this project under the Node it needs, installing the dependencies first where they are missing.
// Plain JavaScript, because it has to start on any Node from 20 on: `node scripts/bootstrap.mjs TASK [ARG...]`.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const tool = (name) => [join(bin, process.platform === "win32" ? `${name}.cmd` : name)];
const node = ["node", "--disable-warning=ExperimentalWarning"];

const build = [tool("tsdown").concat("--log-level", "error")];
const test = [[...tool("vitest"), "run"]];
const lint = [
  tool("tsc"),
  [...tool("oxlint"), "--type-aware", "--deny-warnings"],
  [...tool("oxfmt"), "--check"],
  [...tool("knip")],
  ...build,
  [...tool("publint"), "--strict"],
  [...tool("attw"), "--pack", ".", "--profile", "esm-only"],
  [...node, "scripts/docs.ts", "--check"],
];
/** Written after each build that succeeded. */
const marker = join(root, "node_modules", ".gantry-built");
const built = () => (isBuilt() ? [] : build);
const tasks = {
  build,
  demo: [built, [...node, "scripts/demo.ts"]],
  test: [built, ...test],
  bench: [built, [...node, "bench/run.ts"]],
  format: [[...tool("oxfmt")]],
  lint,
  check: [...lint, ...test],
};

const [task, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task)) fail(`usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join("|")}`, 2);
if (!installed()) run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], process.env);

// npm's package `node` puts the right Node into node_modules/.bin: first on the PATH, everything below runs under it.
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
const steps = tasks[task].flatMap((step) => (typeof step === "function" ? step() : [step]));
for (const [i, step] of steps.entries()) {
  const last = i === steps.length - 1;
  if (["lint", "check"].includes(task))
    process.stderr.write(`\n> ${step.map((part) => part.replace(`${bin}/`, "")).join(" ")}\n`);
  // What earlier builds left there would be packed, too.
  if (step === build.at(-1)) rmSync(join(root, "dist"), { recursive: true, force: true });
  run(last ? [...step, ...args] : step, env);
  if (step === build.at(-1)) writeFileSync(marker, "");
}

/** Whether the installed packages are those of the lock file. */
function installed() {
  const lock = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(lock) || !existsSync(join(bin, "tsdown"))) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(lock, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || optional || present[path]?.version === version,
  );
}

/** Whether the last build is newer than all that it is made from; a file that went away leaves its directory newer. */
function isBuilt() {
  if (!existsSync(marker) || !existsSync(join(root, "dist", "gantry.cjs"))) return false;
  const { mtimeMs } = statSync(marker);
  const inputs = ["tsdown.config.ts", "package.json", "package-lock.json"].map((name) => join(root, name));
  const sources = readdirSync(join(root, "src"), { recursive: true }).map((name) => join(root, "src", name));
  return [...inputs, join(root, "src"), ...sources].every((path) => statSync(path).mtimeMs < mtimeMs);
}

function run([command, ...rest], environment) {
  const { status, signal, error } = spawnSync(command, rest, {
    cwd: root,
    env: environment,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error) fail(`gantry: cannot run ${command}: ${error.message}`, 1);
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message, code) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
