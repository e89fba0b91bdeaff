import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dockerConfigSource } from "../../src/auth/docker-config-source.ts";
import { Secret } from "../../src/auth/secret.ts";
import { apiHost } from "../../src/oci/reference.ts";

let directory = "";
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "gantry-auth-"))));
afterAll(() => rm(directory, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString("base64");

async function find(config: unknown, host: string, path = ""): Promise<unknown> {
  const file = join(directory, "config.json");
  await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
  const credential = await dockerConfigSource(file, "config").find(host, path);
  return (
    credential &&
    Object.fromEntries(
      Object.entries(credential)
        .filter(([name]) => name !== "origin")
        .map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
    )
  );
}

const basic = (username: string, password: string): unknown => ({ kind: "basic", username, password });

describe("an entry", () => {
  test.each<[string, unknown, unknown]>([
    ["auth", { auth: base64("ann:pw") }, basic("ann", "pw")],
    ["auth with colons in the password", { auth: base64("ann:p:w") }, basic("ann", "p:w")],
    ["auth with NULs behind", { auth: base64("ann:pw\0\0") }, basic("ann", "pw")],
    ["auth that is not ASCII", { auth: base64("änn:pẅ") }, basic("änn", "pẅ")],
    ["user and password", { username: "ann", password: "pw" }, basic("ann", "pw")],
    [
      "an identity token beside auth",
      { auth: base64("ann:"), identitytoken: "abc" },
      { kind: "identity", token: "abc" },
    ],
    ["an identity token as password", { auth: base64("<token>:abc") }, { kind: "identity", token: "abc" }],
    ["a registry token", { registrytoken: "abc" }, { kind: "bearer", token: "abc" }],
    ["nothing", {}, undefined],
    ["only an e-mail", { email: "ann@example" }, undefined],
  ])("with %s", async (_, entry, credential) => {
    expect(await find({ auths: { "registry.example": entry } }, "registry.example")).toEqual(credential);
  });
});

describe("the key", () => {
  const entry = (user: string): unknown => ({ auth: base64(`${user}:pw`) });

  test.each([
    ["registry.example", "registry.example", "app", true],
    ["registry.example:5000", "registry.example:5000", "app", true],
    ["registry.example:5000", "registry.example", "app", false],
    ["registry.example", "registry.example:5000", "app", false],
    ["REGISTRY.example", "registry.example", "app", true],
    ["https://registry.example", "registry.example", "app", true],
    ["https://registry.example/v1/", "registry.example", "app", true],
    ["http://registry.example/v2/", "registry.example", "app", true],
    ["registry.example/team", "registry.example", "team/app", true],
    ["registry.example/team/app", "registry.example", "team/app", true],
    ["registry.example/team", "registry.example", "teams/app", false],
    ["registry.example/team", "registry.example", "", false],
    ["example", "registry.example", "app", false],
    ["egistry.example", "registry.example", "app", false],
  ])("%s for %s/%s: %s", async (key, host, path, found) => {
    expect(await find({ auths: { [key]: entry("ann") } }, host, path)).toEqual(found ? basic("ann", "pw") : undefined);
  });

  test("the longest wins, whatever the order", async () => {
    const auths = {
      "r.example": entry("host"),
      "r.example/a/b": entry("repository"),
      "r.example/a": entry("team"),
      "r.example/z": {},
    };
    expect(await find({ auths }, "r.example", "a/b")).toEqual(basic("repository", "pw"));
    expect(await find({ auths }, "r.example", "a/c")).toEqual(basic("team", "pw"));
    expect(await find({ auths }, "r.example", "z/c")).toEqual(basic("host", "pw"));
  });

  test.each(["https://index.docker.io/v1/", "docker.io", "index.docker.io", "docker.io/library"])(
    "Docker Hub goes by several names: %s",
    async (key) => {
      expect(await find({ auths: { [key]: entry("ann") } }, apiHost("docker.io"), "library/alpine")).toEqual(
        basic("ann", "pw"),
      );
    },
  );

  test("Docker's own tokens for Docker Hub are no credentials", async () => {
    const auths = {
      "https://index.docker.io/v1/access-token": entry("a"),
      "https://index.docker.io/v1/refresh-token": entry("b"),
    };
    expect(await find({ auths }, apiHost("docker.io"), "library/alpine")).toBeUndefined();
  });
});

describe("the file", () => {
  test("may be absent, or have nothing for the host", async () => {
    expect(
      await dockerConfigSource(join(directory, "none", "config.json")).find("registry.example", ""),
    ).toBeUndefined();
    expect(await find({}, "registry.example")).toBeUndefined();
    expect(
      await find({ auths: null, credHelpers: { "registry.example": "x" }, credsStore: "y" }, "registry.example"),
    ).toBeUndefined();
  });

  test("is read anew each time, so that a login is seen", async () => {
    const file = join(directory, "changing.json");
    const source = dockerConfigSource(file);
    expect(source.name).toBe(file);
    expect(await source.find("r.example", "")).toBeUndefined();
    await writeFile(file, JSON.stringify({ auths: { "r.example": { username: "ann", password: "pw" } } }));
    expect(await source.find("r.example", "")).toMatchObject({ username: "ann" });
  });

  test.each<[string, unknown, RegExp]>([
    [
      "broken JSON",
      '{\n  "auths": {\n    "r.example": { "auth": "czNjcmV0" s3cret }\n',
      /config\.json is not valid JSON: line 3, column 39$/,
    ],
    [
      "JSON that ends too soon",
      '{"auths": {"r.example": {"auth": "s3cret',
      /config\.json is not valid JSON: line 1, column 41$/,
    ],
    ["no object", "[]", /is not a JSON object$/],
    ["auths that are no object", { auths: ["s3cret"] }, /auths is not an object$/],
    ["an entry that is no object", { auths: { "r.example": "s3cret" } }, /auths\["r\.example"\] is not an object$/],
    ["auth that is no text", { auths: { "r.example": { auth: 1 } } }, /auths\["r\.example"\]\.auth is not a text$/],
    [
      "auth that is not base64",
      { auths: { "r.example": { auth: "s3cret!:" } } },
      /\.auth is not USER:PASSWORD in base64$/,
    ],
    [
      "auth without a colon",
      { auths: { "r.example": { auth: base64("s3cret") } } },
      /\.auth is not USER:PASSWORD in base64$/,
    ],
  ])("with %s names the place, not the secret", async (_, config, message) => {
    const error = await find(config, "r.example").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringMatching(message) as string });
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain("s3cret");
  });

  test("what is wrong elsewhere in it does not matter to this host", async () => {
    expect(
      await find(
        { auths: { "other.example": { auth: "%" }, "r.example": { username: "ann", password: "pw" } } },
        "r.example",
      ),
    ).toEqual(basic("ann", "pw"));
  });
});
