import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dockerConfigSource, readHttpHeaders } from "../../src/auth/docker-config-source.ts";
import { helperLogins } from "../../src/auth/helper-logins.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";

import { keepingHelper, programs } from "../support/programs.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const entry = (user: string, password = "pw"): unknown => ({ auth: base64(`${user}:${password}`) });

async function write(config: unknown, mode = 0o600): Promise<string> {
  const file = join(await temporaryDirectory(), "config.json");
  await writeFile(file, typeof config === "string" ? config : JSON.stringify(config), { mode });
  return file;
}

credentialContract("a file of Docker's or Podman's", {
  filled: async ({ host }) => dockerConfigSource(await write({ auths: { [host]: entry("ann", secret) } })),
  empty: async () => dockerConfigSource(join(await temporaryDirectory(), "none.json")),
  broken: {
    source: async ({ host }) => dockerConfigSource(await write({ auths: { [host]: { auth: `${secret}!` } } })),
    message: /config\.json: auths\["registry\.example:5000"\]\.auth is not USER:PASSWORD in base64$/,
  },
});

credentialContract("~/.dockercfg", {
  filled: async ({ host }) =>
    dockerConfigSource(await write({ [host]: entry("ann", secret) }), "it", { form: "dockercfg" }),
  empty: async () =>
    dockerConfigSource(await write({ auths: { auth: base64(`ann:${secret}`) } }), "it", { form: "dockercfg" }),
});

/** A file, and a store for its helpers: in it `user` keeps a login for each server. */
async function withHelpers(
  config: unknown,
  kept: Readonly<Record<string, string>>,
): Promise<{
  find: (host: string, path?: string) => Promise<string>;
  calls: () => Promise<string[]>;
}> {
  const STORE = await temporaryDirectory();
  for (const [server, user] of Object.entries(kept)) {
    const login = JSON.stringify({ ServerURL: server, Username: user, Secret: "kept" });
    await writeFile(join(STORE, server.replace(/[^A-Za-z0-9]/g, "_")), login);
  }
  const { PATH } = await programs({ "docker-credential-one": keepingHelper, "docker-credential-all": keepingHelper });
  const helpers = helperLogins({ env: { PATH, STORE } });
  const source = dockerConfigSource(await write(config), "config", { helpers });
  return {
    find: async (host, path = "") => lineOf(await source.find(host, path)),
    calls: async () => (await readFile(join(STORE, "CALLS"), "utf8").catch(() => "")).split("\n").filter(Boolean),
  };
}

credentialContract("a helper", {
  filled: async ({ host }) => {
    const script = `read -r server; [ "$server" = '${host}' ] || { echo "credentials not found in native keychain"; exit 1; }
      echo '{"Username":"ann","Secret":"${secret}"}'`;
    const { PATH } = await programs({ "docker-credential-one": script });
    return dockerConfigSource(await write({ credsStore: "one" }), "it", { helpers: helperLogins({ env: { PATH } }) });
  },
  empty: async () => {
    const { PATH } = await programs({
      "docker-credential-one": 'echo "credentials not found in native keychain"; exit 1',
    });
    return dockerConfigSource(await write({ credsStore: "one" }), "it", { helpers: helperLogins({ env: { PATH } }) });
  },
  broken: {
    source: async () => {
      const { PATH } = await programs({ "docker-credential-one": `echo '{"Secret":"${secret}"'` });
      return dockerConfigSource(await write({ credsStore: "one" }), "it", { helpers: helperLogins({ env: { PATH } }) });
    },
    message: /^docker-credential-one, named in .*config\.json: credsStore, answered get with something/,
  },
});

