import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { userPassword, type Credential, type Environment } from "../../src/auth/credential.ts";
import { dockerConfigSource } from "../../src/auth/docker-config-source.ts";
import { helperLogins } from "../../src/auth/helper-logins.ts";
import { formatLoginKey, isSamePlace, parseLoginKey } from "../../src/auth/login-key.ts";
import { loginStore, type LoginStore } from "../../src/auth/login-store.ts";
import { Secret } from "../../src/auth/secret.ts";
import { apiHost } from "../../src/oci/reference.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const place = { host: "registry.example", path: "" };
const hub = { host: "docker.io", path: "" };
const ann = userPassword("ann", "pw");
const base64 = (text: string): string => Buffer.from(text).toString("base64");

async function storeWith(
  config: unknown,
  env: Environment = {},
): Promise<LoginStore & { read(): Promise<Record<string, unknown>> }> {
  const folder = await temporaryDirectory();
  const file = join(folder, "config.json");
  if (config !== undefined) await writeFile(file, JSON.stringify(config));
  const own = loginStore(join(folder, "own.json"), { env });
  return {
    ...loginStore(file, { env, own }),
    read: async () => JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>,
  };
}

describe("keys", () => {
  test.each([
    ["registry.example", { host: "registry.example", path: "" }],
    ["https://Registry.Example/", { host: "registry.example", path: "" }],
    ["http://localhost:5000/v2/", { host: "localhost:5000", path: "" }],
    ["registry.example/team/app", { host: "registry.example", path: "team/app" }],
    ["https://index.docker.io/v1/", { host: "index.docker.io", path: "" }],
    ["[::1]:5000", { host: "[::1]:5000", path: "" }],
  ])("%s", (key, read) => {
    expect(parseLoginKey(key)).toEqual(read);
  });

  test("Docker Hub is written as Docker wants it, by whichever name it goes; a path of it is not a URL", () => {
    for (const host of ["docker.io", "registry-1.docker.io", "index.docker.io"]) {
      expect(formatLoginKey({ host, path: "" })).toBe("https://index.docker.io/v1/");
      expect(formatLoginKey({ host, path: "team" })).toBe("docker.io/team");
    }
  });

  test("what is written is read as the same place", () => {
    const host = fc.constantFrom("docker.io", "registry.example", "localhost:5000", "[::1]:5000");
    const path = fc.constantFrom("", "team", "team/app");
    fc.assert(
      fc.property(host, path, (name, below) => {
        const at = { host: name, path: below };
        expect(isSamePlace(parseLoginKey(formatLoginKey(at)), at)).toBe(true);
      }),
    );
  });
});

describe("in a file", () => {
  test.each<[string, Credential, string | undefined, unknown]>([
    ["user and password", ann, undefined, { auth: base64("ann:pw") }],
    [
      "an identity token",
      { kind: "identity", token: new Secret("id") },
      "ann",
      { auth: base64("ann:"), identitytoken: "id" },
    ],
    [
      "an identity token of nobody known",
      { kind: "identity", token: new Secret("id") },
      undefined,
      { auth: base64("<token>:"), identitytoken: "id" },
    ],
    ["a registry token", { kind: "bearer", token: new Secret("rt") }, undefined, { registrytoken: "rt" }],
  ])("%s is kept as Docker and Podman keep it, and found again", async (_, credential, username, entry) => {
    const old = { auth: "eDp5", identitytoken: "old", registrytoken: "old", email: "a@b" };
    const store = await storeWith({ auths: { "other.example": { auth: "eDp5" }, "registry.example": old }, x: 1 });
    const kept = await store.save(place, credential, username === undefined ? {} : { username });
    expect(kept).toEqual({ ...place, where: `${store.file}: auths["registry.example"]`, inClear: true });
    expect(await store.read()).toEqual({
      auths: { "other.example": { auth: "eDp5" }, "registry.example": { email: "a@b", ...(entry as object) } },
      x: 1,
    });
    expect(await dockerConfigSource(store.file).find("registry.example", "any/thing")).toMatchObject(credential);
  });

  test("one place has one entry: its other names go", async () => {
    const stale = { auth: base64("old:old") };
    const store = await storeWith({
      auths: {
        "docker.io": stale,
        "index.docker.io": stale,
        "docker.io/team": stale,
        "https://index.docker.io/v1/": stale,
      },
    });
    await store.save(hub, ann);
    expect(await store.read()).toEqual({
      auths: { "docker.io/team": stale, "https://index.docker.io/v1/": { auth: base64("ann:pw") } },
    });
    expect(await dockerConfigSource(store.file).find(apiHost("docker.io"), "library/x")).toMatchObject(ann);
  });

  test("a path has an entry of its own", async () => {
    const store = await storeWith(undefined);
    await store.save(place, userPassword("all", "pw"));
    await store.save({ ...place, path: "team" }, ann);
    const find = async (path: string): Promise<unknown> =>
      dockerConfigSource(store.file).find("registry.example", path);
    expect(await find("team/app")).toMatchObject({ username: "ann" });
    expect(await find("teams/app")).toMatchObject({ username: "all" });
    expect(await store.erase(place)).toEqual([`${store.file}: auths["registry.example"]`]);
    expect(await store.list()).toMatchObject([{ host: "registry.example", path: "team", username: "ann" }]);
  });

  test("what is not there cannot be erased, and makes no file", async () => {
    const store = await storeWith(undefined);
    expect(await store.erase(place)).toEqual([]);
    await expect(store.read()).rejects.toThrow("ENOENT");
  });

  test.each([
    ["auths", { auths: [] }],
    ["credHelpers", { credHelpers: "x" }],
    ["credHelpers", { credHelpers: { "registry.example": 1 } }],
    ["credsStore", { credsStore: {} }],
  ])("%s of a wrong kind is told, and nothing is written", async (name, config) => {
    const store = await storeWith(config);
    await expect(store.save(place, ann)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining(name),
    });
    expect(await store.read()).toEqual(config);
  });
});

