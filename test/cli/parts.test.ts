import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { artifactFile, attach, digestOf } from "../../src/index.ts";
import { image, putImage } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry, type TestRegistry } from "./support.ts";

const app = image("app");
const layer = app.blobs[1]!;

async function withApp(): Promise<TestRegistry> {
  const registry = await testRegistry();
  await putImage(registry.store("app"), app, "1");
  return registry;
}

describe("blob", () => {
  test("get writes its very bytes, to stdout or a file", async () => {
    const [{ host }, work] = [await withApp(), await temporaryDirectory()];
    const name = `${host}/app@${layer.descriptor.digest}`;
    expect((await gantry(["blob", "get", name])).bytes).toEqual(Buffer.from(layer.bytes));
    await must("blob", "get", "-o", join(work, "layer"), name);
    expect(await readFile(join(work, "layer"))).toEqual(Buffer.from(layer.bytes));
  });

  test.each([true, false])(
    "get writes where a link leads, be there a file or not (%s), and the link stays",
    async (is) => {
      const [{ host }, work] = [await withApp(), await temporaryDirectory()];
      await mkdir(join(work, "real"));
      if (is) await writeFile(join(work, "real", "layer"), "own");
      await symlink("real/layer", join(work, "link"));
      await must("blob", "get", "-o", join(work, "link"), `${host}/app@${layer.descriptor.digest}`);
      expect(await readlink(join(work, "link"))).toBe("real/layer");
      expect(await readFile(join(work, "real", "layer"))).toEqual(Buffer.from(layer.bytes));
      expect([await readdir(work), await readdir(join(work, "real"))]).toEqual([["link", "real"], ["layer"]]);
    },
  );

  test("get leaves no file of a damaged blob", async () => {
    const [{ host, damage }, work] = [await withApp(), await temporaryDirectory()];
    damage(layer.descriptor.digest);
    const { code } = await gantry([
      "blob",
      "get",
      "-o",
      join(work, "layer"),
      `${host}/app@${layer.descriptor.digest}`,
      "--retries",
      "0",
    ]);
    expect(code).toBe(5);
    expect(await readdir(work)).toEqual([]);
  });

  test("get writes nothing to a terminal, and wants a digest", async () => {
    const { host } = await withApp();
    expect((await gantry(["blob", "get", `${host}/app@${layer.descriptor.digest}`], { terminal: 80 })).code).toBe(2);
    expect((await gantry(["blob", "get", `${host}/app:1`])).code).toBe(2);
    expect((await gantry(["blob", "get", `${host}/app@${digestOf("none")}`])).code).toBe(3);
  });

  test("put stores a file, or stdin, and says where", async () => {
    const [{ host, store }, work] = [await withApp(), await temporaryDirectory()];
    await writeFile(join(work, "file"), "hello");
    expect(await must("blob", "put", `${host}/app`, join(work, "file"))).toBe(`${digestOf("hello")}\n`);
    const { stdout } = await gantry(["blob", "put", `${host}/app`, "-", "--format", "json"], { stdin: "from stdin" });
    expect(JSON.parse(stdout)).toEqual({
      repository: `${host}/app`,
      digest: digestOf("from stdin"),
      size: 10,
      how: "written",
    });
    expect(await store("app").size(digestOf("from stdin"))).toBe(10);
    expect((await gantry(["blob", "put", `${host}/app:1`, join(work, "file")])).code).toBe(2);
  });
});

