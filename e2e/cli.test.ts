import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantryPath, must, type Outcome, run } from "./support/run.ts";

// The built command line as a new user would try it, on pipes: every command once, and what goes wrong for beginners.
let work: string;
let image: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-cli-"));
  image = await makeImage(join(work, "layout"), { tag: "1.0", platforms: ["linux/amd64", "linux/arm64"] });
  await writeFile(join(work, "note.txt"), "a note");
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
});

/** Runs a command line in the test's directory, as one would type it. */
async function typed(line: string, options: { readonly stdin?: string } = {}): Promise<Outcome> {
  return await run(gantryPath, line.split(" ").slice(1), { cwd: work, ...options });
}

interface Step {
  readonly line: string;
  readonly says: RegExp | (() => RegExp);
  readonly stdin?: string;
}

const layer = (): string => image.blobs[1]!.digest;
const steps: readonly Step[] = [
  {
    line: "gantry push layout HOST/app",
    says: () => new RegExp(`^HOST/app:1\\.0@${image.root.digest}\ncopied: 3 manifests, 6 blobs`),
  },
  { line: "gantry ls HOST", says: /^app\n$/ },
  { line: "gantry ls HOST/app", says: /^1\.0\n$/ },
  {
    line: "gantry ls -l HOST/app",
    // Gantry's own registry tells when it was pushed, too.
    says: /^TAG +DIGEST +SIZE +(PUSHED +)?CREATED +PLATFORMS\n1\.0 .* linux\/amd64, linux\/arm64\n$/,
  },
  { line: "gantry ls --format ndjson HOST/app", says: /^\{"tag":"1\.0","reference":"HOST\/app:1\.0"\}\n$/ },
  { line: "gantry digest HOST/app:1.0", says: () => new RegExp(`^${image.root.digest}\n$`) },
  {
    line: "gantry digest --platform linux/arm64 HOST/app:1.0",
    says: () => new RegExp(`^${image.manifests[1]!.digest}\n$`),
  },
  { line: "gantry manifest HOST/app:1.0", says: /^\{"schemaVersion":2,.*\}$/ },
  { line: "gantry config --platform linux/amd64 HOST/app:1.0", says: /^\{"created":.*"architecture":"amd64"/ },
  { line: "gantry inspect HOST/app:1.0", says: /PLATFORM +DIGEST[^]*linux\/amd64[^]*linux\/arm64/ },
  { line: "gantry inspect --format {{.digest}} HOST/app:1.0", says: () => new RegExp(`^${image.root.digest}\n$`) },
  { line: "gantry tag HOST/app:1.0 1 latest", says: /HOST\/app:1\b[^]*HOST\/app:latest/ },
  { line: "gantry copy HOST/app:1.0 HOST/team/app", says: /^HOST\/team\/app:1\.0@sha256:[^]*6 mounted/ },
  { line: "gantry cp --dry-run HOST/app HOST/other", says: /would copy/ },
  { line: "gantry pull HOST/app:1.0", says: /^oci:app:1\.0@sha256:/ },
  {
    line: "gantry pull --platform linux/amd64 --as docker-archive HOST/app:1.0 app.tar",
    says: /^docker-archive:app\.tar:/,
  },
  { line: "gantry inspect docker-archive:app.tar", says: /linux\/amd64/ },
  { line: "gantry push app.tar HOST/single:1.0", says: /^HOST\/single:1\.0@sha256:/ },
  { line: "gantry artifact attach --type application/x-note HOST/app:1.0 note.txt:text/plain", says: /sha256:/ },
  {
    line: "gantry tree HOST/app:1.0",
    says: /├─ linux\/amd64 .*\n├─ linux\/arm64 .*\n└─ application\/x-note .* referrer /,
  },
  { line: "gantry artifact get -o fetched HOST/app:1.0", says: /note\.txt/ },
  { line: "gantry blob put HOST/app note.txt", says: /^sha256:[0-9a-f]{64}\n$/ },
  { line: "gantry blob put HOST/app -", says: /^sha256:[0-9a-f]{64}\n$/, stdin: "from a pipe" },
  { line: "gantry blob get -o layer HOST/app@LAYER", says: /^$/ },
  { line: "gantry check --deep HOST/app:1.0", says: /whole: 4 manifests, / },
  { line: "gantry check --repair-from HOST/app:1.0 HOST/team/app:1.0", says: /whole/ },
  {
    line: "gantry delete --dry-run HOST/app@DIGEST",
    says: /^would delete HOST\/app@sha256:.*\(application\/x-note\)\nwould delete HOST\/app@sha256:.* with its tags 1, 1\.0, latest\n$/,
  },
  { line: "gantry delete --yes HOST/app@DIGEST", says: /^deleted / },
  { line: "gantry version", says: /^gantry \d+\.\d+\.\d+/ },
  { line: "gantry --help", says: /Move images:/ },
  { line: "gantry help copy", says: /Usage: gantry copy/ },
  { line: "gantry completion fish", says: /complete -c gantry/ },
];

describeWith("docker-registry", "every command", () => {
  test.each([
    { kind: "docker-registry", begin: startDockerRegistry },
    { kind: "gantry serve", begin: startGantryRegistry },
  ])("says on stdout what it did at $kind, and nothing on stderr", async ({ kind, begin }) => {
    await using registry = await begin();
    await rm(join(work, "fetched"), { recursive: true, force: true });
    for (const { line, says, stdin } of steps) {
      const filled = line
        .replaceAll("HOST", registry.host)
        .replace("LAYER", layer())
        .replace("DIGEST", image.root.digest);
      const { code, stdout, stderr } = await typed(filled, stdin === undefined ? {} : { stdin });
      const expected = typeof says === "function" ? says() : says;
      expect({ code, stderr }, `${filled} at ${kind}`).toEqual({ code: 0, stderr: "" });
      expect(stdout.replaceAll(registry.host, "HOST"), filled).toMatch(expected);
      expect(stdout, filled).not.toContain("\u001B");
    }
    expect(await readFile(join(work, "fetched", "note.txt"), "utf8")).toBe("a note");
    const bytes = await readFile(join(work, "layer"));
    expect(bytes).toEqual(await readFile(join(work, "layout", "blobs", layer().replace(":", "/"))));
  });

  test("delete takes one tag where the registry can, and says what would go with it where it cannot", async () => {
    await using ours = await startGantryRegistry();
    await using theirs = await startDockerRegistry();
    for (const { host } of [ours, theirs]) {
      await must(typed(`gantry push layout ${host}/app`));
      await must(typed(`gantry tag ${host}/app:1.0 old`));
    }
    expect(await must(typed(`gantry rm ${ours.host}/app:old`))).toContain("the image stays, as 1.0");
    const refused = await typed(`gantry rm ${theirs.host}/app:old`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`gantry delete ${theirs.host}/app@`) });
    for (const { host } of [ours, theirs])
      expect(await must(typed(`gantry digest ${host}/app:1.0`))).toBe(image.root.digest);
    const asked = await typed(`gantry rm ${theirs.host}/app@${image.root.digest}`);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    expect(await must(typed(`gantry digest ${theirs.host}/app:old`))).toBe(image.root.digest);
  });
});

