import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { right, wrong } from "../test/config/samples.ts";
import { makeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, type Outcome, root, run } from "./support/run.ts";

// The built command line with files of configuration, as a user has them.
let work: string;
let home: string;
let project: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-config-"));
  [home, project] = [join(work, "home"), join(work, "home", "src", "project")];
  await mkdir(project, { recursive: true });
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}

/** Runs a command line in the project, as this user. */
async function typed(line: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const clean = { XDG_CONFIG_HOME: undefined, DOCKER_CONFIG: undefined, REGISTRY_AUTH_FILE: undefined };
  return await run(gantryPath, line.split(" ").slice(1), { cwd: project, env: { ...clean, HOME: home, ...env } });
}

async function origins(line: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const rows = JSON.parse(await must(typed(`${line} --origin --format json`, env))) as Record<string, unknown>[];
  return Object.fromEntries(rows.map(({ key, value, origin }) => [String(key), [value, origin]]));
}

test("config show says of each level what it says, and where", async () => {
  const [user, own] = [join(home, ".config/gantry/config.yaml"), join(project, "gantry.yaml")];
  await put(user, "retries: 4\njobs: 4\nlimitRate: 4MB\nuserAgent: user/4\n");
  await put(own, "retries: 3\njobs: 3\nlimitRate: 3MB\n");
  const shown = await origins("gantry config show --retries 1", { GANTRY_RETRIES: "2", GANTRY_JOBS: "2" });
  expect(shown).toMatchObject({
    retries: [1, "--retries"],
    jobs: [2, "GANTRY_JOBS"],
    limitRate: [3_000_000, `${own}:3`],
    userAgent: ["user/4", `${user}:4`],
    retryDelay: ["250ms", "default"],
  });
  await put(join(project, "other.yaml"), "userAgent: other/1\n");
  expect(await must(typed("gantry config show --config other.yaml userAgent"))).toBe("other/1");
  expect(await origins("gantry config show jobs", { GANTRY_CONFIG: "other.yaml" })).toEqual({ jobs: [16, "default"] });
  const piped = `printf 'jobs: 9' | "$0" config show --config /dev/stdin jobs`;
  expect(await must(run("sh", ["-c", piped, gantryPath], { cwd: project }))).toBe("9");
  await rm(own);
});

test("a login of a file opens a registry; without the file it is shut", async () => {
  const image = await makeImage(join(work, "layout"), { tag: "1.0" });
  await using registry = await startGantryRegistry({ htpasswd: { alice: "s3cret" } });
  const file = join(home, ".config/gantry/config.yaml");
  await put(file, `credentials:\n  ${registry.host}:\n    username: alice\n    passwordFile: password\n`);
  await put(join(dirname(file), "password"), "s3cret\n");
  await must(typed(`gantry push ${join(work, "layout")} ${registry.host}/app`));
  expect(await must(typed(`gantry digest ${registry.host}/app:1.0`))).toBe(image.root.digest);
  await rm(file);
  expect(await typed(`gantry digest ${registry.host}/app:1.0`)).toMatchObject({ code: 4 });
});

test("what a project may not say stops the command; trusted, it counts", async () => {
  await put(join(project, "gantry.yaml"), "hosts:\n  registry.example:\n    proxy: http://proxy.example:3128\n");
  const refused = await typed("gantry ls registry.example");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain(
    `${project}/gantry.yaml:3:12: hosts["registry.example"].proxy counts in a project file`,
  );
  expect(refused.stderr).toContain("GANTRY_TRUST");
  const key = 'hosts["registry.example"].proxy';
  expect(await origins("gantry config show hosts", { GANTRY_TRUST: "~/src" })).toEqual({
    [key]: ["http://proxy.example:3128", `${project}/gantry.yaml:3`],
  });
  await rm(join(project, "gantry.yaml"));
});

test("config validate tells all and ends with 2; what is right with 0", async () => {
  await put(join(project, "gantry.yaml"), "jobs: many\nretrys: 1\n");
  const { code, stdout, stderr } = await typed("gantry config validate gantry.yaml");
  expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
  expect(stdout.replaceAll(project, "").split("\n")).toEqual([
    '/gantry.yaml:1:7: error: jobs wants a whole number from 1 on, not "many"',
    '/gantry.yaml:2:1: error: unknown key "retrys"; did you mean retries?',
    "",
  ]);
  await rm(join(project, "gantry.yaml"));
  expect(await typed("gantry config validate")).toMatchObject({ code: 0 });
});

test("what all users can read is warned of", async () => {
  const file = join(home, ".config/gantry/config.yaml");
  await put(file, "credentials: {registry.example: {token: s3cret}}\n");
  await chmod(file, 0o644);
  const { stdout, stderr } = await typed("gantry config show credentials");
  expect(stderr).toMatch(/^warning: .*config\.yaml: every user of this machine can read/);
  expect(stdout + stderr).not.toContain("s3cret");
  await rm(file);
});

test("version and help read no configuration", async () => {
  await put(join(project, "gantry.yaml"), "nonsense");
  for (const line of ["gantry version", "gantry --help", "gantry ls --help", "gantry completion bash"]) {
    expect(await typed(line)).toMatchObject({ code: 0, stderr: "" });
  }
  await rm(join(project, "gantry.yaml"));
});

test("config schema prints the file in the package", async () => {
  expect(`${await must(typed("gantry config schema"))}\n`).toBe(
    await readFile(join(root, "gantry.schema.json"), "utf8"),
  );
});

describeWith("jsonschema", "another validator", () => {
  /** Whether Python's jsonschema takes files by our schema. */
  async function takes(samples: readonly string[]): Promise<Outcome> {
    const folder = await mkdtemp(join(work, "samples-"));
    const files = samples.map((_, i) => join(folder, `${i}.json`));
    for (const [i, text] of samples.entries()) await writeFile(files[i]!, JSON.stringify(parse(text)));
    const instances = files.flatMap((file) => ["-i", file]);
    return await run(peer("jsonschema")!.path, [...instances, join(root, "gantry.schema.json")]);
  }

  test("takes the schema, and every configuration that is right", async () => {
    expect(await takes(Object.values(right))).toMatchObject({ code: 0 });
  });

  describe("refuses", () => {
    test.each(Object.entries(wrong))("%s", async (_, text) => {
      const { code, stderr } = await takes([text]);
      expect(code).toBe(1);
      expect(stderr).not.toContain("Traceback");
    });
  });
});