describe("artifact", () => {
  test("attach and get bring files there and back", async () => {
    const [{ host }, work] = [await withApp(), await temporaryDirectory()];
    await writeFile(join(work, "sbom.json"), '{"a":1}');
    await writeFile(join(work, "notes.txt"), "notes");
    const files = [`${join(work, "sbom.json")}:application/spdx+json`, join(work, "notes.txt")];
    const name = await must(
      "artifact",
      "attach",
      "--type",
      "application/spdx+json",
      "--annotation",
      "by=me",
      `${host}/app:1`,
      ...files,
    );
    expect(JSON.parse(await must("manifest", name.trim()))).toMatchObject({
      artifactType: "application/spdx+json",
      subject: { digest: app.manifest.descriptor.digest },
      annotations: { by: "me" },
      layers: [{ mediaType: "application/spdx+json" }, { mediaType: "application/octet-stream" }],
    });
    for (const [from, out] of [
      [`${host}/app:1`, "by-image"],
      [name.trim(), "by-digest"],
    ] as const) {
      await must("artifact", "get", "-o", join(work, out), from);
      expect(await readFile(join(work, out, "sbom.json"), "utf8")).toBe('{"a":1}');
      expect(await readFile(join(work, out, "notes.txt"), "utf8")).toBe("notes");
    }
    expect((await gantry(["artifact", "get", "--type", "application/other", `${host}/app:1`])).code).toBe(3);
  });

  test("attach wants a type, and files with names of their own", async () => {
    const { host } = await withApp();
    expect(await gantry(["artifact", "attach", `${host}/app:1`, "x"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--type"),
    });
    expect(await gantry(["artifact", "attach", "--type", "a/b", `${host}/app:1`, "a/x", "b/x"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("called x"),
    });
    expect((await gantry(["artifact", "attach", "--type", "a/b", `${host}/app:1`, "/nonexistent/x"])).code).toBe(2);
  });

  test.each(["../escape", "/etc/escape", "a/../../escape", "..", ".", "a\nb", String.raw`..\escape`])(
    "get refuses the file name %j, before it writes anything",
    async (title) => {
      const [{ host, store }, work] = [await withApp(), await temporaryDirectory()];
      const files = [
        artifactFile(Buffer.from("good"), "text/plain", "good"),
        artifactFile(Buffer.from("evil"), "text/plain", title),
      ];
      await attach(store("app"), { artifactType: "text/plain", files }, { subject: "1" });
      const { code, stderr } = await gantry(["artifact", "get", "-o", join(work, "out"), `${host}/app:1`]);
      expect(code).toBe(5);
      expect(stderr).toContain("wants to be");
      expect(await readdir(work)).toEqual([]);
    },
  );

  const attachText = async ({ store }: TestRegistry, title: string, text: string): Promise<void> => {
    const files = [artifactFile(Buffer.from(text), "text/plain", title)];
    await attach(store("app"), { artifactType: `text/${text}`, files }, { subject: "1" });
  };

  test("get does not write one file over another of the same name", async () => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const text of ["one", "two"]) await attachText(registry, "same", text);
    for (const more of [[], ["--force"]]) {
      expect(await gantry(["artifact", "get", ...more, "-o", work, `${registry.host}/app:1`])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("one artifact at a time"),
      });
      expect(await readdir(work)).toEqual([]);
    }
  });

  test("get takes a file that two artifacts have alike", async () => {
    const [{ host, store }, work] = [await withApp(), await temporaryDirectory()];
    const files = [artifactFile(Buffer.from("one"), "text/plain", "same")];
    for (const artifactType of ["a/b", "a/c"]) await attach(store("app"), { artifactType, files }, { subject: "1" });
    const { files: fetched } = JSON.parse(
      await must("artifact", "get", "--format", "json", "-o", work, `${host}/app:1`),
    );
    expect(fetched.map(({ how }: { how: string }) => how)).toEqual(["written", "exists"]);
    expect(await readFile(join(work, "same"), "utf8")).toBe("one");
  });

  test("get leaves a file alone that is there as it would be, and says so", async () => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const text of ["one", "two"]) await attachText(registry, text, text);
    const path = join(work, "one");
    await writeFile(path, "one");
    const before = await stat(path);
    expect(await gantry(["artifact", "get", "-o", work, `${registry.host}/app:1`])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(path),
      stderr: `${path} is there already, with the same content\n`,
    });
    expect((await stat(path)).ino).toBe(before.ino);
    expect(await readFile(join(work, "two"), "utf8")).toBe("two");
  });

  test("get refuses to overwrite another file, before it writes anything; --force does", async () => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const text of ["one", "two", "six"]) await attachText(registry, text, text);
    for (const title of ["two", "six"]) await writeFile(join(work, title), "own");
    const words = ["artifact", "get", "-o", work, `${registry.host}/app:1`];
    const refused = await gantry(words);
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("--force") });
    for (const title of ["two", "six"]) expect(refused.stderr).toContain(join(work, title));
    expect(await readdir(work)).toEqual(["six", "two"]);
    expect(await readFile(join(work, "two"), "utf8")).toBe("own");
    expect(await gantry([...words, "--force"])).toMatchObject({ code: 0, stderr: "" });
    for (const text of ["one", "two", "six"]) expect(await readFile(join(work, text), "utf8")).toBe(text);
  });

  test.each([[], ["--force"]])(
    "get writes nothing where a file is in a directory's place (%s)",
    async (...more: string[]) => {
      const [registry, work] = [await withApp(), await temporaryDirectory()];
      await attachText(registry, "one", "one");
      await attachText(registry, "sub/two", "two");
      await writeFile(join(work, "sub"), "own");
      const refused = await gantry(["artifact", "get", ...more, "-o", work, `${registry.host}/app:1`]);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("a part of the path is a file") });
      expect(await readdir(work)).toEqual(["sub"]);
    },
  );

  test("get writes where links in the directory lead, and they stay; the directory may be one, too", async () => {
    const [registry, folder] = [await withApp(), await temporaryDirectory()];
    const work = join(folder, "work");
    await mkdir(join(work, "real"), { recursive: true });
    await symlink("work", join(folder, "out"));
    await symlink("real/file", join(work, "one"));
    await symlink("real", join(work, "sub"));
    await symlink("later/folder", join(work, "new"));
    await writeFile(join(work, "real", "file"), "own");
    for (const [title, text] of Object.entries({ one: "one", "sub/two": "two", "new/six": "six" }))
      await attachText(registry, title, text);
    const words = ["artifact", "get", "--force", "-o", join(folder, "out"), `${registry.host}/app:1`];
    expect(await gantry(words)).toMatchObject({ code: 0, stderr: "" });
    for (const [name, to] of Object.entries({ one: "real/file", sub: "real", new: "later/folder" }))
      expect(await readlink(join(work, name))).toBe(to);
    expect(await readFile(join(work, "real", "file"), "utf8")).toBe("one");
    expect(await readFile(join(work, "real", "two"), "utf8")).toBe("two");
    expect(await readFile(join(work, "later", "folder", "six"), "utf8")).toBe("six");
    expect((await gantry(words)).stderr).toMatch(/(?:is there already, with the same content\n){1}/);
  });

  const waysOut: readonly (readonly [what: string, title: string, link: string, to: string])[] = [
    ["to a file", "evil", "evil", "../outside/file"],
    ["to a file with the same content", "evil", "evil", "../outside/same"],
    ["to nothing yet", "evil", "evil", "../outside/new"],
    ["to a directory", "sub/file", "sub", "../outside"],
    ["to a directory that is not there yet", "sub/file", "sub", "../outside/new"],
    ["to a directory whose name begins alike", "sub/file", "sub", "../work-other"],
  ];
  test.each(waysOut)("get follows no link out of the directory: %s", async (_, title, link, to) => {
    const [registry, folder] = [await withApp(), await temporaryDirectory()];
    const work = join(folder, "work");
    for (const name of ["work", "outside", "work-other"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "outside", "file"), "own");
    await writeFile(join(folder, "outside", "same"), "evil");
    await symlink(to, join(work, link));
    await attachText(registry, "good", "good");
    await attachText(registry, title, "evil");
    for (const more of [[], ["--force"]]) {
      const refused = await gantry(["artifact", "get", ...more, "-o", work, `${registry.host}/app:1`]);
      expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("a symbolic link leads") });
      expect([await readdir(work), await readlink(join(work, link))]).toEqual([[link], to]);
      expect(await readdir(join(folder, "outside"))).toEqual(["file", "same"]);
      expect(await readdir(join(folder, "work-other"))).toEqual([]);
      expect(await readFile(join(folder, "outside", "file"), "utf8")).toBe("own");
    }
  });

  test("get does not write two files to one place that a link makes of two", async () => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const text of ["one", "two"]) await attachText(registry, text, text);
    await symlink("two", join(work, "one"));
    const refused = await gantry(["artifact", "get", "--force", "-o", work, `${registry.host}/app:1`]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("one artifact at a time") });
    expect(await readdir(work)).toEqual(["one"]);
  });

  test("get writes nothing where one file would be below another", async () => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const [i, name] of ["a", "a/b"].entries()) await attachText(registry, name, `${i}`);
    const refused = await gantry(["artifact", "get", "-o", work, `${registry.host}/app:1`]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("or one is below it") });
    expect(await readdir(work)).toEqual([]);
  });

  test.each([[], ["--force"]])("get puts no file where a directory is (%s)", async (...more: string[]) => {
    const [registry, work] = [await withApp(), await temporaryDirectory()];
    for (const text of ["one", "two"]) await attachText(registry, text, text);
    await mkdir(join(work, "two"));
    const refused = await gantry(["artifact", "get", ...more, "-o", work, `${registry.host}/app:1`]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(join(work, "two")) });
    expect(await readdir(work)).toEqual(["two"]);
  });
});

describe("tag", () => {
  test("gives an image more tags, and moves one that is there", async () => {
    const { host, store } = await withApp();
    await putImage(store("app"), image("old"), "latest");
    expect(await must("tag", `${host}/app:1`, "1.0", "latest")).toBe(
      ["1.0", "latest"].map((tag) => `${host}/app:${tag}@${app.manifest.descriptor.digest}\n`).join(""),
    );
    expect(await must("digest", `${host}/app:latest`)).toBe(`${app.manifest.descriptor.digest}\n`);
  });

  test("dry, or with what can be no tag, changes nothing", async () => {
    const { host } = await withApp();
    await must("tag", "--dry-run", `${host}/app:1`, "2");
    expect((await gantry(["tag", `${host}/app:1`, "2", "a/b"])).code).toBe(2);
    expect(await must("ls", `${host}/app`)).toBe("1\n");
  });
});
