import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { registriesFiles } from "../../src/hosts/registries-files.ts";
import { fault, machine } from "./machine.ts";

const entry = (prefix: string, location = prefix): string =>
  `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`;

/** What each prefix is moved to. */
async function moved(files: Readonly<Record<string, string>>, env = {}, file?: string): Promise<unknown> {
  const found = await machine(files);
  const named = Object.fromEntries(Object.entries(env).map(([name, path]) => [name, join(found.root, path as string)]));
  const { registries } = registriesFiles({ ...found, env: named }, file && join(found.root, file)).registries();
  return Object.fromEntries(registries.map(({ prefix, location }) => [prefix, location]));
}

const system = {
  "etc/containers/registries.conf": entry("a", "system") + entry("b", "system"),
  "etc/containers/registries.conf.d/2.conf": entry("b", "drop-in 2"),
  "etc/containers/registries.conf.d/1.conf": entry("b", "drop-in 1") + entry("c", "drop-in 1"),
  "etc/containers/registries.conf.d/readme": "not TOML",
  "usr/share/containers/registries.conf": entry("d", "shipped"),
  "home/.config/containers/registries.conf.d/1.conf": entry("c", "the user's drop-in"),
};

test("the system's file, its drop-ins in their order, then the user's", async () => {
  expect(await moved(system)).toEqual({ a: "system", b: "drop-in 2", c: "the user's drop-in" });
});

test("what the distribution ships, where the system has no file", async () => {
  expect(await moved({ "usr/share/containers/registries.conf": entry("d", "shipped") })).toEqual({ d: "shipped" });
});

test("the user's file takes the place of the system's and its drop-ins", async () => {
  const files = { ...system, "home/.config/containers/registries.conf": entry("a", "the user's") };
  expect(await moved(files)).toEqual({ a: "the user's", c: "the user's drop-in" });
  expect(
    await moved({ ...system, "config/containers/registries.conf": entry("x") }, { XDG_CONFIG_HOME: "config" }),
  ).toEqual({ x: "x" });
});

test("a file that is named is the only one, and an override comes last", async () => {
  const files = { ...system, "mine.conf": entry("m", "mine"), "last.conf": entry("m", "last") };
  expect(await moved(files, { CONTAINERS_REGISTRIES_CONF: "mine.conf" })).toEqual({ m: "mine" });
  expect(await moved(files, { CONTAINERS_REGISTRIES_CONF: "last.conf" }, "mine.conf")).toEqual({ m: "mine" });
  expect(
    await moved(files, { CONTAINERS_REGISTRIES_CONF: "mine.conf", CONTAINERS_REGISTRIES_CONF_OVERRIDE: "last.conf" }),
  ).toEqual({ m: "last" });
});

test("files of aliases alone are not parsed until a short name asks", async () => {
  const found = await machine({
    "etc/containers/registries.conf.d/broken.conf":
      '# [[registry]]\n[aliases]\n"registry" = "docker.io/registry"\n"a" = ',
  });
  const files = registriesFiles(found);
  expect(files.registries().registries).toEqual([]);
  expect(fault(found.root, () => files.shortNames())).toContain(
    "/etc/containers/registries.conf.d/broken.conf is not valid TOML: line 4",
  );
});

test.each([
  'registry = [{ location = "a" }]',
  '[[ "registry" ]]\nlocation = "a"',
  '  [[registry]]\nlocation = "a"',
  '["\\u0072egistries".search]\nregistries = []',
])("however an entry is written, it is seen: %s", async (text) => {
  const found = await machine({ "etc/containers/registries.conf": text });
  const read = (): unknown => registriesFiles(found).registries().registries.length;
  if (text.includes("search")) expect(fault(found.root, read)).toContain("version 1");
  else expect(read()).toBe(1);
});

test("what Podman has learned counts before all files", async () => {
  const found = await machine({
    "etc/containers/registries.conf": 'unqualified-search-registries = ["a.example"]\n[aliases]\nx = "a.example/x"',
    "home/.cache/containers/short-name-aliases.conf": '[aliases]\nx = "b.example/x"',
    "var/cache/containers/short-name-aliases.conf": '[aliases]\nx = "root.example/x"',
  });
  const target = (uid: number): unknown =>
    registriesFiles({ ...found, uid })
      .shortNames()
      .aliases.get("x")?.target;
  expect(target(1000)).toEqual({ registry: "b.example", repository: "x" });
  expect(target(0)).toEqual({ registry: "root.example", repository: "x" });
  expect(registriesFiles(found).shortNames().searchRegistries?.hosts).toEqual(["a.example"]);
});

test("files that cannot be read are told, with who named them", async () => {
  const found = await machine({ "etc/containers/registries.conf/x": "" });
  expect(fault(found.root, () => registriesFiles(found).registries())).toBe(
    "INVALID: /etc/containers/registries.conf cannot be read: it is a directory",
  );
  const absent = { ...found, env: { CONTAINERS_REGISTRIES_CONF: join(found.root, "absent.conf") } };
  expect(fault(found.root, () => registriesFiles(absent).registries())).toBe(
    "INVALID: /absent.conf is not there: CONTAINERS_REGISTRIES_CONF names it",
  );
  const loop = await machine({ "etc/containers/x": "" });
  await symlink("registries.conf", join(loop.root, "etc/containers/registries.conf"));
  expect(fault(loop.root, () => registriesFiles(loop).registries())).toBe(
    "INVALID: /etc/containers/registries.conf cannot be read: its symbolic links lead in a circle",
  );
});