describe("where nobody answers as expected", () => {
  const cases: readonly { what: string; line: string; code: number; says: RegExp }[] = [
    {
      what: "a port where nobody listens",
      line: "gantry ls --retries 0 127.0.0.1:1",
      code: 1,
      says: /refused the connection/,
    },
    {
      what: "a host that is not known",
      line: "gantry ls --retries 0 nowhere.invalid/app",
      code: 1,
      says: /nowhere\.invalid/,
    },
    { what: "a command that is not there", line: "gantry cpoy a b", code: 2, says: /unknown command .*cpoy/ },
    { what: "an option that is not there", line: "gantry ls --lnog x", code: 2, says: /unknown option .*--lnog/ },
    { what: "a word too many", line: "gantry digest a b", code: 2, says: /too many arguments/ },
    {
      what: "a mistake in a reference",
      line: "gantry digest localhost:5000/App:1",
      code: 2,
      says: /invalid reference/,
    },
    { what: "a file that is not there", line: "gantry push nowhere.tar 127.0.0.1:1/x", code: 2, says: /nowhere\.tar/ },
  ];
  test.each(cases)("$what is told in a few lines", async ({ line, code, says }) => {
    const outcome = await typed(line);
    expect(outcome).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(says) });
    expect(outcome.stderr).toMatch(/^error: /);
    expect(outcome.stderr.split("\n").length).toBeLessThanOrEqual(7);
    expect(outcome.stderr).not.toMatch(/node:internal|\.js:\d+/);
  });

  test("something that is no registry is told apart", async () => {
    const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await expect.poll(() => server.listening).toBe(true);
    const { port } = server.address() as { port: number };
    const { code, stderr } = await typed(`gantry ls --retries 0 127.0.0.1:${port}`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^error: .*is not (?:HTTP|an? HTTP response)/),
    });
  });
});
