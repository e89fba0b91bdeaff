import { execFile } from "node:child_process";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { archiveFile } from "../../../src/store/archive/archive-file.ts";
import { tarHeader } from "../../../src/store/archive/tar-format.ts";
import { scanTar, type Member } from "../../../src/store/archive/tar-scan.ts";
import { expectCode } from "../../contract/store.ts";
import { tarOf, type TarEntry } from "../../support/tar.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

interface Scanned {
  readonly members: ReadonlyMap<string, Member>;
  readonly text: (name: string) => Promise<string | undefined>;
  readonly size: (name: string) => number | undefined;
}

async function scan(bytes: Uint8Array): Promise<Scanned> {
  const path = join(await temporaryDirectory(), "archive.tar");
  await writeFile(path, bytes);
  const file = await open(path);
  onTestFinished(() => file.close());
  const members = await scanTar(file, bytes.byteLength, "the archive");
  const archive = archiveFile(file, members, "the archive");
  const text = async (name: string): Promise<string | undefined> => {
    const found = await archive.read(name, 1e6);
    return found && Buffer.from(found).toString();
  };
  return { members, text, size: archive.size };
}

const long = `${"folder/".repeat(30)}file`;

describe("an archive", () => {
  test("is listed whoever made it", async () => {
    const { text, members } = await scan(
      await tarOf([
        { name: "folder/", type: "directory" },
        { name: "./a", bytes: "first" },
        { name: long, bytes: "long" },
        { name: "empty" },
        { name: "pax", bytes: "with records", pax: { comment: "hello" } },
      ]),
    );
    expect([...members.keys()]).toEqual(["a", long, "empty", "pax"]);
    expect(await text("a")).toBe("first");
    expect(await text("./a")).toBe("first");
    expect(await text(long)).toBe("long");
    expect(await text("empty")).toBe("");
    expect(await text("pax")).toBe("with records");
    expect(await text("absent")).toBeUndefined();
  });

  test.each(["gnu", "pax", "ustar", "v7"])("of tar's format %s is read", async (format) => {
    const folder = await temporaryDirectory();
    const name =
      format === "v7" || format === "ustar"
        ? `${"f/".repeat(format === "v7" ? 20 : 70)}file`
        : `${"f/".repeat(120)}${"n".repeat(150)}`;
    await mkdir(join(folder, "in", name, ".."), { recursive: true });
    await writeFile(join(folder, "in", name), "content");
    await promisify(execFile)("tar", [
      `--format=${format}`,
      "-cf",
      join(folder, "out.tar"),
      "-C",
      join(folder, "in"),
      ".",
    ]);
    const { text } = await scan(await readFile(join(folder, "out.tar")));
    expect(await text(name)).toBe("content");
  });

  test("may go without the blocks that end it", async () => {
    const whole = await tarOf([{ name: "a", bytes: "text" }]);
    expect(await (await scan(whole.subarray(0, 1024))).text("a")).toBe("text");
  });

  test("takes the last of two members with one name", async () => {
    expect(
      await (
        await scan(
          await tarOf([
            { name: "a", bytes: "1" },
            { name: "a", bytes: "2" },
          ]),
        )
      ).text("a"),
    ).toBe("2");
  });
});

describe("links", () => {
  test("are followed within the archive", async () => {
    const { text } = await scan(
      await tarOf([
        { name: "one/layer.tar", bytes: "layer" },
        { name: "two/layer.tar", symlink: "../one/layer.tar" },
        { name: "three/layer.tar", symlink: "../two/layer.tar" },
        { name: "hard", hardlink: "one/layer.tar" },
      ]),
    );
    for (const name of ["two/layer.tar", "three/layer.tar", "hard"]) expect(await text(name)).toBe("layer");
  });

  test("that lead nowhere are not there", async () => {
    expect(await (await scan(await tarOf([{ name: "a", symlink: "b" }]))).text("a")).toBeUndefined();
  });

  test("in a circle are CORRUPT", async () => {
    const { size } = await scan(
      await tarOf([
        { name: "a", symlink: "b" },
        { name: "b", symlink: "a" },
      ]),
    );
    await expectCode("CORRUPT", async () => size("a"));
  });
});

describe("a hostile archive is CORRUPT:", () => {
  const paths: readonly TarEntry[] = [
    { name: "../outside", bytes: "x" },
    { name: "a/../../outside", bytes: "x" },
    { name: "/etc/passwd", bytes: "x" },
    { name: "a", symlink: "/etc/passwd" },
    { name: "a", symlink: "../outside" },
    { name: "a/b", symlink: "../../outside" },
    { name: "a", hardlink: "../outside" },
    { name: "a", bytes: "x", pax: { path: "../outside" } },
    { name: "n".repeat(2000), bytes: "x" },
  ];
  test.each(paths)("a member %j", async (entry) => {
    const archive = await tarOf([entry]);
    await expectCode("CORRUPT", () => scan(archive));
  });

  test.each(["index.json", "manifest.json", "oci-layout"])("two of %s", async (name) => {
    await expectCode("CORRUPT", async () =>
      scan(
        await tarOf([
          { name, bytes: "{}" },
          { name: `./${name}`, bytes: "[]" },
        ]),
      ),
    );
  });

  test("one that is cut off, wherever", async () => {
    const whole = await tarOf([
      { name: "a", bytes: "x".repeat(1000) },
      { name: long, bytes: "y" },
    ]);
    for (const at of [1, 100, 511, 513, 1000, 1511, 2000, 2048]) {
      await expectCode("CORRUPT", () => scan(whole.subarray(0, at)));
    }
  });

  test.each([8 * 1024 ** 3 - 1, 2 ** 50])("a size of %i bytes that are not there", async (size) => {
    await expectCode("CORRUPT", () => scan(Buffer.concat([tarHeader("a", size), Buffer.alloc(2048)])));
  });

  test("no archive at all", async () => {
    for (const text of ["hello", "{}".repeat(600), "\u0001".repeat(512)])
      await expectCode("CORRUPT", () => scan(Buffer.from(text)));
  });

  test("an extended header of megabytes", async () => {
    const header = Buffer.from(tarHeader("name", 2 * 1024 * 1024));
    header[156] = "L".charCodeAt(0);
    header.write("        ", 148, "latin1");
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\u0000 `,
      148,
      "latin1",
    );
    await expectCode("CORRUPT", () => scan(Buffer.concat([header, Buffer.alloc(2 * 1024 * 1024)])));
  });

  test("more members than an image can have", async () => {
    const headers = Array.from({ length: 100_001 }, (_, i) => tarHeader(`f${i}`, 0));
    await expectCode("TOO_LARGE", () => scan(Buffer.concat(headers)));
  });
});
