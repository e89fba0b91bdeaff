import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { htpasswdAccess, type Access } from "../../src/server/index.ts";
import { layoutStore } from "../../src/store/index.ts";
import { damagedArchive } from "../support/damaged-archive.ts";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { gantry, must, testRegistry } from "./support.ts";

const app = twoPlatforms("app");
const { digest } = app.manifest.descriptor;

describe("copy", () => {
  test("says where the image is, what it consists of and what was sent", async () => {
    const [a, b] = [await testRegistry(), await testRegistry()];
    await putImage(a.store("app"), app, "1");
    await putImage(a.store("app"), artifact("sbom", app.manifest.descriptor));
    const { stdout, stderr } = await gantry(["copy", `${a.host}/app:1`, `${b.host}/mirror`]);
    expect(stdout).toMatch(
      new RegExp(
        `^${b.host}/mirror:1@${digest}\ncopied: 4 manifests \\(1 attached\\), 8 blobs \\(8 sent\\); 4.7 kB in .*\n$`,
      ),
    );
    expect(stderr).toBe("");
    expect(await must("copy", `${a.host}/app:1`, `${a.host}/other`)).toContain("8 blobs (8 mounted); 0 B in");
    expect(await must("copy", `${a.host}/app:1`, `${b.host}/mirror`)).toContain("8 blobs (8 there already); 0 B in");
  });

  test("of one platform is that image", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    await must("copy", "--platform", "linux/arm64", `${a.host}/app:1`, `${a.host}/app:arm`);
    expect(await must("digest", `${a.host}/app:arm`)).toBe(`${app.children[1]!.manifest.descriptor.digest}\n`);
  });

  test("without what is attached leaves it behind", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    await putImage(a.store("app"), artifact("sbom", app.manifest.descriptor));
    await must("copy", "--no-referrers", `${a.host}/app:1`, `${a.host}/bare`);
    expect(await must("tree", `${a.host}/bare:1`)).not.toContain("referrer");
  });

  test("leaves a tag alone that is there, when told to", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    await putImage(a.store("other"), image("old"), "1");
    expect(await must("copy", "-n", `${a.host}/app:1`, `${a.host}/other`)).toContain("left alone: the tag is there");
    expect(await must("digest", `${a.host}/other:1`)).toBe(`${image("old").manifest.descriptor.digest}\n`);
  });

  test("dry, says what it would do, and with --detailed-exitcode whether there is anything", async () => {
    const [a, b] = [await testRegistry(), await testRegistry()];
    await putImage(a.store("app"), app, "1");
    const dry = ["copy", "--dry-run", "--detailed-exitcode", `${a.host}/app:1`, `${b.host}/app`];
    expect(await gantry(dry)).toMatchObject({
      code: 7,
      stdout: expect.stringContaining("would copy: 3 manifests, 6 blobs (6 to send); 4.5 kB to send"),
    });
    expect((await gantry(["digest", `${b.host}/app:1`])).code).toBe(3);
    await must("copy", `${a.host}/app:1`, `${b.host}/app`);
    expect(await gantry(dry)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("unchanged: 6 blobs (6 there already); 0 B to send"),
    });
  });

  test("of all tags tells of each on stderr, and counts the unchanged", async () => {
    const [a, b] = [await testRegistry(), await testRegistry()];
    for (const tag of ["1", "2", "3"]) await putImage(a.store("app"), image(tag), tag);
    await must("copy", `${a.host}/app:2`, `${b.host}/app`);
    const { stdout, stderr } = await gantry(["copy", "-a", `${a.host}/app`, `${b.host}/app`]);
    expect(stdout).toMatch(/^copied 2 images, 1 unchanged: 2 manifests, 6 blobs \(6 sent\); .*\n$/);
    expect(
      stderr
        .split("\n")
        .map((line) => line.split(" ")[0])
        .toSorted((a = "", b = "") => a.localeCompare(b)),
    ).toEqual(["", `${b.host}/app:1`, `${b.host}/app:3`]);
  });

  test("of all tags takes no tag, at either end", async () => {
    expect(await gantry(["copy", "-a", "a.example/app:1", "b.example/app"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("names one image"),
    });
    expect(await gantry(["copy", "-a", "oci:dir:1", "b.example/app"])).toMatchObject({ code: 2 });
    expect(await gantry(["copy", "-a", "b.example/app", "dir:one"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("holds one image"),
    });
    const twice = ["oci-archive:both.tar:1", "docker-archive:./both.tar:app:1"];
    expect(await gantry(["copy", "b.example/app:1", ...twice])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("are one place in two forms"),
    });
    const stdout = ["oci-archive:-", "docker-archive:-"];
    expect(await gantry(["copy", "b.example/app:1", ...stdout])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("are one place in two forms"),
    });
  });

  test("to one place by two paths brings both names there, and a link is what it leads to", async () => {
    const [a, folder] = [await testRegistry(), await temporaryDirectory()];
    await putImage(a.store("app"), app, "1");
    await symlink(folder, join(folder, "link"));
    for (const [kind, file] of [
      ["oci-archive", "app.tar"],
      ["oci", "layout"],
    ] as const) {
      const [one, two] = [`${kind}:${folder}/${file}`, `${kind}:${folder}/link/${file}`];
      await must("copy", `${a.host}/app:1`, `${one}:a`, `${two}:b`);
      expect(await must("ls", one)).toBe("a\nb\n");
      await must("copy", `${a.host}/app:1`, `${one}:c`, `${two}:d`);
      expect(await must("ls", two)).toBe("a\nb\nc\nd\n");
    }
    expect(await gantry(["copy", `${a.host}/app:1`, `dir:${folder}/one`, `oci:${folder}/link/one`])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("are one place in two forms"),
    });
  });

  test("into an archive keeps the other images in it", async () => {
    const [a, folder] = [await testRegistry(), await temporaryDirectory()];
    await putImage(a.store("app"), app, "1");
    await putImage(a.store("app"), image("two"), "2");
    await putImage(a.store("other"), image("other"), "1");
    const archive = `oci-archive:${folder}/app.tar`;
    for (const tag of ["1", "2"]) await must("copy", `${a.host}/app:${tag}`, archive);
    expect(await must("copy", "--no-clobber", `${a.host}/other:1`, archive)).toContain("left alone");
    expect(await must("copy", "--no-clobber", `${a.host}/other:1`, `${archive}:3`)).toContain("copied");
    expect(await must("ls", archive)).toBe("1\n2\n3\n");
    expect(await must("digest", `${archive}:1`)).toBe(`${digest}\n`);
    expect(await must("copy", "--all-tags", `${a.host}/app`, archive)).toContain("2 unchanged");
    expect(await must("ls", archive)).toBe("1\n2\n3\n");
  });

  test("over a file that is no archive is refused before the source is asked", async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, "notes"), "notes");
    for (const more of [[], ["--no-clobber"], ["--all-tags"], ["--dry-run"]])
      for (const transport of ["oci-archive", "docker-archive", "dir", "oci"]) {
        const from = more.includes("--all-tags") ? "127.0.0.1:1/app" : "127.0.0.1:1/app:1";
        if (transport === "dir" && more.includes("--all-tags")) continue;
        expect(await gantry(["copy", ...more, from, `${transport}:${folder}/notes`])).toMatchObject({
          code: 2,
          stderr: expect.stringContaining(join(folder, "notes")),
        });
      }
    expect(await readFile(join(folder, "notes"), "utf8")).toBe("notes");
  });

  test("quietly, prints the digest alone", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    const file = join(await temporaryDirectory(), "digest");
    expect(await must("copy", "-q", "--digest-file", file, `${a.host}/app:1`, `${a.host}/other`)).toBe(`${digest}\n`);
    expect(await readFile(file, "utf8")).toBe(digest);
  });

  test("that failed for one of two destinations is partly done, and says which", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    const { code, stderr, stdout } = await gantry([
      "copy",
      "--retries",
      "0",
      `${a.host}/app:1`,
      `${a.host}/other`,
      "127.0.0.1:1/app",
      "--format",
      "json",
    ]);
    expect(code).toBe(6);
    expect(JSON.parse(stderr.trim().split("\n").at(-1)!)).toMatchObject({
      error: { code: "PARTIAL", message: expect.stringMatching(/^1 of 2 copies failed: 127.0.0.1:1\/app:1: /) },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      images: [{ outcome: "copied" }],
      failures: [{ to: "127.0.0.1:1/app:1", error: { code: "NETWORK" } }],
    });
  });
});

