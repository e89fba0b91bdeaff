import { hashSync } from "bcryptjs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { allCommands } from "../../src/cli/commands.ts";
import { policyDocument } from "../../src/cli/lifecycle-shapes.ts";
import { attachedDocument } from "../../src/cli/plan-shapes.ts";
import { shapes, type Shape } from "../../src/cli/shapes.ts";
import { artifactFile, attach } from "../../src/index.ts";
import { formatPlan, type Plan } from "../../src/plan/index.ts";
import { receiptType, type Receipt } from "../../src/policy/index.ts";
import { htpasswdAccess } from "../../src/server/index.ts";
import { dockerArchiveStore, layoutStore } from "../../src/store/index.ts";
import { image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { ecrPolicy, retention } from "./lifecycle-scene.ts";
import { testService } from "./service-scene.ts";
import { gantry, testRegistry, type CliOptions, type Ended, type TestRegistry } from "./support.ts";

const app = twoPlatforms("app");
const next = image("next");
const examples = allCommands().flatMap((command) =>
  command.examples.map((example) => [example.line, command.name] as const),
);

let files: string;

beforeAll(async () => {
  files = await mkdtemp(join(tmpdir(), "gantry-examples-"));
  await putImage(layoutStore(join(files, "images")), app, "1.0");
  const saved = dockerArchiveStore(join(files, "saved.tar"));
  await putImage(saved, image("saved", { docker: true }), "registry.example/saved:1.0");
  await saved.flush();
  await saved.close();
  await writeFile(join(files, "sbom.json"), "{}");
  await writeFile(join(files, "ecr.json"), JSON.stringify(ecrPolicy));
  await writeFile(join(files, "retention.json"), JSON.stringify(retention));
  await writeFile(join(files, "running.txt"), "registry.example/app:1.0\n");
  await writeFile(join(files, "retain.yaml"), "version: 1\nrules: [{ tags: [old], delete: { olderThan: 0d } }]\n");
  await writeFile(join(files, "gantry.yaml"), "retries: 4\n");
  await writeFile(
    join(files, "regsync.yml"),
    "sync: [{ source: registry.example/app, target: mirror.example/app, type: repository }]\n",
  );
  await writeFile(join(files, "skopeo-sync.yml"), "registry.example: { images: { app: ['1.0'] } }\n");
  await writeFile(join(files, "users"), `alice:${hashSync("secret", 4)}\n`);
  await writeFile(join(files, "password"), "secret\n");
});
afterAll(() => rm(files, { recursive: true }));

/** What the examples are about: registries, one of a service with all there can be, one with users, and a directory with some images and files, which is where they run. */
async function scene(served: boolean): Promise<{
  readonly source: TestRegistry;
  readonly mirror: TestRegistry;
  readonly locked: TestRegistry;
  readonly work: string;
}> {
  const [source, mirror, locked, work, before] = [
    served ? await testService() : await testRegistry(),
    await testRegistry(),
    await testRegistry({ access: htpasswdAccess({ file: join(files, "users") }) }),
    await temporaryDirectory(),
    process.cwd(),
  ];
  process.chdir(work);
  onTestFinished(() => process.chdir(before));
  await cp(files, work, { recursive: true });
  for (const tag of ["1.0", "old"]) await putImage(source.store("app"), app, tag);
  await putImage(source.store("staging/app"), app, "1.0");
  await putImage(mirror.store("app"), app, "1.0");
  const sbom = {
    artifactType: "application/spdx+json",
    files: [artifactFile(Buffer.from("{}"), "application/spdx+json", "first.json")],
  };
  await attach(source.store("app"), sbom, { subject: "1.0" });
  const logins = { auths: { [locked.host]: { auth: btoa("alice:secret") } } };
  await writeFile("logins.json", JSON.stringify(logins));
  await putImage(source.store("app"), next, "prod");
  await attach(source.store("app"), receiptAt(source.host), { subject: "prod" });
  // The user's own file: a project's says where images go only where it is trusted.
  await mkdir(".config/gantry", { recursive: true });
  await writeFile(".config/gantry/config.yaml", stagesAt(source.host));
  await writeFile("immutable.yaml", "tags: {immutable: ['v*']}\n");
  await writeFile("tag-rules.yaml", "tags: |\n  type=semver,pattern={{version}}\n");
  await writeFile("plan.json", formatPlan(planOf(source.host)));
  await writeFile("retain.jsonl", journalOf(source.host));
  const mapping = {
    name: "app",
    from: `${source.host}/app`,
    to: `${mirror.host}/sync/{name}`,
    tags: [{ include: ["1.*"] }],
  };
  await writeFile("sync.yaml", JSON.stringify({ version: 1, sync: [mapping] }));
  return { source, mirror, locked, work };
}

/** One stage. */
function stagesAt(host: string): string {
  return `promote: {stages: {staging: {to: "${host}/staging/{name}"}}}\n`;
}

/** What says that `prod` was moved to an image, and named the other before. */
function receiptAt(host: string): Parameters<typeof attach>[1] {
  const { digest } = next.manifest.descriptor;
  const receipt: Receipt = {
    version: 1,
    kind: "promotion",
    when: "2026-11-20T14:05:00Z",
    who: { name: "alice" },
    digest,
    from: `${host}/app@${digest}`,
    to: `${host}/app`,
    tags: [{ tag: "prod", before: app.manifest.descriptor.digest }],
    gates: [],
    tool: "gantry 0.1.0",
  };
  return { artifactType: receiptType, files: [artifactFile(Buffer.from(JSON.stringify(receipt)), receiptType)] };
}

/** A plan that takes the tag `old` away. */
function planOf(host: string): Plan {
  const { digest } = app.manifest.descriptor;
  const step = { id: "1", do: "delete tag", at: `${host}/app:old`, digest, why: "it is old" } as const;
  const kept = { at: `${host}/app:1.0`, digest, why: "it is the newest" };
  return { version: 1, kind: "retain", made: "2026-11-20T14:05:00Z", steps: [step], kept: [kept], notes: [] };
}

/** The journal of a plan that took the tag `gone` away. */
function journalOf(host: string): string {
  const { steps, kind, made } = planOf(host);
  const { digest } = app.manifest.descriptor;
  const lines = [
    { line: "plan", version: 1, digest, kind, made },
    { line: "begin", step: { ...steps[0], at: `${host}/app:gone` }, before: { tag: digest } },
    { line: "end", id: "1", outcome: "done" },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Runs an example as it stands, but for the hosts and digests; a server is stopped when it listens. */
async function runExample(line: string, extra: readonly string[] = []): Promise<Ended> {
  const served =
    /^gantry (?:repo|retain|immutability|lifecycle|findings|search|quota|replication|tags plan --set-immutability) /.test(
      line,
    );
  const { source, mirror, locked } = await scene(served);
  if (line.includes("--from bundle.tar")) await gantry(["sync", "sync.yaml", "--to", "bundle.tar", "--yes"]);
  const [command, file] = line.replace(/ < .*$/, "").split(" > ");
  const input = / < (\S+)$/.exec(line)?.[1];
  const needsUsers = ["login", "logout", "auth"].includes(line.split(" ")[1]!);
  const words = [...command!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
  const filled = words.slice(1).map((word) =>
    word
      .replace("registry.example", (needsUsers ? locked : source).host)
      .replace("mirror.example", mirror.host)
      .replace("DIGEST", app.manifest.descriptor.digest)
      .replace("LAYER", app.children[0]!.blobs[1]!.descriptor.digest),
  );
  const ended = await gantry([...filled, ...extra], {
    ...(words[1] === "serve" && untilItListens()),
    ...(input !== undefined && { stdin: await readFile(input) }),
    env: { HOME: process.cwd() },
  });
  if (file !== undefined) await writeFile(file, ended.bytes);
  return ended;
}

function untilItListens(): CliOptions {
  const stop = new AbortController();
  return { signal: stop.signal, onStderr: (text) => text.startsWith("listening on ") && stop.abort() };
}

test.each(examples)("%s", async (line) => {
  const before = line.includes("--detailed-exitcode") ? 7 : 0;
  const { code, stderr } = await runExample(line);
  expect(code, stderr).toBe(before);
});

test("examples leave what they promise", async () => {
  await runExample("gantry pull registry.example/app:1.0");
  expect(await readdir(join(process.cwd(), "app"))).toContain("oci-layout");
  await runExample("gantry artifact get -o attached registry.example/app:1.0");
  expect(await readdir(join(process.cwd(), "attached"))).toEqual(["first.json"]);
});

describe("with --format json, the result has the shape that is documented", () => {
  const shaped = examples.filter(
    ([line, name]) => Object.hasOwn(shapes, name) && !line.includes("--format") && !line.includes(" - "),
  );

  test.each(shaped)("%s", async (line, name) => {
    const { stdout, stderr } = await runExample(line, ["--format", "json"]);
    expect(stdout, stderr).not.toBe("");
    expect(misfits(JSON.parse(stdout), shapes[name]!, name)).toEqual([]);
  });

  test("which names that are missing or not documented would break", () => {
    expect(misfits({ a: 1, extra: 2 }, { a: "text", b: "missing" }, "x")).toEqual([
      "x.b is missing",
      "x.extra is not documented",
    ]);
  });
});

/** What in a shape stands for any JSON. */
const anything = ["the same again", policyDocument, attachedDocument];

/** Where a value is not of a shape. */
function misfits(value: unknown, shape: Shape, at: string): string[] {
  if (typeof shape === "string")
    return anything.includes(shape) || typeof value !== "object" || value === null ? [] : [`${at} is an object`];
  if (Array.isArray(shape)) {
    const [item] = shape as readonly [Shape];
    return Array.isArray(value) ? value.flatMap((one, i) => misfits(one, item, `${at}[${i}]`)) : [`${at} is no list`];
  }
  if (typeof value !== "object" || value === null) return [`${at} is no object`];
  const names = Object.keys(shape);
  const missing = names.filter((name) => !name.endsWith("?") && name !== "*" && !Object.hasOwn(value, name));
  const found = Object.entries(value).flatMap(([name, one]) => {
    const known = [name, `${name}?`, "*"].find((key) => Object.hasOwn(shape, key));
    return known === undefined
      ? [`${at}.${name} is not documented`]
      : misfits(one, (shape as Record<string, Shape>)[known]!, `${at}.${name}`);
  });
  return [...missing.map((name) => `${at}.${name} is missing`), ...found];
}
