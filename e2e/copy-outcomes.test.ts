import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Made, type MadeImage, makeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { type RunningRegistry, startDockerRegistry, startGantryRegistry } from "./support/registries.ts";
import { gantry, gantryPath, must, start } from "./support/run.ts";
import { faultsOf } from "./support/whole.ts";

// How a copy ends, as scripts see it: exit codes, JSON, signals.
let work: string;
let registry: RunningRegistry;
let locked: RunningRegistry;
let image: MadeImage;
let big: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-outcomes-"));
  registry = await startGantryRegistry();
  locked = await startGantryRegistry({ htpasswd: { ann: "secret word" }, args: ["--anonymous-pull"] });
  image = await makeImage(join(work, "layout"), { tag: "v1", platforms: ["linux/amd64", "linux/arm64"] });
  big = await makeImage(join(work, "layout"), { tag: "big", layers: 3, layerSize: 4_000_000 });
  await pushImage(join(work, "layout"), image, at("source:v1"));
  await pushImage(join(work, "layout"), big, at("source:big"));
});
afterAll(async () => {
  await Promise.all([registry, locked].map((one) => one?.stop()));
  await rm(work, { recursive: true, force: true });
});

const at = (name: string): string => `${registry.host}/${name}`;
const isThere = async (reference: string): Promise<boolean> => (await gantry("digest", reference)).code === 0;

describe("a copy ends with", () => {
  const nowhere = "127.0.0.1:1/x:v1"; // Port 1: nobody listens there.
  const cases: readonly { name: string; args: () => readonly string[]; code: number; says: RegExp }[] = [
    { name: "0: done", args: () => [at("source:v1"), at("done")], code: 0, says: /^$/ },
    {
      name: "1: nobody answers",
      args: () => [nowhere, at("x"), "--retries", "0"],
      code: 1,
      says: /127\.0\.0\.1:1, the source: NETWORK/,
    },
    {
      name: "1: no such host",
      args: () => ["nowhere.invalid/x:v1", at("x"), "--retries", "0"],
      code: 1,
      says: /nowhere\.invalid/,
    },
    { name: "2: no destination", args: () => [at("source:v1")], code: 2, says: /missing required argument/ },
    {
      name: "2: no such option",
      args: () => ["--nonsense", at("source:v1"), at("x")],
      code: 2,
      says: /unknown option/,
    },
    { name: "2: no reference", args: () => [at("source:v1"), "Not A Reference"], code: 2, says: /invalid reference/ },
    { name: "2: all tags to one tag", args: () => ["--all-tags", at("source"), at("x:v1")], code: 2, says: /all tags/ },
    { name: "3: no such tag", args: () => [at("source:nope"), at("x")], code: 3, says: /nope is not there/ },
    { name: "3: no such repository", args: () => [at("nope:v1"), at("x")], code: 3, says: /is not there/ },
    {
      name: "3: no such platform",
      args: () => ["--platform", "linux/s390x", at("source:v1"), at("x")],
      code: 3,
      says: /it has: linux\/amd64/,
    },
    {
      name: "3: no such file",
      args: () => [`oci-archive:${join(work, "nope.tar")}`, at("x")],
      code: 3,
      says: /nope\.tar/,
    },
    { name: "4: no login", args: () => [at("source:v1"), `${locked.host}/x:v1`], code: 4, says: /gantry login/ },
    {
      name: "4: a wrong login",
      args: () => ["--dest-creds", "ann:wrong", at("source:v1"), `${locked.host}/x:v1`],
      code: 4,
      says: /UNAUTHORIZED/,
    },
    {
      name: "6: one of two destinations",
      args: () => [at("source:v1"), at("half"), nowhere, "--retries", "0"],
      code: 6,
      says: /1 of 2 copies failed/,
    },
    {
      name: "7: there is something to do",
      args: () => ["--dry-run", "--detailed-exitcode", at("source:v1"), at("new")],
      code: 7,
      says: /^$/,
    },
  ];
  test.each(cases)("$name", async ({ args, code, says }) => {
    const { stderr, ...ended } = await gantry("copy", ...args());
    expect({ code: ended.code, stderr }).toEqual({ code, stderr: expect.stringMatching(says) });
    expect(stderr).not.toMatch(/^ +at .*:\d+:\d+/m); // No stack trace.
    expect(stderr).not.toMatch(/secret word|ann:wrong/);
  });

  test("0 where the login is right, and nobody needs one to read", async () => {
    await must(gantry("copy", "--dest-creds", "ann:secret word", at("source:v1"), `${locked.host}/let-in:v1`));
    await must(gantry("copy", `${locked.host}/let-in:v1`, at("let-out:v1")));
    expect(await faultsOf(at("let-out"), image)).toEqual([]);
  });

  test("what arrived, and what failed, as JSON", async () => {
    const { code, stdout, stderr } = await gantry(
      "copy",
      "--format=json",
      "--retries=0",
      at("source:v1"),
      at("half"),
      nowhere,
    );
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toEqual({
      images: [
        {
          from: at("source:v1"),
          to: at("half:v1"),
          digest: image.root.digest,
          mediaType: image.root.mediaType,
          outcome: "copied",
          manifests: 3,
          blobs: { exists: expect.any(Number), mounted: expect.any(Number), written: 0 },
          bytes: 0,
          referrers: 0,
          digestTags: 0,
        },
      ],
      failures: [
        {
          to: nowhere,
          error: expect.objectContaining({ code: "NETWORK", side: "destination", host: "127.0.0.1:1" }),
        },
      ],
      bytes: 0,
      ms: expect.any(Number),
    });
    expect(JSON.parse(stderr.trim().split("\n").at(-1)!)).toMatchObject({ error: { code: "PARTIAL" } });
  });

  test("the digest in a file, and with --quiet nothing but the digest", async () => {
    const file = join(work, "digest");
    const text = await must(gantry("copy", "--quiet", "--digest-file", file, at("source:v1"), at("quiet")));
    expect(text).toBe(image.root.digest);
    expect(await readFile(file, "utf8")).toBe(image.root.digest);
  });
});

