// Shows the main job on two registries of our own: `npm run demo`. What is printed is the command line's own output.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import { assembleImage } from "./demo-image.ts";

const root = join(import.meta.dirname, "..");
const gantry = join(root, "dist", "gantry.cjs");
const started = performance.now();
const work = await mkdtemp(join(tmpdir(), "gantry-demo-"));
const sbom = join(root, "examples", "image", "sbom.spdx.json");
const registries: ChildProcess[] = [];

process.once("SIGINT", () => void cleanUp().then(() => process.exit(130)));
try {
  await demo();
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${styleText("red", "the demo failed:")} ${(error as Error).message}\n`);
} finally {
  await cleanUp();
}

async function demo(): Promise<void> {
  const a = await serve("one");
  const b = await serve("two");
  say("Two registries are running. An image for two platforms is put together from the files of this repository.");
  const bytes = await assembleImage(root, join(work, "hello"), "1.0");

  say("It goes to the first registry, and an SBOM is attached to it.");
  await run("push", "hello", `${a}/hello:1.0`);
  await run("artifact", "attach", "--type", "application/spdx+json", `${a}/hello:1.0`, sbom);

  say("Copied to the second registry: both platforms, and the SBOM without being asked for.");
  await run("copy", `${a}/hello:1.0`, `${b}/mirror/hello`);
  await run("copy", `${a}/hello:1.0`, `${b}/mirror/hello`);

  say("What is there now:");
  await run("ls", b);
  await run("ls", "-l", `${b}/mirror/hello`);
  await run("inspect", `${b}/mirror/hello:1.0`);
  await run("tree", `${b}/mirror/hello:1.0`);

  say("Two more tags; deleting one leaves the other alone.");
  await run("tag", `${b}/mirror/hello:1.0`, "1", "latest");
  await run("delete", `${b}/mirror/hello:1`);
  await run("ls", `${b}/mirror/hello`);
  const [there, here] = [await run("digest", `${b}/mirror/hello:latest`), await run("digest", `${a}/hello:1.0`)];
  if (there !== here) throw new Error("the digests at both ends differ");

  say("Every byte at both ends, hashed again:");
  await run("check", "--deep", `${a}/hello:1.0`);
  await run("check", "--deep", `${b}/mirror/hello:1.0`);
  const seconds = (performance.now() - started) / 1000;
  say(`Done: ${(bytes / 1000).toFixed(0)} kB pushed, copied, looked at and checked in ${seconds.toFixed(1)} s.`);
}

function say(text: string): void {
  process.stdout.write(`\n${styleText("bold", text)}\n`);
}

/** Runs a command line before everybody's eyes; answers what it wrote to stdout. */
async function run(...words: readonly string[]): Promise<string> {
  const shown = words.map((word) => (word === sbom ? "sbom.spdx.json" : word)).join(" ");
  process.stdout.write(`\n${styleText("cyan", `$ gantry ${shown}`)}\n`);
  const child = spawn(process.execPath, [gantry, ...words], { cwd: work, stdio: ["ignore", "pipe", "inherit"] });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => {
    pieces.push(piece);
    process.stdout.write(piece);
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`gantry ${shown} ended with ${code}`);
  return Buffer.concat(pieces).toString();
}

/** Starts a registry on a free port; answers its host. */
async function serve(name: string): Promise<string> {
  const words = ["serve", "--data", join(work, name), "--listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [gantry, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  registries.push(child);
  for await (const line of createInterface(child.stderr)) {
    const host = /listening on https?:\/\/([^\s,]+)/.exec(line)?.[1];
    if (host !== undefined) {
      process.stdout.write(`${styleText("cyan", `$ gantry serve --data ${name} --listen ${host} &`)}\n`);
      child.stderr.resume();
      return host;
    }
  }
  throw new Error(`the registry ${name} did not start`);
}

async function cleanUp(): Promise<void> {
  const running = registries.filter((child) => child.exitCode === null && child.signalCode === null);
  const ended = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(ended);
  await rm(work, { recursive: true, force: true });
}
