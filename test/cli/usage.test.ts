import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { usagePage } from "../../src/cli/usage-page.ts";
import type { Usage } from "../../src/index.ts";
import { layoutStore } from "../../src/store/index.ts";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { testService } from "./service-scene.ts";
import { gantry, must, testRegistry, type TestRegistry } from "./support.ts";

/** Two repositories that have one image in common. */
async function scene(): Promise<TestRegistry> {
  const registry = await testRegistry();
  const both = image("both", { layerSize: 5000 });
  const app = twoPlatforms("app", { layerSize: 20_000 });
  await putImage(registry.store("team/app"), app, "1.0");
  await registry.store("team/app").putManifest(app.manifest, { tag: "latest" });
  await putImage(registry.store("team/app"), artifact("note", app.children[0]!.manifest.descriptor));
  await putImage(registry.store("team/app"), both, "0.9");
  await putImage(registry.store("team/base"), both, "3");
  await putImage(registry.store("other"), image("other"), "1");
  return registry;
}

const usageOf = async (...words: readonly string[]): Promise<Usage> =>
  JSON.parse(await must("ls", "--usage", "--format", "json", ...words))[0].usage;

describe("gantry ls --usage", () => {
  test("of a repository: its images, what each frees, and with whom it shares the rest", async () => {
    const { host } = await scene();
    const usage = await usageOf(`${host}/team/app`);
    expect(usage.repositories.map((one) => [one.repository, one.tags, one.manifests])).toEqual([
      [`${host}/team/app`, 3, 5],
    ]);
    expect(usage.repositories[0]!.images.map((one) => [one.tags, one.size === one.frees, one.sharedWith])).toEqual([
      [["1.0", "latest"], true, []],
      [["0.9"], true, []],
    ]);
    expect(usage.size).toBe(usage.repositories[0]!.size);
    const { stdout } = await gantry(["ls", "--usage", `${host}/team/app`]);
    expect(stdout.split("\n")[0]).toMatch(/^TAGS +DIGEST +SIZE +FREES$/);
    expect(stdout).toMatch(/^1\.0, latest +sha256:[0-9a-f]{64} +8\d\.\d kB +8\d\.\d kB$/m);
    expect(stdout).toMatch(/^9\d\.\d kB, what is there several times counted once$/m);
  });

  test("of a repository without images: nothing; one that is not there is not found", async () => {
    const { host, store } = await testRegistry();
    const one = image("one");
    await putImage(store("app"), one, "1");
    await store("app").deleteManifest(one.manifest.descriptor.digest);
    const nothing = "0 B, what is there several times counted once\n";
    const file = join(await temporaryDirectory(), "usage.html");
    expect(await must("ls", "--usage", `${host}/app`, "--html", file)).toBe(nothing);
    expect(await readFile(file, "utf8")).toMatch(/<p>0 B, [^]*<\/p>\s*<\/body>/);
    expect(await must("ls", "--usage", `${host}/app`, "--html", "-")).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    expect(existsSync("-")).toBe(false);
    expect(await must("ls", "--usage", "--tree", `${host}/app`)).toBe(`${host}/app  0 B\n${nothing}`);
    expect(await usageOf(`${host}/app`)).toMatchObject({ size: 0, repositories: [{ images: [], tags: 0 }] });
    for (const absent of [`${host}/none`, `${host}/none/*`]) {
      expect(await gantry(["ls", "--usage", absent])).toMatchObject({ code: 3, stdout: "" });
    }
  });

  test("of tags that are long or odd: no line of a table is longer than the terminal is wide", async () => {
    const { host, store } = await testRegistry();
    const tags = ["x".repeat(128), `sha256-${"a".repeat(64)}.sig`, "_", "1"];
    for (const tag of tags) await putImage(store("app"), image(tag), tag);
    for (const terminal of [40, 80]) {
      const { stdout } = await gantry(["ls", "--usage", `${host}/app`], { terminal });
      const lines = stripVTControlCharacters(stdout).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(terminal);
    }
    const [whole, tree] = [
      await must("ls", "--usage", `${host}/app`),
      await must("ls", "--usage", "--tree", `${host}/app`),
    ];
    for (const tag of tags) {
      expect(whole).toMatch(new RegExp(`^${tag} +sha256:`, "m"));
      expect(tree).toMatch(new RegExp(`─ ${tag}  2\\.\\d kB$`, "m"));
    }
  });

  test("of a host, a prefix or a pattern: what repositories share is counted once, and not freed", async () => {
    const { host } = await scene();
    const names = async (place: string): Promise<readonly string[]> =>
      (await usageOf("--sort", "name", place)).repositories.map((one) => one.repository.replace(`${host}/`, ""));
    expect(await names(host)).toEqual(["other", "team/app", "team/base"]);
    expect(await names(`${host}/team/`)).toEqual(["team/app", "team/base"]);
    expect(await names(`${host}/team/*p*`)).toEqual(["team/app"]);
    const usage = await usageOf(`${host}/team/*`);
    const [app, base] = usage.repositories;
    expect([usage.shared, base!.size, base!.frees]).toEqual([base!.size, base!.size, 0]);
    expect(usage.size).toBe(app!.size);
    expect(app!.images.find((one) => one.tags[0] === "0.9")).toMatchObject({
      frees: 0,
      sharedWith: [`${host}/team/base:3`],
    });
    expect(usage.layers[0]).toMatchObject({
      size: 5000,
      images: 2,
      repositories: 2,
      among: [`${host}/team/app:0.9`, `${host}/team/base:3`],
    });
  });

  test("as a tree, with no more of each than was asked for", async () => {
    const { host } = await scene();
    const { stdout } = await gantry(["ls", "--usage", "--tree", "--top", "1", `${host}/team/*`]);
    expect(
      stdout
        .replaceAll(host, "HOST")
        .replace(/\d+(\.\d)? kB|sha256:\w+/g, (text) => (text.startsWith("sha") ? "DIGEST" : "SIZE")),
    ).toBe(
      `HOST/team/app  SIZE, frees SIZE
├─ 1.0, latest  SIZE
└─ and 1 image more
and 1 repository more
what several images have
├─ DIGEST  SIZE  2 images of 2 repositories  HOST/team/app:0.9, HOST/team/base:3
└─ and 3 more
SIZE in 2 repositories, what is there several times counted once; SIZE of it are in more than one repository
`,
    );
  });

  test.each([
    ["size", ["big", "a", "b"]],
    ["frees", ["a", "b", "big"]],
    ["name", ["a", "b", "big"]],
  ])("sorted by %s", async (order, tags) => {
    const { host, store } = await testRegistry();
    const big = image("big", { layers: 3, layerSize: 9000 });
    await putImage(store("app"), big, "big");
    await putImage(store("copy"), big, "big");
    await putImage(store("app"), image("a"), "a");
    await putImage(store("app"), image("b", { layerSize: 999 }), "b");
    const { repositories } = await usageOf("--sort", order, `${host}/*`);
    const images = repositories.find((one) => one.repository.endsWith("/app"))!.images;
    expect(images.map((one) => one.tags[0])).toEqual(tags);
  });

  test("of a local layout, those without a name too", async () => {
    const path = join(await temporaryDirectory(), "images");
    await putImage(layoutStore(path), twoPlatforms("a"), "1.0");
    await putImage(layoutStore(path), image("b"));
    const { repositories } = await usageOf(`oci:${path}`);
    expect(repositories[0]!.images.map((one) => one.tags)).toEqual([["1.0"], []]);
  });

  test("of a service: what it lists without a tag is there", async () => {
    const service = await testService();
    await putImage(service.store("app"), image("a"), "1");
    await putImage(service.store("app"), image("lost"));
    service.untagged({ tags: [], digest: image("lost").manifest.descriptor.digest });
    const { repositories } = await usageOf("--sort", "name", `${service.host}/app`);
    expect(repositories[0]!.images.map((one) => one.tags)).toEqual([["1"], []]);
    expect(service.log).toContain("images app");
  });

  test("what cannot be read is told, and ends with 6; the rest is counted", async () => {
    const service = await testService({
      calls: (own) => ({
        images: (name, call) => {
          if (name === "app") throw new RegistryError("DENIED", "app is locked");
          return own.images(name, call);
        },
      }),
    });
    for (const name of ["app", "base"]) await putImage(service.store(name), image(name), "1");
    const { code, stdout, stderr } = await gantry(["ls", "--usage", service.host]);
    expect(code).toBe(6);
    expect(stdout).toContain(`${service.host}/base`);
    expect(stderr).toContain(`${service.host}/app is not counted: app is locked`);
  });

  test.each([
    [["ls", "--usage", "HOST/nothing"], 3, "there is no repository nothing"],
    [["ls", "--tree", "HOST/app"], 2, "--tree is of --usage"],
    [["ls", "--html", "x.html", "HOST/app"], 2, "--html is of --usage"],
    [["ls", "--usage", "--sort", "age", "HOST/app"], 2, '"age" is none of size, frees, name'],
    [["ls", "--usage", "--top", "0", "HOST/app"], 2, '"0" is not a whole number'],
  ])("%j ends with %i", async (words, code, message) => {
    const { host } = await testRegistry();
    const ended = await gantry(words.map((word) => word.replace("HOST", host)));
    expect(ended.code).toBe(code);
    expect(ended.stderr.replaceAll(host, "HOST")).toContain(message);
  });
});