describeWith("docker-registry", "where the source is damaged", () => {
  let damaged: RunningRegistry;
  const source = (): string => `${damaged.host}/damaged`;
  const fileOf = ({ digest }: Made): string =>
    join(damaged.dataDir, "docker/registry/v2/blobs/sha256", digest.slice(7, 9), digest.slice(7), "data");

  beforeAll(async () => {
    damaged = await startDockerRegistry();
    await pushImage(join(work, "layout"), image, `${source()}:whole`);
    await pushImage(join(work, "layout"), big, `${source()}:big`);
    const path = fileOf(big.blobs[2]!);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
  });
  afterAll(async () => {
    await damaged?.stop();
  });

  test("the copy ends with 5, nothing is visible, and the next command finds the damage", async () => {
    const { code, stderr } = await gantry("copy", "--retries", "1", `${source()}:big`, at("damaged"));
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining(`gantry check --deep ${source()}:big`),
    });
    expect(await isThere(at("damaged:big"))).toBe(false);
    const found = await gantry("check", "--deep", `${source()}:big`);
    expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining(big.blobs[2]!.digest) });
  });

  test("of all tags, the whole ones arrive, and the copy ends with 6", async () => {
    const ended = await gantry("copy", "--format", "json", "--all-tags", "--retries", "1", source(), at("both"));
    expect(ended.code).toBe(6);
    const { images, failures } = JSON.parse(ended.stdout);
    expect(images).toMatchObject([{ to: at("both:whole"), digest: image.root.digest }]);
    expect(failures).toMatchObject([{ to: at("both:big"), error: { code: "UNVERIFIED", side: "source" } }]);
    expect(await isThere(at("both:big"))).toBe(false);
  });

  test("a blob that is longer than it should be is refused too", async () => {
    await pushImage(join(work, "layout"), image, `${source()}/longer:v1`);
    await appendFile(fileOf(image.blobs[1]!), "more");
    const { code } = await gantry("copy", "--retries", "1", `${source()}/longer:v1`, at("longer"));
    expect(code).not.toBe(0);
    expect(await isThere(at("longer:v1"))).toBe(false);
  });
});

describe("interrupted", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s it ends at once with 130, and the next run goes on",
    async (signal) => {
      const to = at(`interrupted-${signal.toLowerCase()}:v1`);
      const from = `oci:${join(work, "layout")}:big`;
      const slow = start(gantryPath, ["copy", "--jobs", "1", "--limit-rate", "6MB", "--progress", "json", from, to]);
      await expect.poll(() => slow.stderr().split('"type":"blob"').length, { timeout: 20_000 }).toBeGreaterThan(2);
      const before = performance.now();
      slow.kill(signal);
      const { code, stderr } = await slow.ended;
      expect(code).toBe(130);
      expect(performance.now() - before).toBeLessThan(3000);
      expect(stderr).toMatch(/interrupted/);
      expect(await isThere(to)).toBe(false);
      const again = JSON.parse(await must(gantry("copy", "--format", "json", from, to)));
      expect(again.bytes).toBeLessThan(big.blobs.reduce((sum, { size }) => sum + size, 0));
      expect(await faultsOf(to.slice(0, -3), big)).toEqual([]);
    },
  );
});