describe("with a helper", () => {
  test("which keeps it for all; the file marks it, as Docker does", async () => {
    const { kept, env } = await helper("keeps");
    const store = await storeWith({ credsStore: "keeps", auths: { "registry.example": { auth: "eDp5" } } }, env);
    expect(await store.save(place, ann)).toEqual({
      ...place,
      where: `${store.file}: credsStore (docker-credential-keeps)`,
      inClear: false,
    });
    expect(await store.read()).toEqual({ credsStore: "keeps", auths: { "registry.example": {} } });
    expect(JSON.parse(await readFile(join(kept, "registry.example"), "utf8"))).toEqual({
      ServerURL: "registry.example",
      Username: "ann",
      Secret: "pw",
    });
    expect(await store.list()).toMatchObject([{ host: "registry.example", username: "ann", inClear: false }]);
    expect(await store.erase(place)).toEqual([`${store.file}: credsStore (docker-credential-keeps)`]);
    expect(await store.erase(place)).toEqual([]);
    expect(await store.read()).toEqual({ credsStore: "keeps", auths: {} });
  });

  test("which the host has of its own", async () => {
    const { env } = await helper("hosts");
    const store = await storeWith({ credsStore: "absent", credHelpers: { "https://registry.example": "hosts" } }, env);
    expect(await store.save(place, { kind: "identity", token: new Secret("id") })).toMatchObject({ inClear: false });
    await expect(store.save({ ...place, path: "team" }, ann)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/registry\.example\/team has a path/),
    });
    await expect(store.save({ host: "other.example", path: "" }, ann)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/docker-credential-absent.* is not in PATH/),
    });
  });

  test("a registry token is kept in the file: helpers know none", async () => {
    const { env } = await helper("keeps");
    const store = await storeWith({ credsStore: "keeps" }, env);
    expect(await store.save(place, { kind: "bearer", token: new Secret("rt") })).toMatchObject({ inClear: true });
  });

  test("what it does not give back is told", async () => {
    const { env } = await helper(
      "forgets",
      'case "$1" in get) echo "credentials not found in native keychain"; exit 1;; *) cat >/dev/null;; esac',
    );
    const store = await storeWith({ credsStore: "forgets", x: 1 }, env);
    await expect(store.save(place, ann)).rejects.toMatchObject({ code: "UNVERIFIED" });
    expect(await store.read()).toEqual({ credsStore: "forgets", x: 1 });
  });

  test("that fails is told, without what it was given, and the file stays as it is", async () => {
    const { env } = await helper("fails", "cat; exit 3");
    const store = await storeWith({ credsStore: "fails" }, env);
    const error = await store.save(place, userPassword("ann", "topsecret-pw")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/docker-credential-fails.* could not store/),
    });
    expect(JSON.stringify(error) + String(error)).not.toContain("topsecret");
    expect(await store.read()).toEqual({ credsStore: "fails" });
  });

  test("Gantry's own store is asked without one", async () => {
    const store = await storeWith({ credsStore: "gantry" });
    expect(await store.save(place, ann)).toMatchObject({ where: expect.stringMatching(/own\.json: auths/) });
    expect(await store.list()).toMatchObject([{ host: "registry.example", username: "ann" }]);
    // The file leads to it by its helper's name; to run that, which reads the file too, would never end.
    const source = dockerConfigSource(store.file, store.file, { helpers: helperLogins({ env: {} }) });
    expect(await source.find("registry.example", "app")).toBeUndefined();
    expect(await store.erase(place)).toHaveLength(1);
  });
});

/** A PATH with a helper; without a script, one that keeps logins as files in `kept`. */
async function helper(name: string, script = keeping): Promise<{ readonly kept: string; readonly env: Environment }> {
  const folder = await temporaryDirectory();
  const kept = join(folder, "kept");
  await mkdir(kept);
  const program = join(folder, `docker-credential-${name}`);
  await writeFile(program, `#!/bin/sh\ncd ${kept}\n${script}\n`);
  await chmod(program, 0o755);
  return { kept, env: { PATH: `${folder}${delimiter}${process.env["PATH"]}` } };
}

const keeping = `
missing() { echo "credentials not found in native keychain"; exit 1; }
case "$1" in
  store) login=$(cat); server=$(echo "$login" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); echo "$login" > "$server";;
  get) read -r server || :; [ -f "$server" ] && cat "$server" || missing;;
  erase) read -r server || :; [ -f "$server" ] && rm "$server" || missing;;
  list) printf '{'; first=; for f in *; do [ -f "$f" ] || continue
    printf '%s"%s":"%s"' "$first" "$f" "$(sed 's/.*"Username":"\\([^"]*\\)".*/\\1/' "$f")"; first=,; done; echo '}';;
esac`;