describe("the page", () => {
  test("has every image once with what it frees, by areas and by rows; no script, and nothing from elsewhere", async () => {
    const { host } = await scene();
    const file = join(await temporaryDirectory(), "usage.html");
    const { stderr } = await gantry(["ls", "--usage", "--html", file, `${host}/team/*`]);
    expect(stderr).toContain(`wrote ${file}`);
    const page = await readFile(file, "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(page.match(/<title>1\.0, latest, [^<]+ in all<\/title>/g)).toHaveLength(1);
    expect(page.match(/<td>1\.0, latest<\/td>/g)).toHaveLength(1);
    expect(page).toContain("shared by repositories");
  });

  const digest = `sha256:${"a".repeat(64)}` as const;
  const one = { digest, tags: ["1"], size: 10, frees: 10, sharedWith: [] };
  const usage = (repository: string, images: Usage["repositories"][number]["images"]): Usage => ({
    size: images.reduce((sum, { frees }) => sum + frees, 0),
    shared: 0,
    repositories: [{ repository, size: 10, frees: 10, shared: 0, tags: 1, manifests: 1, images, gaps: [] }],
    layers: [],
  });

  test("names of others are text", () => {
    const page = usagePage(
      "<i>x",
      usage(`a"><script>alert(1)</script>\u202E`, [{ ...one, tags: ["<b>&'"] }]),
      new Date(0),
    );
    expect(page).not.toMatch(/<script|<i>|<b>|\u202E/);
    expect(page).toContain("&lt;b&gt;&amp;&#39;");
  });

  test("areas are as large as what they stand for", () => {
    const images = [
      { ...one, tags: ["half"], frees: 500 },
      { ...one, tags: ["quarter"], frees: 250 },
      { ...one, tags: ["other"], frees: 250 },
    ];
    const page = usagePage("x", usage("app", images), new Date(0));
    const area = (name: string): number => {
      const [, width, height] = new RegExp(`width="(\\d+)" height="(\\d+)" class="image"><title>${name}`).exec(page)!;
      return Number(width) * Number(height);
    };
    expect(area("half") / area("quarter")).toBeCloseTo(2, 1);
    expect(area("other") / area("quarter")).toBeCloseTo(1, 1);
  });

  test("of very many, the small ones go together", () => {
    const images = Array.from({ length: 10_000 }, (_, i) => ({ ...one, tags: [`t${i}`], frees: 10_000 - i }));
    const page = usagePage("x", usage("app", images), new Date(0));
    expect(page).toContain("9850 more");
    expect(page.length).toBeLessThan(500_000);
  });

  test("of nothing, there is still a page", () => {
    expect(usagePage("x", usage("app", []), new Date(0))).toContain("</html>");
  });
});
