import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openKeyFile } from "../../../src/server/access/key-file.ts";
import { workDirectory } from "./support.ts";

test("makes a key that only its owner can read, once", async () => {
  await using work = await workDirectory();
  const path = join(work.path, "data", "token.key");
  const key = await openKeyFile(path);
  expect(key.byteLength).toBe(32);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(Buffer.from(await openKeyFile(path))).toEqual(Buffer.from(key));
  expect(await readdir(join(work.path, "data"))).toEqual(["token.key"]);
});

test.each(["", "short", "x".repeat(44), `${"x".repeat(42)}=`])("refuses a damaged key %j", async (text) => {
  await using work = await workDirectory();
  const path = join(work.path, "token.key");
  await writeFile(path, text);
  const error = { code: "INVALID", message: expect.stringContaining(path), hint: expect.stringContaining("remove") };
  await expect(openKeyFile(path)).rejects.toMatchObject(error);
});

test("says where it can neither read nor write", async () => {
  await using work = await workDirectory();
  await expect(openKeyFile(work.path)).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("EISDIR"),
  });
  await writeFile(join(work.path, "file"), "");
  await expect(openKeyFile(join(work.path, "file", "key"))).rejects.toMatchObject({ code: "INVALID" });
});
