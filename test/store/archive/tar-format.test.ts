import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { paddingOf, parsePax, parseTarHeader, tarEnd, tarHeader } from "../../../src/store/archive/tar-format.ts";
import { expectCode } from "../../contract/store.ts";

/** What tar-stream makes of an archive. */
async function extracted(
  archive: Uint8Array,
): Promise<readonly { readonly name: string; readonly size: number | undefined }[]> {
  const found: { name: string; size: number | undefined }[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    found.push({ name: entry.header.name, size: entry.header.size });
    entry.resume();
  }
  return found;
}

const names = [
  "a",
  "blobs/sha256/".padEnd(77, "0"),
  "x".repeat(100),
  "blobs/sha512/".padEnd(141, "f"),
  "é".repeat(50),
  "é".repeat(51),
  `${"long/".repeat(180)}name`,
];

describe("a header that we write", () => {
  test.each(names)("%s is what others read", async (name) => {
    const bytes = Buffer.from("content");
    const archive = Buffer.concat([
      tarHeader(name, bytes.length),
      bytes,
      Buffer.alloc(paddingOf(bytes.length)),
      tarEnd,
    ]);
    expect(await extracted(archive)).toEqual([{ name, size: bytes.length }]);
  });

  test.each([0, 1, 511, 512, 513, 8 * 1024 ** 3 - 1])(
    "of a member of %i bytes is one block, and what we read",
    (size) => {
      const header = tarHeader("name", size);
      expect(header.length).toBe(512);
      expect(parseTarHeader(header, "here")).toEqual({ name: "name", type: "0", size, link: "" });
      expect((size + paddingOf(size)) % 512).toBe(0);
    },
  );

  test.each([8 * 1024 ** 3, 2 ** 40])("of a member of %i bytes has its size in a pax header", (size) => {
    const header = tarHeader("name", size);
    expect(parseTarHeader(header.subarray(0, 512), "here")).toMatchObject({ type: "x" });
    expect(parsePax(header.subarray(512, 1024), "here").get("size")).toBe(String(size));
  });

  test("is the same for the same member", () => {
    expect(tarHeader("name", 5)).toEqual(tarHeader("name", 5));
  });
});

describe("a header that we read", () => {
  const block = (size: Buffer): Buffer => {
    const header = Buffer.from(tarHeader("name", 0));
    size.copy(header, 124);
    header.write("        ", 148, "latin1");
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\u0000 `,
      148,
      "latin1",
    );
    return header;
  };

  test.each([
    ["octal with spaces", Buffer.from("       144 \u0000"), 100],
    ["nothing", Buffer.alloc(12), 0],
    ["base 256", Buffer.from("800000000000000200000000", "hex"), 2 ** 33],
  ])("may have its size as %s", (_, size, expected) => {
    expect(parseTarHeader(block(size), "here")?.size).toBe(expected);
  });

  test.each([
    ["a negative number", Buffer.from("ffffffffffffffffffffffff", "hex")],
    ["more than counts", Buffer.from("80ffffffffffffffffffffff", "hex")],
    ["letters", Buffer.from("00000000xyz\u0000")],
    ["a sign", Buffer.from("-0000000001\u0000")],
  ])("with %s for its size is CORRUPT", async (_, size) => {
    await expectCode("CORRUPT", async () => parseTarHeader(block(size), "here"));
  });

  test("whose bytes were changed is CORRUPT", async () => {
    const header = Buffer.from(tarHeader("name", 5));
    header[0]! += 1;
    await expectCode("CORRUPT", async () => parseTarHeader(header, "here"));
  });

  test("is none where the archive ends", () => {
    expect(parseTarHeader(Buffer.alloc(512), "here")).toBeUndefined();
  });
});

describe("pax records", () => {
  const record = (key: string, value: string): string => {
    const rest = ` ${key}=${value}\n`;
    let size = Buffer.byteLength(rest) + 1;
    while (String(size).length + Buffer.byteLength(rest) !== size) size += 1;
    return `${size}${rest}`;
  };

  test("are read whatever is in them", () => {
    const key = fc.string({ minLength: 1 }).filter((text) => !/[=\0]/.test(text) && text.isWellFormed());
    const value = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(fc.dictionary(key, value), (pairs) => {
        const bytes = Buffer.from(
          Object.entries(pairs)
            .map(([k, v]) => record(k, v))
            .join(""),
        );
        expect(Object.fromEntries(parsePax(bytes, "here"))).toEqual({ ...pairs });
      }),
    );
  });

  test.each(["12", "x a=b\n", "0 a=b\n", "99 a=b\n", "6 a=bc", "5 abc\n", "-6 a=b\n", "999999999 a=b\n"])(
    "%j is CORRUPT",
    async (text) => {
      await expectCode("CORRUPT", async () => parsePax(Buffer.from(text), "here"));
    },
  );
});
