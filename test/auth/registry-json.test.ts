import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/auth/credential.ts";
import {
  parseRegistryJson,
  readRegistryJson,
  readRegistryJsonHosts,
  registryJsonSource,
} from "../../src/auth/registry-json.ts";
import { base64, credentialContract, lineOf, secret } from "../contract/credentials.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** Places with files below them: those whose names begin with `home/` are in the home directory, the others at the root. */
async function places(
  files: Readonly<Record<string, unknown>>,
  env: Environment = {},
): Promise<{ env: Environment; home: string; root: string }> {
  const root = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
  }
  return { env, home: join(root, "home"), root };
}

const user = "home/.ossb/registry.json";
const system = "etc/ossb/registry.json";
const mounted = "var/run/configmaps/registry-config/config.yaml";

credentialContract("registry.json", {
  filled: async ({ host }) =>
    registryJsonSource(await places({ [user]: { registries: { [host]: { username: "ann", password: secret } } } })),
  empty: async () => registryJsonSource(await places({})),
  broken: {
    source: async ({ host }) =>
      registryJsonSource(await places({ [system]: `{"registries": {"${host}": {"token": "${secret}` })),
    message: /etc\/ossb\/registry\.json is not valid JSON: line 1, column \d+$/,
  },
});

credentialContract("registry.json as YAML", {
  filled: async ({ host }) =>
    registryJsonSource(await places({ [mounted]: `registries:\n  "${host}":\n    token: ${secret}\n` })),
  empty: async () => registryJsonSource(await places({ [mounted]: "" })),
  broken: {
    source: async () => registryJsonSource(await places({ [mounted]: `registries:\n  "r": {token: ${secret}` })),
    message: /config\.yaml is not valid YAML: line \d+, column \d+$/,
  },
});

describe("registry.json", () => {
  test("what it says of hosts is read without its logins", async () => {
    const said = { insecure: ["a.example"], mirrors: { "b.example": ["m.example"] } };
    const where = await places({ [user]: { ...said, registries: { "a.example": { token: secret } } } });
    expect(readRegistryJsonHosts(where)).toEqual({ ...said, file: join(where.root, user) });
  });

  test("is the first there is, and the rest from variables", async () => {
    const env = { OSSB_DEFAULT_REGISTRY: "env.example", OSSB_INSECURE_REGISTRIES: "a.example, b.example ,," };
    const file = (name: string): unknown => ({ default_registry: name, insecure: [name] });
    const both = await places({ [user]: file("user"), [system]: file("system"), "own.json": file("own") }, env);
    expect(await readRegistryJson(both)).toMatchObject({ defaultRegistry: "user", insecure: ["user"] });
    const named = { ...both, env: { ...env, OSSB_REGISTRY_CONFIG: join(both.root, "own.json") } };
    expect(await readRegistryJson(named)).toMatchObject({ defaultRegistry: "own", file: join(both.root, "own.json") });
    expect(
      await readRegistryJson(await places({ [system]: file("system"), [mounted]: file("mounted") }, env)),
    ).toMatchObject({
      defaultRegistry: "system",
    });
    expect(await readRegistryJson(await places({ [mounted]: "mirrors: {r.example: [m.example]}" }, env))).toMatchObject(
      {
        defaultRegistry: "env.example",
        insecure: ["a.example", "b.example"],
        mirrors: { "r.example": ["m.example"] },
      },
    );
    expect(await readRegistryJson(await places({}))).toEqual({
      logins: {},
      insecure: [],
      mirrors: {},
      isExposed: false,
    });
  });

  test("has logins of all kinds", async () => {
    const where = await places({ "docker.json": { auths: { "file.example": { auth: base64("ann:pw") } } } });
    const registries = {
      "null.example": null,
      "basic.example": { username: "ann", password: "pw", token: "abc" },
      "token.example": { username: "ann", token: "abc" },
      "user.example": { username: "ann" },
      "file.example": { auth_file: join(where.root, "docker.json") },
    };
    await mkdir(join(where.home, ".ossb"), { recursive: true });
    await writeFile(join(where.root, user), JSON.stringify({ registries }), { mode: 0o644 });
    const warnings: string[] = [];
    const source = registryJsonSource(where, { onWarning: (text) => warnings.push(text) });
    const found = Object.keys(registries).map(async (host) => lineOf(await source.find(host, "app")));
    expect(await Promise.all(found)).toEqual(["none", "basic ann:pw", "bearer abc", "none", "basic ann:pw"]);
    expect(new Set(warnings)).toEqual(new Set([expect.stringContaining("chmod 600")]));
    expect(await source.find("token.example", "")).toMatchObject({
      origin: `${join(where.root, user)}: registries["token.example"]`,
    });
  });

  test.each<[unknown, string]>([
    [{ registries: [] }, "f: registries is not an object"],
    [{ registries: { r: 1 } }, 'f: registries["r"] is not an object'],
    [{ registries: { r: { token: 1 } } }, 'f: registries["r"].token is not a text'],
    [{ insecure: "r" }, "f: insecure is not a list of texts"],
    [{ mirrors: { r: [1] } }, 'f: mirrors["r"] is not a list of texts'],
    [{ default_registry: {} }, "f: default_registry is not a text"],
  ])("%j is INVALID", (value, message) => {
    expect(() => parseRegistryJson(JSON.stringify(value), "f")).toThrow(
      expect.objectContaining({ code: "INVALID", message }),
    );
  });
});
