import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { expect, test } from "vitest";
import { parseHtpasswd, userFile } from "../../../src/server/access/htpasswd.ts";
import { workDirectory, writeUsers } from "./support.ts";

const hash = hashSync("secret", 4);
const of = (prefix: string): string => prefix + hash.slice(4);

test.each([
  { name: "an empty file", text: "", users: {} },
  { name: "one user", text: `ann:${hash}`, users: { ann: hash } },
  { name: "comments, empty lines and CRLF", text: `# users\r\n\r\nann:${hash}\r\n  \n`, users: { ann: hash } },
  { name: "a byte order mark", text: `\uFEFFann:${hash}\n`, users: { ann: hash } },
  {
    name: "all kinds of bcrypt",
    text: `a:${of("$2a$")}\nb:${of("$2b$")}\ny:${of("$2y$")}`,
    users: { a: of("$2a$"), b: of("$2b$"), y: of("$2y$") },
  },
  {
    name: "names with spaces, @ and beyond ASCII",
    text: `ann lee@x.example:${hash}\nزينب:${hash}`,
    users: { "ann lee@x.example": hash, زينب: hash },
  },
])("reads $name", ({ text, users }) => {
  expect(Object.fromEntries(parseHtpasswd(text, "users"))).toEqual(users);
});

test.each([
  { line: "ann:$apr1$abcdefgh$0123456789012345678901", says: "user ann has an MD5 hash, only bcrypt" },
  { line: "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", says: "user ann has a SHA-1 hash" },
  { line: "ann:$5$salt$0123", says: "user ann has a SHA-256 crypt hash" },
  { line: "ann:$6$salt$0123", says: "user ann has a SHA-512 crypt hash" },
  { line: "ann:hunter2", says: "user ann has a crypt() hash or a plain password" },
  { line: "ann:", says: "user ann has no hash" },
  { line: `ann:${of("$2x$")}`, says: "user ann has a damaged bcrypt hash" },
  { line: `ann:${hash.slice(0, -1)}`, says: "user ann has a damaged bcrypt hash" },
  { line: `ann:${hash} `, says: "user ann has a damaged bcrypt hash" },
  { line: `ann:${hash.replace("$04$", "$31$")}`, says: "bcrypt cost of 31, which is not between 4 and 16" },
  { line: `ann:${hash.replace("$04$", "$03$")}`, says: "bcrypt cost of 3, which" },
  { line: "hunter2", says: 'has no ":" between user and hash' },
  { line: `:${hash}`, says: "a user name is 1 to 255 characters" },
  { line: `${"a".repeat(256)}:${hash}`, says: "a user name is 1 to 255 characters" },
  { line: `an\tn:${hash}`, says: "none of them a control character" },
  { line: `bob:${hash}`, says: "user bob is in line 1 already" },
])("refuses $line", ({ line, says }) => {
  const text = `bob:${hash}\n\n${line}\n`;
  let caught: unknown;
  try {
    parseHtpasswd(text, "/etc/users");
  } catch (error) {
    caught = error;
  }
  expect(caught).toMatchObject({ code: "INVALID", message: expect.stringContaining("/etc/users, line 3") });
  expect(caught).toMatchObject({ message: expect.stringContaining(says) });
  expect(String(caught)).not.toMatch(/hunter2|0123|W6ph|ulbPg/i);
  expect(String(caught)).not.toContain(hash.slice(10));
});

test("a file is read when it changes, and not otherwise", async () => {
  await using work = await workDirectory();
  const path = join(work.path, "users");
  const file = userFile(path);
  await writeUsers(path, { ann: "1" });
  const first = file.entries();
  expect([...first.keys()]).toEqual(["ann"]);
  expect(file.entries()).toBe(first);
  await writeUsers(path, { ann: "1", bob: "2" });
  expect([...file.entries().keys()]).toEqual(["ann", "bob"]);
  const before = file.entries();
  await utimes(path, 1, 1);
  expect(file.entries(), "another time, so perhaps another content of the same size").not.toBe(before);
});

test("a file that is missing or wrong throws until it is mended", async () => {
  await using work = await workDirectory();
  const path = join(work.path, "users");
  const file = userFile(path);
  const absent = { code: "INVALID", message: `cannot read the htpasswd file ${path}: it is not there` };
  for (const _ of [1, 2]) expect(() => file.entries()).toThrow(expect.objectContaining(absent));
  await writeUsers(path, { ann: "1" });
  expect(file.entries().size).toBe(1);
  await writeFile(path, "ann\n");
  for (const _ of [1, 2]) expect(() => file.entries()).toThrow("line 1 has no");
  await rm(path);
  expect(() => file.entries()).toThrow("is not there");
  await mkdir(path);
  expect(() => file.entries()).toThrow(`cannot read the htpasswd file ${path}: it is a directory`);
});
