import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loginFiles, loginStores, type Surroundings } from "../../src/auth/login-files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

async function surroundings(more: Partial<Surroundings> = {}): Promise<Surroundings & { at(path: string): string }> {
  const home = await temporaryDirectory();
  const env = { XDG_RUNTIME_DIR: join(home, "run"), ...more.env };
  return { home, ...more, env, at: (path) => join(home, path) };
}

async function make(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "{}");
}

test("files are asked in Podman's order", () => {
  expect(loginFiles({ home: "/h", env: {}, uid: 7 })).toMatchObject({
    own: "/h/.config/gantry/auth.json",
    usual: ["/run/containers/7/auth.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"],
    legacy: "/h/.dockercfg",
  });
  expect(loginFiles({ home: "/h", env: { XDG_RUNTIME_DIR: "/r", XDG_CONFIG_HOME: "/c" } })).toMatchObject({
    own: "/c/gantry/auth.json",
    usual: ["/r/containers/auth.json", "/c/containers/auth.json", "/h/.docker/config.json"],
  });
});

test("DOCKER_CONFIG is the place of all", () => {
  const files = loginFiles({ home: "/h", env: { DOCKER_CONFIG: "/d" }, uid: 7 });
  expect([files.usual, files.legacy]).toEqual([["/d/config.json"], undefined]);
});

test.each([
  ["by the command line", { authFile: "/a.json", env: { REGISTRY_AUTH_FILE: "/b.json" } }, "/a.json"],
  ["by the environment", { env: { REGISTRY_AUTH_FILE: "/b.json" } }, "/b.json"],
])("a file named %s stands in for Podman's and Docker's", async (_, more, file) => {
  const files = loginFiles({ home: "/h", ...more });
  expect([files.named, files.usual, files.legacy]).toEqual([file, [], undefined]);
  expect(await files.write("docker")).toBe(file);
});

describe("a login is written to", () => {
  test("Docker's file where there is none", async () => {
    const where = await surroundings();
    expect(await loginFiles(where).write()).toBe(where.at(".docker/config.json"));
  });

  test.each([
    [["run/containers/auth.json", ".docker/config.json"], "run/containers/auth.json"],
    [[".config/containers/auth.json", ".docker/config.json"], ".config/containers/auth.json"],
    [[".docker/config.json"], ".docker/config.json"],
    [[".config/gantry/auth.json"], ".docker/config.json"],
  ])("the first of those that exist: %j", async (present, chosen) => {
    const where = await surroundings();
    for (const path of present) await make(where.at(path));
    expect(await loginFiles(where).write()).toBe(where.at(chosen));
  });

  test("the one of the tool that is asked for", async () => {
    const where = await surroundings();
    await make(where.at(".config/containers/auth.json"));
    expect(await loginFiles(where).write("docker")).toBe(where.at(".docker/config.json"));
    expect(await loginFiles(where).write("podman")).toBe(where.at("run/containers/auth.json"));
  });

  test("Docker's where DOCKER_CONFIG says so", async () => {
    const where = await surroundings({ env: { DOCKER_CONFIG: "/d" } });
    await make(where.at(".config/containers/auth.json"));
    expect(await loginFiles(where).write()).toBe("/d/config.json");
  });
});

test("stores are opened over them, Gantry's own first, or over the named one alone", async () => {
  const opened = loginStores(loginFiles({ home: "/h", env: {} }), {});
  expect(opened.all.map(({ file }) => file)).toEqual([
    "/h/.config/gantry/auth.json",
    "/h/.config/containers/auth.json",
    "/h/.docker/config.json",
  ]);
  expect(opened.all[0]).toBe(opened.own);
  expect((await opened.target("docker")).file).toBe("/h/.docker/config.json");
  expect(loginStores(loginFiles({ home: "/h", env: {}, authFile: "/a" }), {}).all.map(({ file }) => file)).toEqual([
    "/a",
  ]);
});