describe("copy into an archive that cannot be written in the end", () => {
  test("is that error, and no digest is told", async () => {
    const [a, folder] = [await testRegistry(), await temporaryDirectory()];
    for (const tag of ["1", "2"]) await putImage(a.store("app"), app, tag);
    await damagedArchive(`${folder}/app.tar`);
    const file = join(folder, "digest");
    for (const more of [[`${a.host}/app:1`], ["-a", `${a.host}/app`]]) {
      const words = ["copy", "--digest-file", file, ...more, `oci-archive:${folder}/app.tar`];
      const { code, stdout, stderr } = await gantry(words);
      expect([code, stdout, await readFile(file, "utf8")]).toEqual([5, "", ""]);
      expect(stderr.split("stays as it was").length).toBe(2);
      expect(stderr).not.toContain("copies failed");
    }
  });

  test("says once what is wrong with all its copies, where others went well", async () => {
    const [a, folder] = [await testRegistry(), await temporaryDirectory()];
    await putImage(a.store("app"), app, "1");
    const archive = `oci-archive:${folder}/app.tar`;
    await damagedArchive(`${folder}/app.tar`);
    const to = [`${archive}:1`, `${a.host}/other`, `${archive}:2`];
    const { code, stdout, stderr } = await gantry(["copy", `${a.host}/app:1`, ...to]);
    expect([code, stdout]).toEqual([6, expect.stringContaining(`${a.host}/other:1@${digest}`)]);
    expect(stderr).toContain(`2 of 3 copies failed: ${archive}:1, ${archive}:2: ${archive} stays as it was`);
  });
});

