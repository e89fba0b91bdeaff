import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { examine, supportedNode, type Machine } from "../../src/doctor/examine.ts";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { of, wrongIn } from "./support.ts";

const look = (machine: Partial<Machine>): Promise<readonly Diagnosis[]> =>
  Array.fromAsync(examine({ env: {}, version: "24.15.0", logins: [], settings: [], checks: [], ...machine }));

test("nothing is there, and nothing is wrong", async () => {
  const told = await look({ logins: ["/nonexistent/config.json"], settings: ["/nonexistent/registries.conf"] });
  expect(told.map(({ check, message }) => `${check}: ${message}`)).toEqual([
    "machine: Node.js 24.15.0",
    "proxy: none is set",
    "files: /nonexistent/config.json is not there",
  ]);
});

test("the versions of Node are those of the package", async () => {
  const { engines } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
    engines: { node: string };
  };
  const [first, second, last] = supportedNode.map((parts) => parts.join("."));
  expect(`^${first} || ^${second} || >=${last!.replace(/\.0\.0$/, "")}`).toBe(engines.node);
});

test.each([
  ["20.20.2", false],
  ["22.22.1", false],
  ["22.22.2", true],
  ["23.99.0", false],
  ["24.14.9", false],
  ["24.21.0", true],
  ["25.1.0", false],
  ["26.0.0", true],
  ["31.2.3", true],
])("Node.js %s is supported: %s", async (version, supported) => {
  expect(wrongIn(await look({ version }))).toHaveLength(supported ? 0 : 1);
});

test.each(["ALL_PROXY", "all_proxy"])("%s is a proxy too", async (name) => {
  const told = await look({ env: { [name]: "http://ann:s3cret@proxy.example:3128" } });
  expect(of(told, "proxy").map(({ message }) => message)).toEqual([
    `${name}: https goes through http://proxy.example:3128`,
    `${name}: http goes through http://proxy.example:3128`,
  ]);
});

test("proxies are told without their passwords, and variables that differ", async () => {
  const env = {
    https_proxy: "http://ann:s3cret@proxy.example:3128",
    HTTPS_PROXY: "http://other.example:1",
    http_proxy: "ftp://ann:s3cret@nowhere",
  };
  const told = await look({ env });
  expect(of(told, "proxy")).toMatchObject([
    { verdict: "fine", message: "https_proxy: https goes through http://proxy.example:3128" },
    { verdict: "warning", message: "https_proxy and HTTPS_PROXY differ" },
    { verdict: "fault", code: "INVALID", command: "echo $http_proxy" },
  ]);
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

async function withFile(text: string, mode = 0o600): Promise<{ file: string; told: readonly Diagnosis[] }> {
  const work = await temporaryDirectory();
  const file = join(work, "config.json");
  const bin = join(work, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "docker-credential-there"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(bin, "docker-credential-locked"), "#!/bin/sh\n", { mode: 0o644 });
  await writeFile(file, text);
  await chmod(file, mode);
  return { file, told: await look({ logins: [file], env: { PATH: `/nonexistent:${bin}` } }) };
}

const login = { auth: btoa("ann:s3cret") };

test("logins are counted, and files that others may read are a warning", async () => {
  const text = JSON.stringify({
    auths: { "registry.example": login, "https://other.example/v1/": login, "kept.example": {} },
  });
  const { file, told } = await withFile(text, 0o644);
  expect(of(told, "files")).toMatchObject([
    { verdict: "fine", message: `${file}: 2 logins` },
    { verdict: "warning", message: `${file} may be read by others (mode 644)`, command: `chmod 600 ${file}` },
  ]);
  expect(wrongIn((await withFile(text)).told)).toEqual([]);
  expect(wrongIn((await withFile("{}", 0o644)).told)).toEqual([]);
});

test("an empty file has no logins", async () => {
  const { file, told } = await withFile("");
  expect(wrongIn(told)).toEqual([]);
  expect(of(told, "files")).toMatchObject([{ verdict: "fine", message: `${file}: 0 logins` }]);
});

test("helpers that are not in PATH, or may not be run, are a fault", async () => {
  const text = JSON.stringify({
    credsStore: "gone",
    credHelpers: { "a.example": "there", "b.example": "locked" },
  });
  const { told } = await withFile(text);
  expect(wrongIn(told)).toMatchObject([
    {
      verdict: "fault",
      message: expect.stringMatching(/^docker-credential-gone, which .* names for all hosts,/) as string,
    },
    {
      verdict: "fault",
      message: expect.stringMatching(/^docker-credential-locked, which .* for b\.example/) as string,
    },
  ]);
});

test.each([
  ["JSON that breaks off", '{"auths": {\n "a": ', /is not valid JSON: line 2/],
  ["a list", "[]", /is not a JSON object/],
  ["auths that are a text", '{"auths": "s3cret"}', /auths is not an object/],
  ["a login that is none", '{"auths": {"a.example": {"auth": "s3cret!"}}}', /auths\["a\.example"\]\.auth is not/],
])("a file with %s is a fault that names the place", async (_, text, message) => {
  const { file, told } = await withFile(text);
  expect(wrongIn(told)).toMatchObject([{ check: "files", verdict: "fault", code: "INVALID" }]);
  expect(wrongIn(told)[0]!.message).toMatch(message);
  expect(wrongIn(told)[0]!.message).toContain(file);
  expect(JSON.stringify(told)).not.toContain("s3cret");
});

test("what cannot be read is a fault", async () => {
  const folder = await temporaryDirectory();
  expect(wrongIn(await look({ logins: [folder] }))).toMatchObject([
    { check: "files", verdict: "fault", code: "INVALID" },
  ]);
});

test("files of settings that are not right are told", async () => {
  const broken = (): never => {
    throw new RegistryError("INVALID", "registries.conf: line 3 is not TOML", { hint: "mend it" });
  };
  const told = await look({ checks: [() => undefined, broken] });
  expect(told.at(-1)).toMatchObject({
    check: "files",
    verdict: "fault",
    message: "registries.conf: line 3 is not TOML",
  });
});
