import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { netrcSource, parseNetrc } from "../../src/auth/netrc.ts";
import { credentialContract, lineOf, secret } from "../contract/credentials.ts";
import { temporaryDirectory } from "../support/temporary.ts";

async function netrc(text: string, mode = 0o600): Promise<string> {
  const file = join(await temporaryDirectory(), "netrc");
  await writeFile(file, text, { mode });
  return file;
}

credentialContract("netrc", {
  filled: async ({ host }) =>
    netrcSource(await netrc(`machine ${host} login ann password ${secret}\ndefault login x password y\n`)),
  empty: async () => netrcSource(await netrc("default login ann password pw\n")),
  broken: {
    source: async () => netrcSource(await temporaryDirectory()),
    message: /is not a file$/,
  },
});

describe("a netrc file", () => {
  test.each<[string, string, string]>([
    ["one line", "machine r.example login ann password pw", "ann:pw"],
    ["many lines", "machine r.example\n\tlogin ann\r\n\tpassword pw\r\n", "ann:pw"],
    ["any order, an account", "machine r.example password pw account x login ann", "ann:pw"],
    ["quotes", 'machine r.example login "ann b" password "p\\"w \\\\ x"', 'ann b:p"w \\ x'],
    ["a quote within", 'machine r.example login ann password p"w', 'ann:p"w'],
    ["a quote that does not end", 'machine r.example login ann password "pw', 'ann:"pw'],
    ["a hash within", "machine r.example login ann password #pw", "ann:#pw"],
    ["comments", "# machine r.example login eve password no\nmachine r.example login ann password pw", "ann:pw"],
    [
      "a macro",
      "macdef init\nmachine r.example login eve password no\n\nmachine r.example login ann password pw",
      "ann:pw",
    ],
    ["a macro of a machine", "machine r.example login ann password pw macdef init\nlogin eve\n\n", "ann:pw"],
    ["keywords as values", "machine r.example login login password machine", "login:machine"],
    ["the first of two", "machine r.example login ann password pw machine r.example login eve password no", "ann:pw"],
    ["one that is not whole", "machine r.example login eve\nmachine r.example login ann password pw", "ann:pw"],
    ["upper case", "machine R.Example login ann password pw", "ann:pw"],
    ["words not known", "machine r.example protocol https login ann password pw", "ann:pw"],
    ["an end too soon", "machine r.example login ann password pw machine", "ann:pw"],
    ["a byte order mark", "\uFEFFmachine r.example login ann password pw", "ann:pw"],
    [
      "what follows default",
      "machine other.example\ndefault login eve password no\nmachine r.example login ann password pw",
      "ann:pw",
    ],
  ])("with %s", async (_, text, expected) => {
    expect(lineOf(await netrcSource(await netrc(text)).find("r.example", "app"))).toBe(`basic ${expected}`);
  });

  test("a machine with a port goes before one without, which is for all ports", async () => {
    const file = await netrc("machine r.example login all password pw\nmachine r.example:5000 login one password pw\n");
    const source = netrcSource(file);
    expect(lineOf(await source.find("r.example:5000", ""))).toBe("basic one:pw");
    expect(lineOf(await source.find("r.example:5001", ""))).toBe("basic all:pw");
    expect(await source.find("r.example:5000", "")).toMatchObject({
      origin: `${file}: machine r.example:5000, line 2`,
    });
  });

  test("that others can read is told of, when it is used", async () => {
    const warnings: string[] = [];
    const file = await netrc("machine r.example login ann password pw");
    await chmod(file, 0o644);
    const source = netrcSource(file, (text) => warnings.push(text));
    await source.find("other.example", "");
    expect(warnings).toEqual([]);
    await source.find("r.example", "");
    expect(warnings).toEqual([`every user of this machine can read the login in ${file}: chmod 600 ${file}`]);
  });

  test("whatever it says, is read, and what is written is found", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(Array.isArray(parseNetrc(text))).toBe(true);
      }),
    );
    const value = fc.string({ unit: "binary", minLength: 1 }).filter((text) => !/[\r\n]/.test(text));
    const quoted = (text: string): string => `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
    fc.assert(
      fc.property(value, value, (login, password) => {
        const text = `machine r.example login ${quoted(login)} password ${quoted(password)}\n`;
        expect(parseNetrc(text)).toEqual([{ name: "r.example", line: 1, login, password }]);
      }),
    );
  });
});