describe("logins", () => {
  test("go to the side they are given for, also where both sides are one registry", async () => {
    const users = join(await temporaryDirectory(), "users");
    await writeFile(users, ["reader", "writer"].map((name) => `${name}:${hashSync(name, 4)}\n`).join(""));
    const grants = (user: string | undefined) =>
      user === "writer" ? (["pull", "push"] as const) : (["pull"] as const);
    const a = await testRegistry({ access: htpasswdAccess({ file: users, grants }) });
    const open = await testRegistry();
    await putImage(open.store("app"), app, "1");
    await must("copy", "--dest-creds", "writer:writer", `${open.host}/app:1`, `${a.host}/into/app`);
    expect(
      (await gantry(["copy", "--dest-creds", "reader:wrong", `${open.host}/app:1`, `${a.host}/into/app`])).code,
    ).toBe(4);
    await must("copy", "--src-creds", "reader:reader", `${a.host}/into/app:1`, `${open.host}/back`);
    await must(
      "copy",
      "--src-creds",
      "reader:reader",
      "--dest-creds",
      "writer:writer",
      `${a.host}/into/app:1`,
      `${a.host}/into/b`,
    );
  });

  test("come from a file for each side", async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, "users"), `alice:${hashSync("alice", 4)}\nbob:${hashSync("bob", 4)}\n`);
    const access = (user: string): Access =>
      htpasswdAccess({ file: join(folder, "users"), grants: (who) => (who === user ? ["pull", "push"] : []) });
    const [a, b] = [await testRegistry({ access: access("alice") }), await testRegistry({ access: access("bob") })];
    const fileFor = async (host: string, user: string): Promise<string> => {
      const file = join(folder, `${user}.json`);
      const auth = Buffer.from(`${user}:${user}`).toString("base64");
      await writeFile(file, JSON.stringify({ auths: { [host]: { auth } } }));
      return file;
    };
    const open = await testRegistry();
    await putImage(open.store("app"), app, "1");
    await must("copy", "--dest-creds", "alice:alice", `${open.host}/app:1`, `${a.host}/app`);
    const files = [await fileFor(a.host, "alice"), await fileFor(b.host, "bob")] as const;
    const sides = ["--src-authfile", files[0], "--dest-authfile", files[1]];
    await must("copy", ...sides, `${a.host}/app:1`, `${b.host}/app`);
    expect((await gantry(["copy", "--src-authfile", files[0], `${a.host}/app:1`, `${b.host}/x`])).code).toBe(4);
    const missing = await gantry(["copy", "--src-authfile", "none.json", `${a.host}/app:1`, `${b.host}/x`]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("none.json") });
  });

  test("for a side without a registry are a mistake where the other side has one, and none is for that", async () => {
    const mistakes = [
      [["--src-authfile", "x", "oci:x:1", "r.example/app"], "--dest-authfile"],
      [["--src-creds", "a:b", "oci:x:1", "r.example/app"], "--dest-creds"],
      [["--src-creds", "a:b", "--src-registry-token", "x", "oci:x:1", "r.example/app"], "--dest-creds"],
      [["--dest-registry-token", "x", "r.example/app:1", "oci:x"], "--src-registry-token"],
    ] as const;
    for (const [words, other] of mistakes) {
      expect(await gantry(["copy", ...words])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          new RegExp(`^error: ${words[0]} is for a registry, and there is none on that side\\n.*${other}`),
        ),
      });
    }
  });

  test("for a side without a registry go nowhere where the other has its own, or none is a registry", async () => {
    const folder = await temporaryDirectory();
    const { host, store } = await testRegistry();
    await putImage(store("app"), app, "1");
    const layout = `oci:${join(folder, "layout")}:1`;
    await must("copy", "--dest-creds", "a:b", "--src-creds", "c:d", `${host}/app:1`, layout);
    await must("copy", "--src-creds", "a:b", "--dest-creds", "c:d", layout, `${host}/back`);
    await must("copy", "--src-registry-token", "x", "--creds", "c:d", layout, `${host}/back`);
    await must("copy", "--src-authfile", "none.json", "--creds", "a:b", layout, `oci:${join(folder, "other")}`);
    await must("inspect", "--creds", "a:b", layout);
  });
});

