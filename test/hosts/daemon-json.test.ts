import { expect, test } from "vitest";
import { parseDaemonJson } from "../../src/hosts/daemon-json.ts";
import { fault } from "./machine.ts";

const parse = (value: unknown): ReturnType<typeof parseDaemonJson> =>
  parseDaemonJson(typeof value === "string" ? value : JSON.stringify(value), "/d.json");

test.each([
  ["reg.example", true],
  ["reg.example:5000", false],
  ["other.example:5000", true],
  ["other.example", false],
  ["scheme.example", true],
  ["10.1.2.3:5000", true],
  ["11.1.2.3", false],
  ["[fd00::1]:5000", true],
  ["[fe00::1]", false],
  ["::ffff", false],
])("whether %s is insecure: %s", (host, expected) => {
  const daemon = parse({
    "insecure-registries": ["Reg.example", "other.example:5000", "http://scheme.example", "10.0.0.0/8", "fd00::/16"],
    "log-driver": "json-file",
  });
  expect(daemon.isInsecure(host)).toBe(expected);
});

test("mirrors are URLs of hosts", () => {
  const { mirrors } = parse({ "registry-mirrors": ["https://m.example/", "http://m.example:5000"] });
  expect(mirrors.map(({ href }) => href)).toEqual(["https://m.example/", "http://m.example:5000/"]);
  expect(parse({}).mirrors).toEqual([]);
});

const hint = " (write https://mirror.example)";
const networkHint = " (write host[:port], or a network such as 10.0.0.0/8)";

test.each([
  ["{\n  a}", "/d.json is not valid JSON: line 2, column 3"],
  ["[]", "/d.json is not a JSON object"],
  [{ "registry-mirrors": "https://m.example" }, "/d.json: registry-mirrors is not a list of texts"],
  [{ "registry-mirrors": ["m.example"] }, `/d.json: registry-mirrors: "m.example" is not a URL of a host alone${hint}`],
  [
    { "registry-mirrors": ["https://m.example/path"] },
    `/d.json: registry-mirrors: "https://m.example/path" is not a URL of a host alone${hint}`,
  ],
  [
    { "registry-mirrors": ["https://user:secret@m.example"] },
    `/d.json: registry-mirrors: a mirror is not a URL of a host alone${hint}`,
  ],
  [
    { "registry-mirrors": ["user:secret@m.example"] },
    `/d.json: registry-mirrors: a mirror is not a URL of a host alone${hint}`,
  ],
  [
    { "insecure-registries": ["10.0.0.0/33"] },
    `/d.json: insecure-registries: "10.0.0.0/33" is no network${networkHint}`,
  ],
  [{ "insecure-registries": ["a/b"] }, `/d.json: insecure-registries: "a/b" is no network${networkHint}`],
])("%j is not right", (text, expected) => {
  expect(fault("", () => parse(text))).toBe(`INVALID: ${expected}`);
});