describe("helpers", () => {
  test("the host's goes before auths, these before the one for all", async () => {
    const config = {
      credHelpers: { "r.example": "one", "https://s.example/v1/": "one" },
      credsStore: "all",
      auths: {
        "r.example": entry("file"),
        "r.example/team": entry("team"),
        "t.example": entry("file"),
        "u.example": {},
      },
    };
    const { find, calls } = await withHelpers(config, { "r.example": "helper", "u.example": "helper" });
    expect(await find("r.example")).toBe("basic helper:kept");
    expect(await find("t.example", "app")).toBe("basic file:pw");
    expect(await calls()).toEqual(["get r.example"]);
    expect(await find("u.example")).toBe("basic helper:kept");
    expect(await find("s.example")).toBe("none");
    expect(await calls()).toEqual(["get r.example", "get u.example", "get s.example"]);
  });

  test("a host's helper that keeps nothing leaves it to auths, not to the one for all", async () => {
    const config = {
      credHelpers: { "r.example": "one", "s.example": "" },
      credsStore: "all",
      auths: { "r.example/team": entry("team") },
    };
    const { find, calls } = await withHelpers(config, { "s.example": "helper" });
    expect(await find("r.example", "team/app")).toBe("basic team:pw");
    expect(await find("r.example", "other/app")).toBe("none");
    expect(await find("s.example")).toBe("none");
    expect(await calls()).toEqual(["get r.example"]);
  });

  test.each([
    [{ credsStore: "all" }, { "https://index.docker.io/v1/": "ann" }],
    [{ credsStore: "all" }, { "docker.io": "ann" }],
    [{ credHelpers: { "docker.io": "one" } }, { "https://index.docker.io/v1/": "ann" }],
    [{ credHelpers: { "https://index.docker.io/v1/": "one" } }, { "docker.io": "ann" }],
  ])("Docker Hub's login is found whatever it is called: %j, %j", async (config, kept) => {
    expect(await (await withHelpers(config, kept)).find(apiHost("docker.io"), "library/alpine")).toBe("basic ann:kept");
  });

  test("are passed over where nobody runs them", async () => {
    const source = dockerConfigSource(await write({ credHelpers: { "r.example": "no/name" }, credsStore: "x" }));
    expect(await source.find("r.example", "")).toBeUndefined();
  });

  test.each([
    [{ credHelpers: { "r.example": 1 } }, 'credHelpers["r.example"] is not a text'],
    [{ credHelpers: [] }, "credHelpers is not an object"],
    [{ credsStore: {} }, "credsStore is not a text"],
    [{ HttpHeaders: { a: 1 } }, 'HttpHeaders["a"] is not a text'],
  ])("%j is INVALID", async (config, message) => {
    const file = await write(config);
    await expect(dockerConfigSource(file).find("r.example", "")).rejects.toMatchObject({
      code: "INVALID",
      message: `${file}: ${message}`,
    });
  });
});

describe("a key with a scheme", () => {
  const find = async (auths: unknown, host: string, path = ""): Promise<string> =>
    lineOf(await dockerConfigSource(await write({ auths })).find(host, path));

  test("is its host's whatever its path, after all others", async () => {
    const auths = { "https://r.example/a/b": entry("url") };
    expect(await find(auths, "r.example", "z")).toBe("basic url:pw");
    expect(await find({ ...auths, "r.example": entry("host") }, "r.example", "a/b")).toBe("basic host:pw");
    expect(await find({ "https://r.example:443": entry("port") }, "r.example")).toBe("basic port:pw");
  });

  test("says where it is from as it is written", async () => {
    const file = await write({ auths: { "https://R.example/v2/": entry("ann") } });
    expect(await dockerConfigSource(file).find("r.example", "")).toMatchObject({
      origin: `${file}: auths["https://R.example/v2/"]`,
    });
  });
});

describe("the file", () => {
  test("may be a link, begin with a byte order mark, or be empty", async () => {
    const file = await write(`\uFEFF${JSON.stringify({ auths: { "r.example": entry("ann"), "s.example": null } })}`);
    const link = join(await temporaryDirectory(), "link");
    await symlink(file, link);
    expect(lineOf(await dockerConfigSource(link).find("r.example", ""))).toBe("basic ann:pw");
    expect(await dockerConfigSource(link).find("s.example", "")).toBeUndefined();
    expect(await dockerConfigSource(await write("")).find("r.example", "")).toBeUndefined();
    expect(await dockerConfigSource("/dev/null").find("r.example", "")).toBeUndefined();
  });

  test("that others can read is told of when its login is used", async () => {
    const warnings: string[] = [];
    const file = await write({ auths: { "r.example": entry("ann") } });
    const source = dockerConfigSource(file, "it", { onWarning: (text, host) => warnings.push(`${host}: ${text}`) });
    await source.find("r.example", "");
    await chmod(file, 0o644);
    await source.find("other.example", "");
    expect(warnings).toEqual([]);
    await source.find("r.example", "");
    expect(warnings).toEqual([
      `r.example: every user of this machine can read the login in ${file}: chmod 600 ${file}`,
    ]);
  });

  test("that cannot be read, is a directory or a pipe, or has no end, is INVALID", async () => {
    const folder = await temporaryDirectory();
    await mkdir(join(folder, "directory"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await writeFile(join(folder, "long"), Buffer.alloc(5 * 1024 * 1024, " "));
    await symlink("loop", join(folder, "loop"));
    for (const [name, what] of [
      ["directory", "is not a file"],
      ["pipe", "is not a file"],
      ["long", "is longer than 4 MiB"],
      ["loop", "cannot be read (ELOOP)"],
    ]) {
      const file = join(folder, name!);
      await expect(dockerConfigSource(file).find("r.example", "")).rejects.toMatchObject({
        code: "INVALID",
        message: `${file} ${what}`,
      });
    }
    await expect(dockerConfigSource("/dev/zero").find("r.example", "")).rejects.toThrow("is longer than 4 MiB");
  });
});

test("the headers that Docker is to send are read", async () => {
  expect(readHttpHeaders(await write({ HttpHeaders: { "X-Meta": "a" } }))).toEqual({ "X-Meta": "a" });
  expect(readHttpHeaders(join(await temporaryDirectory(), "none"))).toEqual({});
});