describe("pull and push", () => {
  test.each([
    ["an OCI layout", ["layout"], "layout"],
    ["an OCI archive", ["image.tar"], "image.tar"],
    ["a Docker archive", ["image.tar", "--as", "docker-archive", "--platform", "linux/amd64"], "image.tar"],
    ["a dir:", ["folder", "--as", "dir", "--platform", "linux/amd64"], "folder"],
  ])("%s is seen for what it is", async (_, [path, ...flags], name) => {
    const [a, work] = [await testRegistry(), await temporaryDirectory()];
    await putImage(a.store("team/app"), app, "1");
    await must("pull", `${a.host}/team/app:1`, join(work, path!), ...flags);
    await must("push", join(work, name), `${a.host}/back:1`);
    const expected = flags.includes("--platform") ? app.children[0]! : app;
    expect(await must("digest", `${a.host}/back:1`)).toBe(`${expected.manifest.descriptor.digest}\n`);
  });

  test("an archive goes to stdout whole, and comes from stdin", async () => {
    const a = await testRegistry();
    await putImage(a.store("app"), app, "1");
    const { bytes, stderr } = await gantry(["pull", `${a.host}/app:1`, "-"]);
    expect(stderr).toMatch(/^oci-archive:-:1@sha256:.*\ncopied: /);
    expect((await gantry(["push", "-", `${a.host}/back:1`], { stdin: bytes })).code).toBe(0);
    expect(await must("digest", `${a.host}/back:1`)).toBe(`${digest}\n`);
  });

  test("a Docker archive without a platform holds the image for this machine", async () => {
    const [a, work] = [await testRegistry(), await temporaryDirectory()];
    await putImage(a.store("app"), app, "1");
    await must("pull", "--as", "docker-archive", `${a.host}/app:1`, join(work, "app.tar"));
    expect(app.children.map((child) => child.manifest.descriptor.digest)).toContain(
      (await must("digest", `docker-archive:${join(work, "app.tar")}`)).trim(),
    );
  });

  test.each([
    ["nothing", async () => {}, "no such file"],
    ["an empty directory", (path: string) => mkdir(path), "neither an OCI layout nor"],
    ["a file that is no archive", (path: string) => writeFile(path, "hello"), "no image archive"],
  ])("%s is no image", async (_, make, message) => {
    const path = join(await temporaryDirectory(), "it");
    await make(path);
    expect(await gantry(["push", path, "r.example/app:1"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });

  test("both need a registry on one side and a file on the other", async () => {
    expect(await gantry(["push", "docker://a.example/app:1", "b.example/app"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("between registries, use gantry copy"),
    });
    expect(await gantry(["pull", "a.example/app:1", "docker://b.example/app"])).toMatchObject({ code: 2 });
  });

  test("one image of a layout with several has to be named", async () => {
    const [a, work] = [await testRegistry(), await temporaryDirectory()];
    for (const tag of ["1", "2"]) await putImage(layoutStore(join(work, "l")), image(tag), tag);
    expect((await gantry(["push", join(work, "l"), `${a.host}/app:x`])).code).toBe(2);
    await must("push", `oci:${join(work, "l")}:2`, `${a.host}/app:x`);
    expect(await must("digest", `${a.host}/app:x`)).toBe(`${image("2").manifest.descriptor.digest}\n`);
  });
});
